import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { hasTerminal, needsTerminal } from '../support/command-line.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test as base } from '../support/on-server.ts';
import { JobById } from '../support/operations.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { readStates } from './watched-states.ts';

const CTRL_C = '\u0003';
const ENTER = '\r';
const DOWN = '\u001b[B';

const NO_COLOR = { NO_COLOR: '1' };

const test = base
  // Without a worker a job waits for as long as a test needs it to.
  .extend('settings', { BLADE_ROLES: 'api' })
  .extend('job', async ({ client }, { onCleanup }) => {
    const { id } = await client.startSync({ syncType: 'FULL' });
    const readState = async () => (await client.send(JobById, { id })).job?.state;
    onCleanup(async () => {
      if ((await readState()) !== 'CANCELLED') await client.cancelJob(id);
    });
    return { id, readState };
  });

describe('a job that is waiting', () => {
  test.beforeAll(async ({ application }) => {
    await addSource(application);
  });

  test('makes a second sync exit with 5 and say how to watch and stop the first', async ({ blade, job }) => {
    const { code, out, err } = await blade('sync', '--watch');
    expect({ code, out }).toEqual({ code: 5, out: '' });
    expect(err).toBe(
      `a sync is already running; watch it: blade job ${job.id} --watch; stop it: blade stop\n`,
    );
  });

  test.for([['cancel', true] as const, ['stop', false] as const])(
    'ends with blade %s, and its watch exits with 3',
    async ([command, takesId], { blade, job }) => {
      const watch = blade.start('job', job.id, '--watch');
      await watch.until(/QUEUED/);
      const ended = await blade(command, ...(takesId ? [job.id] : []));
      expect(ended).toMatchObject({
        code: 0,
        out: '',
        err: expect.stringContaining(`(${job.id}: CANCELLED)`),
      });
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringMatching(/\nCANCELLED, 0 items/) });
    },
  );

  test('can be paused and resumed, which its watch shows', async ({ blade, client, job }) => {
    const watch = blade.start('job', job.id, '--watch', '--json');
    await watch.until(/"QUEUED"/);
    expect((await blade('pause', job.id)).code).toBe(0);
    await watch.until(/"PAUSED"/);
    const resumed = await blade('resume', job.id, '--json');
    expect(JSON.parse(resumed.out)).toMatchObject({ id: job.id, state: 'QUEUED' });
    await client.cancelJob(job.id);
    expect((await watch.ended).code).toBe(3);
  });

  test('keeps running after Ctrl-C in a pipe: the watch says how to watch it again and exits with 130', async ({
    blade,
    job,
  }) => {
    const watch = blade.start('job', job.id, '--watch');
    await watch.until(/QUEUED/);
    watch.child.kill('SIGINT');
    expect(await watch.ended).toMatchObject({
      code: 130,
      err: `Job ${job.id} keeps running. Watch it again: blade job ${job.id} --watch\n`,
    });
    expect(await job.readState()).toBe('QUEUED');
  });

  test('keeps running after SIGTERM: the watch exits with 143', async ({ blade, job }) => {
    const watch = blade.start('job', job.id, '--watch', '--json');
    await watch.until(/"QUEUED"/);
    watch.child.kill('SIGTERM');
    expect(await watch.ended).toMatchObject({
      code: 143,
      err: expect.stringContaining(`job ${job.id} --watch`),
    });
    expect(await job.readState()).toBe('QUEUED');
  });

  describe.skipIf(!hasTerminal)(`on a terminal${needsTerminal}`, () => {
    const QUESTION = /Cancel this job\?/;
    const BAR = /\[-+\] {4}– {2}0 items {2}queued/;

    test('the bar fits the terminal, in colour unless NO_COLOR is set', async ({ blade, client, job }) => {
      const wide = blade.startOnTerminal(['job', job.id, '--watch'], { columns: 120 });
      const narrow = blade.startOnTerminal(['job', job.id, '--watch'], {
        columns: 50,
        environment: NO_COLOR,
      });
      await wide.until(/\[-{30}\] {4}–/);
      await narrow.until(/\[-{12}\] {4}–/);
      await client.cancelJob(job.id);
      expect(await wide.ended).toMatchObject({
        code: 3,
        out: expect.stringContaining('\u001b[33mCANCELLED'),
      });
      const { code, out } = await narrow.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringMatching(/\nCANCELLED, 0 items/) });
      // The cursor is shown again, and lines break again.
      expect(out.lastIndexOf('\u001b[?25h')).toBeGreaterThan(out.lastIndexOf('\u001b[?25l'));
      expect(out.lastIndexOf('\u001b[?7h')).toBeGreaterThan(out.lastIndexOf('\u001b[?7l'));
    });

    test('Ctrl-C asks, and the first answer stops watching', async ({ blade, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch']);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({
        code: 130,
        out: expect.stringContaining(`Job ${job.id} keeps running.`),
      });
      expect(await job.readState()).toBe('QUEUED');
    });

    test('Ctrl-C asks, and the second answer cancels the job and watches it end', async ({ blade, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch']);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('CANCELLED, 0 items') });
      expect(await job.readState()).toBe('CANCELLED');
    });

    test('Ctrl-C asks, and the third answer keeps watching', async ({ blade, client, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch']);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + DOWN + ENTER);
      await watch.until(/Cancel this job[\s\S]*queued/);
      await client.cancelJob(job.id);
      expect((await watch.ended).code).toBe(3);
    });

    test('a second Ctrl-C stops watching at once', async ({ blade, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch']);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(CTRL_C);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({
        code: 130,
        out: expect.stringContaining(`Job ${job.id} keeps running.`),
      });
      expect(await job.readState()).toBe('QUEUED');
    });

    test('the question is withdrawn when the job ends', async ({ blade, client, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch']);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      await client.cancelJob(job.id);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('CANCELLED, 0 items') });
    });

    test('with --json there is no bar, and Ctrl-C asks on stderr', async ({ blade, job }) => {
      const watch = blade.startOnTerminal(['job', job.id, '--watch', '--json']);
      await watch.until(/"QUEUED"/);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('"state":"CANCELLED"') });
      expect(out).not.toContain('[---');
    });

    test('a table is truncated to the width of the terminal', async ({ blade }) => {
      const { code, out } = await blade.startOnTerminal(['jobs'], { columns: 60, environment: NO_COLOR })
        .ended;
      expect(code).toBe(0);
      for (const line of out.trimEnd().split('\r\n')) expect(line.length).toBeLessThanOrEqual(60);
      expect(out).toMatch(/…\r\n/);
    });
  });
});

const testWithKeys = base.extend('settings', {
  ...SECRET_SETTINGS,
  BLADE_API_KEYS: 'true',
  BLADE_ROLES: 'api',
});

testWithKeys(
  'a watch whose token is revoked continues with a new token in its file, and otherwise exits with 6',
  async ({ application: { url }, bladeWith, folder, open }) => {
    const admin = await open(createApiClient(url, await bearer({ role: 'admin', clearance: 'TOP SECRET' })));
    const send = async (mutation: string) => (await admin.sendRaw(`mutation { ${mutation} }`)).data;
    const createKey = async () => {
      const input = '{ name: "watch", role: OPERATOR, clearance: TOP_SECRET }';
      const selection = '{ ... on CreateApiKeySuccess { key apiKey { id } } }';
      const data = await send(`createApiKey(input: ${input}) ${selection}`);
      return data?.createApiKey as { key: string; apiKey: { id: string } };
    };
    const revoke = ({ apiKey: { id } }: { apiKey: { id: string } }) =>
      send(`revokeApiKey(input: { id: "${id}" }) { ... on RevokeApiKeySuccess { apiKey { id } } }`);
    const file = join(folder, 'token');
    await addSource({ client: admin });
    const [first, second] = [await createKey(), await createKey()];
    await writeFile(file, first.key);
    const watch = bladeWith({ BLADE_URL: url, BLADE_TOKEN_FILE: file }).start('sync', '--watch');
    await watch.until(/QUEUED/);
    await writeFile(file, second.key);
    await revoke(first);
    await watch.until(/Reconnected/);
    await revoke(second);
    const { code, out, err } = await watch.ended;
    expect(code).toBe(6);
    for (const { key } of [first, second]) expect(out + err).not.toContain(key);
  },
);

describe('a server that restarts', { timeout: 180_000 }, () => {
  base(
    'does not end a watch, which shows each state once until the job ends',
    async ({ bladeWith, place, startProgram }) => {
      const settings = { ...place.settings, BLADE_ROLES: 'api' };
      await writeRows(join(place.folder, 'warehouse'), 'sortie', [
        { item_id: 'SRT-1' },
        { item_id: 'SRT-2' },
      ]);
      const first = await startProgram(settings);
      await addSource(first);
      const watch = bladeWith({ BLADE_URL: first.url }).start('sync', '--watch', '--json');
      await watch.until(/"QUEUED"/);

      await first.end('SIGKILL');
      await watch.until(/Connection lost/);
      const sameAddress = { ...settings, PORT: new URL(first.url).port };
      const second = await startProgram(sameAddress);
      await watch.until(/Reconnected/);

      await second.end('SIGTERM');
      await watch.until(/Connection lost[\s\S]*Connection lost/);
      await startProgram({ ...sameAddress, BLADE_ROLES: 'api,worker' });
      const { code, out, err } = await watch.ended;
      expect(code).toBe(0);
      expect(readStates(out).at(-1)).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2 } });
      expect(err.match(/Connection lost/g)).toHaveLength(2);
    },
  );

  base(
    'ends a watch with 7 if it stays away longer than --give-up-after',
    async ({ bladeWith, place, startProgram }) => {
      const program = await startProgram({ ...place.settings, BLADE_ROLES: 'api' });
      await addSource(program);
      const blade = bladeWith({ BLADE_URL: program.url });
      const { out } = await blade('sync');
      const watch = blade.start('job', out.trim(), '--watch', '--give-up-after', '1');
      await watch.until(/QUEUED/);
      await program.end('SIGKILL');
      expect(await watch.ended).toMatchObject({ code: 7, err: expect.stringMatching(/cannot reach/) });
    },
  );
});
