import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { createBlade } from '../support/command-line.ts';
import { test as base } from '../support/on-embedded.ts';
import { createPluginFolder, FUEL_ROWS } from '../support/plugin-folder.ts';
import { ProgramEndedError } from '../support/program.ts';

const test = base.extend('plugins', ({ open }) => open(createPluginFolder()));

test('the command syncs with the plug-in that BLADE_PLUGINS names, and blade knows its data type', async ({
  plugins,
  place,
  startProgram,
}) => {
  const program = await startProgram({
    ...place.settings,
    BLADE_PLUGINS: join(plugins.path, 'blade-fuel/index.ts'),
    BLADE_WORKER_THREADS: '1',
    FUEL_ROWS: JSON.stringify(FUEL_ROWS),
  });
  const blade = createBlade({ BLADE_URL: program.url });
  const source = ['--name', 'Fuel', '--type', 'fuel', '--table', 'blade.field.fuel'];
  expect(await blade('sources', 'add', ...source)).toMatchObject({ code: 0 });
  const { out } = await blade('sync', '--type', 'fuel', '--watch');
  expect(out).toMatch(
    /COMPLETED after .*, 3 items, 2 stored \(2 inserted, 0 updated, 0 unchanged\), 1 error\n$/,
  );
  expect((await blade('items', 'list', '--type', 'fuel')).out).toMatch(/fuel.*\n.*fuel/);
  expect(await blade('jobs', '--type', 'tea')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/known are maintenance, .*, fuel\n/),
  });
  await program.end('SIGTERM');
});

test('the command refuses a plug-in that is not there with one line', async ({ place, startProgram }) => {
  const starting = startProgram({ ...place.settings, BLADE_PLUGINS: './nothing.ts' });
  await expect(starting).rejects.toThrow(ProgramEndedError);
  await expect(starting).rejects.toMatchObject({
    code: 1,
    complaint: expect.stringMatching(
      /^The plug-in \.\/nothing\.ts cannot be used: there is no module file:[^\n]*$/,
    ),
  });
});

test('the program that docs/extending.md shows serves its plug-in, and ends by itself once it has stopped', async ({
  plugins,
  open,
}) => {
  const child = spawn(process.execPath, ['program.ts'], {
    cwd: plugins.path,
    env: { PATH: process.env.PATH, PORT: '0', BLADE_DEMO_DATA: 'false', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await open({ close: () => void child.kill('SIGKILL') });
  const exited = once(child, 'exit');
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /^GraphQL is at (\S+)$/.exec(line)?.[1];
    if (url !== undefined) break;
  }
  const client = await open(createApiClient(url ?? ''));
  const { data } = await client.sendRaw('{ dataTypes { name } }');
  expect(data?.dataTypes).toContainEqual({ name: 'fuel' });
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
