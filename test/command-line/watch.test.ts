import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { createApiClient } from '../support/api-client.ts';
import {
  hasTerminal,
  killCommands,
  needsTerminal,
  runBlade,
  startBlade,
  startOnTerminal,
} from '../support/command-line.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { JobById } from '../support/operations.ts';
import { killPrograms, startProgram } from '../support/program.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

afterEach(killCommands);

const CTRL_C = '\u0003';
const ENTER = '\r';
const DOWN = '\u001b[B';

describe('a job that waits', () => {
  // Without a worker a job waits for as long as a test needs it to.
  let application: TestApplication;
  let environment: Record<string, string>;
  let id: string;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_ROLES: 'api' });
    environment = { BLADE_URL: application.url };
    await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  });

  afterAll(() => application.close());

  beforeEach(async () => {
    id = (await application.client.startSync({ syncType: 'FULL' })).id;
  });

  afterEach(async () => {
    if ((await stateOf(id)) !== 'CANCELLED') await application.client.cancelJob(id);
  });

  async function stateOf(id: string) {
    return (await application.client.send(JobById, { id })).job?.state;
  }

  test('a second sync is refused with 5, and the command says how to watch the first', async () => {
    const { code, out, err } = await runBlade(['sync', '--watch'], environment);
    expect({ code, out }).toEqual({ code: 5, out: '' });
    expect(err).toContain(`To watch it: blade job ${id} --watch\n`);
  });

  test.each([['cancel', true] as const, ['stop', false] as const])(
    '%s ends it, and a watch of it ends with 3',
    async (command, takesId) => {
      const watch = startBlade(['job', id, '--watch'], environment);
      await watch.until(/QUEUED/);
      const ended = await runBlade([command, ...(takesId ? [id] : [])], environment);
      expect(ended).toMatchObject({ code: 0, out: '', err: expect.stringContaining(`(${id}: CANCELLED)`) });
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringMatching(/\nCANCELLED, 0 items/) });
    },
  );

  test('it can be paused, which a watch shows, and resumed', async () => {
    const watch = startBlade(['job', id, '--watch', '--json'], environment);
    await watch.until(/"QUEUED"/);
    expect((await runBlade(['pause', id], environment)).code).toBe(0);
    await watch.until(/"PAUSED"/);
    const resumed = await runBlade(['resume', id, '--json'], environment);
    expect(JSON.parse(resumed.out)).toMatchObject({ id, state: 'QUEUED' });
    await application.client.cancelJob(id);
    expect((await watch.ended).code).toBe(3);
  });

  test('in a pipe Ctrl-C leaves the job, says how to watch it again and ends with 130', async () => {
    const watch = startBlade(['job', id, '--watch'], environment);
    await watch.until(/QUEUED/);
    watch.child.kill('SIGINT');
    expect(await watch.ended).toMatchObject({
      code: 130,
      err: `Job ${id} goes on. To watch it again: blade job ${id} --watch\n`,
    });
    expect(await stateOf(id)).toBe('QUEUED');
  });

  test('SIGTERM leaves the job, too, with 143', async () => {
    const watch = startBlade(['job', id, '--watch', '--json'], environment);
    await watch.until(/"QUEUED"/);
    watch.child.kill('SIGTERM');
    expect(await watch.ended).toMatchObject({ code: 143, err: expect.stringContaining(`job ${id} --watch`) });
    expect(await stateOf(id)).toBe('QUEUED');
  });

  describe.skipIf(!hasTerminal)(`on a terminal${needsTerminal}`, () => {
    const QUESTION = /What is to become of the job\?/;
    const BAR = /\[-+\] {4}– {2}0 items {2}queued/;

    test('the bar is as wide as the terminal lets it be, in colour unless NO_COLOR says otherwise', async () => {
      const wide = startOnTerminal(['job', id, '--watch'], environment, 120);
      const narrow = startOnTerminal(['job', id, '--watch'], { ...environment, NO_COLOR: '1' }, 50);
      await wide.until(/\[-{30}\] {4}–/);
      await narrow.until(/\[-{12}\] {4}–/);
      await application.client.cancelJob(id);
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

    test('Ctrl-C asks, and the job goes on when the answer is to leave', async () => {
      const watch = startOnTerminal(['job', id, '--watch'], environment);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 130, out: expect.stringContaining(`Job ${id} goes on.`) });
      expect(await stateOf(id)).toBe('QUEUED');
    });

    test('Ctrl-C asks, and the job is cancelled and watched to its end when that is the answer', async () => {
      const watch = startOnTerminal(['job', id, '--watch'], environment);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('CANCELLED, 0 items') });
      expect(await stateOf(id)).toBe('CANCELLED');
    });

    test('Ctrl-C asks, and the watch goes on when that is the answer', async () => {
      const watch = startOnTerminal(['job', id, '--watch'], environment);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + DOWN + ENTER);
      await watch.until(/What is to become[\s\S]*queued/);
      await application.client.cancelJob(id);
      expect((await watch.ended).code).toBe(3);
    });

    test('a second Ctrl-C leaves at once', async () => {
      const watch = startOnTerminal(['job', id, '--watch'], environment);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(CTRL_C);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 130, out: expect.stringContaining(`Job ${id} goes on.`) });
      expect(await stateOf(id)).toBe('QUEUED');
    });

    test('a job that ends while the question is open ends the watch', async () => {
      const watch = startOnTerminal(['job', id, '--watch'], environment);
      await watch.until(BAR);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      await application.client.cancelJob(id);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('CANCELLED, 0 items') });
    });

    test('with --json there is no bar, and Ctrl-C asks beside the output', async () => {
      const watch = startOnTerminal(['job', id, '--watch', '--json'], environment);
      await watch.until(/"QUEUED"/);
      watch.child.stdin.write(CTRL_C);
      await watch.until(QUESTION);
      watch.child.stdin.write(DOWN + ENTER);
      const { code, out } = await watch.ended;
      expect({ code, out }).toEqual({ code: 3, out: expect.stringContaining('"state":"CANCELLED"') });
      expect(out).not.toContain('[---');
    });

    test('a table is cut to the width of the terminal', async () => {
      const { code, out } = await startOnTerminal(['jobs'], { ...environment, NO_COLOR: '1' }, 60).ended;
      expect(code).toBe(0);
      for (const line of out.trimEnd().split('\r\n')) expect(line.length).toBeLessThanOrEqual(60);
      expect(out).toMatch(/…\r\n/);
    });
  });
});

test('a watch whose token is revoked goes on with the one that is in its file by then, or ends with 6', async () => {
  const application = await startTestApplication({
    ...SECRET_SETTINGS,
    BLADE_API_KEYS: 'true',
    BLADE_ROLES: 'api',
  });
  const admin = createApiClient(application.url, await bearer({ role: 'admin', clearance: 'TOP SECRET' }));
  const send = async (mutation: string) => (await admin.sendRaw(`mutation { ${mutation} }`)).data;
  const newKey = async () => {
    const input = '{ name: "watch", role: OPERATOR, clearance: "TOP SECRET" }';
    const selection = '{ ... on CreateApiKeySuccess { key apiKey { id } } }';
    const data = await send(`createApiKey(input: ${input}) ${selection}`);
    return data?.createApiKey as { key: string; apiKey: { id: string } };
  };
  const revoke = ({ apiKey: { id } }: { apiKey: { id: string } }) =>
    send(`revokeApiKey(id: "${id}") { ... on RevokeApiKeySuccess { apiKey { id } } }`);
  const file = join(application.warehouseFolder, '..', 'token');
  const environment = { BLADE_URL: application.url, BLADE_TOKEN_FILE: file };
  try {
    const source = 'dataType: "sortie", catalogName: "blade", schemaName: "field", tableName: "sortie"';
    await send(`saveDataSource(input: { name: "Sorties", ${source} }) { __typename }`);
    const [first, second] = [await newKey(), await newKey()];
    await writeFile(file, first.key);
    const watch = startBlade(['sync', '--watch'], environment);
    await watch.until(/QUEUED/);
    await writeFile(file, second.key);
    await revoke(first);
    await watch.until(/Connected again/);
    await revoke(second);
    const { code, out, err } = await watch.ended;
    expect(code).toBe(6);
    for (const { key } of [first, second]) expect(out + err).not.toContain(key);
  } finally {
    await admin.close();
    await application.close();
  }
});

describe('a server that is started again', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
    const prepared = inject('preparedDatabase');
    if (prepared.kind !== 'embedded') return;
    const database = { folder: join(folder, 'database'), prepared: prepared.folder };
    await (await startEmbeddedServer(database)).close();
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));
  afterEach(killPrograms);

  test('a watch outlives two restarts, and shows each state once to the end of the job', async () => {
    const environment = { BLADE_DATA_FOLDER: folder, BLADE_ROLES: 'api' };
    await writeRows(join(folder, 'warehouse'), 'sortie', [{ item_id: 'SRT-1' }, { item_id: 'SRT-2' }]);
    const first = await startProgram(environment);
    const here = { BLADE_URL: first.url };
    const source = ['--name', 'Sorties', '--type', 'sortie', '--table', 'blade.field.sortie'];
    expect((await runBlade(['sources', 'add', ...source], here)).code).toBe(0);
    const watch = startBlade(['sync', '--watch', '--json'], here);
    await watch.until(/"QUEUED"/);

    await first.end('SIGKILL');
    await watch.until(/Connection lost/);
    const sameAddress = { ...environment, PORT: new URL(first.url).port };
    const second = await startProgram(sameAddress);
    await watch.until(/Connected again/);

    await second.end('SIGTERM');
    await watch.until(/Connection lost[\s\S]*Connection lost/);
    await startProgram({ ...sameAddress, BLADE_ROLES: 'api,worker' });
    const { code, out, err } = await watch.ended;
    expect(code).toBe(0);
    const states = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const revisions = states.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
    expect(states.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2 } });
    expect(err.match(/Connection lost/g)).toHaveLength(2);
  }, 180_000);

  test('one that stays away ends the watch with 7 after the time that was given', async () => {
    const program = await startProgram({ BLADE_DATA_FOLDER: folder, BLADE_ROLES: 'api' });
    const here = { BLADE_URL: program.url };
    const { out } = await runBlade(['sync'], here);
    const watch = startBlade(['job', out.trim(), '--watch', '--give-up-after', '1'], here);
    await watch.until(/QUEUED/);
    await program.end('SIGKILL');
    expect(await watch.ended).toMatchObject({ code: 7, err: expect.stringMatching(/cannot reach/) });
  }, 180_000);
});
