import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Client, Pool } from 'pg';
import { PgBoss } from 'pg-boss';
import { afterAll, beforeAll, describe, expect, inject, vi } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { FolderLockedError } from '../../src/database/embedded/folder-lock.ts';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { test } from '../support/on-embedded.ts';

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  folders.push(folder);
  return folder;
}

/** Opens a folder, from what the run has prepared where it can: making a database anew takes seconds. */
async function openPrepared(folder: string): Promise<Database> {
  const prepared = inject('preparedDatabase');
  if (prepared.kind === 'server') return await openDatabase({ folder });
  return await startEmbeddedServer({ folder, findPrepared: async () => prepared.data });
}

/** Where the socket of a database is. */
const socketFolder = (database: Database) =>
  new URL(database.connectionString).searchParams.get('host') ?? '';

describe('an open folder', () => {
  let folder: string;
  let database: Database;

  beforeAll(async () => {
    folder = await makeFolder();
    database = await openPrepared(folder);
  });

  afterAll(() => database.close());

  test('cannot be opened again, and the error names the process that has it and since when', async () => {
    const opening = openDatabase({ folder });
    await expect(opening).rejects.toThrow(FolderLockedError);
    await expect(opening).rejects.toThrow(
      new RegExp(`process ${process.pid} on .* since \\d{4}-\\d\\d-\\d\\dT`),
    );
    await expect(openInChild(folder)).rejects.toThrow(new RegExp(`process ${process.pid} on`));
    // Being asked in vain does no harm to the one who has it.
    await expect(openDatabase({ folder })).rejects.toThrow(FolderLockedError);
  });

  test.skipIf(process.platform === 'win32')('is served where no other user can reach it', async () => {
    expect((await stat(socketFolder(database))).mode & 0o777).toBe(0o700);
  });

  test('keeps the transactions of several clients apart', async () => {
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 6 });
    const write = (fails: boolean) =>
      prisma.$transaction(async (transaction) => {
        const job = await transaction.job.create({
          data: { id: crypto.randomUUID(), kind: 'QUERY', sqlQuery: 'select 1', dataType: 'sortie' },
        });
        await transaction.job.update({ where: { id: job.id }, data: { currentOperation: 'Written' } });
        if (fails) throw new Error('rolled back');
      });
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_item, index) => write(index % 3 === 0)),
    );
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(4);
    expect(await prisma.job.count({ where: { revision: 2, currentOperation: 'Written' } })).toBe(8);
    await prisma.$disconnect();
  });

  test('keeps the statements of several clients apart, even if one arrives in pieces', async () => {
    const pool = new Pool({ connectionString: database.connectionString, max: 12 });
    const large = 'x'.repeat(3_000_000);
    const answers = await Promise.allSettled(
      Array.from({ length: 400 }, async (_item, index) => {
        const statement = index % 3 === 0 ? 'select $1::int as a' : 'select $2::text as b, $1::int as a';
        const second = index % 20 === 1 ? large : 'small';
        const values = index % 3 === 0 ? [index] : [index, second];
        const { rows } = await pool.query(index % 7 === 0 ? `${statement}, 1 / 0` : statement, values);
        return rows[0].a === index && (index % 3 === 0 || rows[0].b === second);
      }),
    );
    const outcomes = answers.map((answer) =>
      answer.status === 'fulfilled' ? answer.value : answer.reason.code,
    );
    const divisionByZero = '22012';
    expect(outcomes).toEqual(outcomes.map((_outcome, index) => (index % 7 === 0 ? divisionByZero : true)));
    await pool.end();
  });

  test('goes on when a client leaves in the middle of a transaction, or of a statement', async () => {
    for (const leave of [
      async (client: Client) => client.query('begin; create table left_behind (id int)'),
      async (client: Client) => {
        client.connection.parse({ name: '', text: 'select 1 / 0', types: [] }, true);
        client.connection.bind({}, true);
        client.connection.execute({}, true);
        client.connection.flush();
        await once(client.connection, 'errorMessage');
      },
    ]) {
      const client = new Client({ connectionString: database.connectionString });
      client.on('error', () => {});
      await client.connect();
      await leave(client);
      client.connection.stream.destroy();
      const other = new Client({ connectionString: database.connectionString });
      await other.connect();
      const { rows } = await other.query(
        "select to_regclass('left_behind') as found, $1::int as answer",
        [1],
      );
      expect(rows).toEqual([{ found: null, answer: 1 }]);
      await other.end();
    }
  });

  test('runs the queue', async () => {
    const boss = new PgBoss({ connectionString: database.connectionString });
    const onError = vi.fn();
    boss.on('error', onError);
    await boss.start();
    await boss.createQueue('work');
    const done = vi.fn();
    await boss.work('work', async (jobs) => done(jobs.map((job) => job.data)));
    await boss.send('work', { number: 1 });
    await vi.waitFor(() => expect(done).toHaveBeenCalledWith([{ number: 1 }]), { timeout: 10_000 });
    await boss.stop({ graceful: false });
    expect(onError).not.toHaveBeenCalled();
  });
});

test('closing keeps the data and leaves nothing else behind, and the folder opens again', async () => {
  const folder = await makeFolder();
  const first = await openPrepared(folder);
  await execute(first, 'create table kept as select 1 as id');
  await first.close();
  await first.close();
  await expect(stat(socketFolder(first))).rejects.toThrow(/ENOENT/);
  expect(await readdir(folder)).not.toContain('holder.json');

  const second = await openDatabase({ folder });
  expect(await execute(second, 'select id from kept')).toEqual([{ id: 1 }]);
  await second.close();
});

test('closing does not wait for clients that are still connected, and rolls back what they have not committed', async () => {
  const folder = await makeFolder();
  const first = await openPrepared(folder);
  const client = new Client({ connectionString: first.connectionString });
  client.on('error', () => {});
  await client.connect();
  await client.query('begin; create table not_committed (id int)');
  await first.close();
  const second = await openDatabase({ folder });
  expect(await execute(second, "select to_regclass('not_committed') as found")).toEqual([{ found: null }]);
  await second.close();
});

test('a folder that a killed process had open opens again with every acknowledged row', async () => {
  const folder = await makeFolder();
  await (await openPrepared(folder)).close();
  const child = await openInChild(folder);
  await vi.waitFor(() => expect(child.written()).toBeGreaterThan(20), { timeout: 10_000 });
  const leftSocketFolder = JSON.parse(await readFile(join(folder, 'holder.json'), 'utf8')).temporaryFolder;
  child.process.kill('SIGKILL');
  await once(child.process, 'exit');

  const database = await openDatabase({ folder });
  const [row] = await execute(database, 'select count(*)::int as count, max(id) as last from written');
  expect(row?.last).toBeGreaterThanOrEqual(child.written());
  expect(row?.count).toBe(row?.last);
  await expect(stat(leftSocketFolder)).rejects.toThrow(/ENOENT/);
  await database.close();
});

test('a folder whose files come, shrink and go opens again however often its process is killed', async () => {
  const folder = await makeFolder();
  await (await openPrepared(folder)).close();
  let written = 0;
  for (let kill = 0; kill < 4; kill++) {
    const child = await openInChild(folder, 'churn-until-killed.ts');
    expect([written + 1, written + 2]).toContain(child.first);
    await vi.waitFor(() => expect(child.written()).toBeGreaterThan(child.first + kill), { timeout: 30_000 });
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    written = child.written();
  }
  const database = await openDatabase({ folder });
  const [row] = await execute(database, 'select count(*)::int as count, max(number) as last from kept');
  expect(row?.count).toBe(row?.last);
  expect(row?.count).toBeGreaterThanOrEqual(written);
  await database.close();
}, 180_000);

test('a process that is killed while it creates the folder does no harm', async () => {
  const folder = await makeFolder();
  const killed = startChild(folder);
  await vi.waitFor(async () => expect(await readdir(folder)).toContain('data'), {
    timeout: 10_000,
    interval: 1,
  });
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const database = await openDatabase({ folder });
  expect(await execute(database, 'select count(*)::int as count from job')).toEqual([{ count: 0 }]);
  await database.close();
});

test('a database whose thread ends unexpectedly is lost, disconnects its clients and frees the folder', async () => {
  const folder = await makeFolder();
  const startThread = vi.spyOn(Worker.prototype, 'once');
  const database = await openPrepared(folder);
  const [thread] = startThread.mock.contexts as Worker[];
  startThread.mockRestore();
  const refused = expect(execute(database, 'select pg_sleep(0.1)')).rejects.toThrow();
  await thread?.terminate();
  await refused;
  await expect(database.lost).resolves.toHaveProperty(
    'message',
    'The embedded database stopped: its thread ended',
  );
  await expect(
    database.notifications.listen('any', { onNotification() {}, onReconnect() {} }),
  ).rejects.toThrow();
  await database.close();
  const again = await openDatabase({ folder });
  await again.close();
});

test('a statement that breaks the database ends it with the reason, instead of hanging', async () => {
  const database = await openPrepared(await makeFolder());
  await execute(
    database,
    'create function f(i int) returns int language plpgsql as $$ begin return f(i + 1); end $$',
  );
  await expect(execute(database, 'select f(1)')).rejects.toThrow();
  await expect(database.lost).resolves.toHaveProperty('message', expect.stringContaining('call stack'));
  await database.close();
});

async function execute(database: Database, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: database.connectionString });
  client.on('error', () => {}); // The query itself rejects.
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}

function startChild(dataFolder: string, script = 'write-until-killed.ts'): ChildProcess {
  const path = fileURLToPath(new URL(`../support/${script}`, import.meta.url));
  return spawn(process.execPath, [path, dataFolder], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Opens a folder in another process, which writes rows and says which were written. */
async function openInChild(
  dataFolder: string,
  script?: string,
): Promise<{ process: ChildProcess; first: number; written: () => number }> {
  const child = startChild(dataFolder, script);
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('The child has no output');
  let errors = '';
  stderr.on('data', (data) => {
    errors += data;
  });
  let written = 0;
  const lines = createInterface(stdout).on('line', (line) => {
    written = Number(line);
  });
  const [first] = await Promise.race([
    once(lines, 'line'),
    once(child, 'close').then(() => {
      throw new Error(errors);
    }),
  ]);
  return { process: child, first: Number(first), written: () => written };
}
