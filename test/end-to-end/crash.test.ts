import { randomBytes, randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterEach, describe, expect, inject, onTestFailed, test, vi } from 'vitest';
import { startEmbeddedServer } from '../../src/database/embedded/server.ts';
import { openDatabase } from '../../src/database/open-database.ts';
import { createSortieTable } from '../../src/warehouse/demo/sortie-table.ts';
import type { JobByIdQuery } from '../generated/graphql.ts';
import { readFolderCatalog } from '../support/folder-catalog.ts';
import { JobById, SaveDataSource } from '../support/operations.ts';
import { runOnServer, urlOfDatabase } from '../support/prepare-database.ts';
import { killPrograms, type Program, startProgram } from '../support/program.ts';

const ROWS = 6_000;
const BATCH_SIZE = 40;

const prepared = inject('preparedDatabase');
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await killPrograms();
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

interface Place {
  /** What a program is started with, each time in the same place. */
  readonly environment: Record<string, string>;
  readonly folder: string;
  readonly databaseUrl: string | undefined;
}

/** Folders and database for one program after the other, with a table of sorties in its warehouse. */
async function makePlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  const table = { catalog: 'blade', schema: 'field', table: 'sortie' };
  await createSortieTable({ folder: join(folder, 'warehouse'), table, rows: ROWS });
  const databaseUrl = await makeDatabase(folder);
  return {
    folder,
    databaseUrl,
    environment: {
      BLADE_DATA_FOLDER: folder,
      BLADE_WORKER_THREADS: '1',
      BLADE_PROGRESS_INTERVAL_MS: '20',
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
  };
}

/** @returns the URL of a new database on a server; undefined where it is an embedded one in the folder. */
async function makeDatabase(folder: string): Promise<string | undefined> {
  if (prepared.kind === 'embedded') {
    const database = await startEmbeddedServer({
      folder: join(folder, 'database'),
      prepared: prepared.folder,
    });
    await database.close();
    return undefined;
  }
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(prepared.url, `create database ${name} template ${prepared.template}`);
  cleanups.push(() => runOnServer(prepared.url, `drop database ${name} with (force)`));
  return urlOfDatabase(prepared.url, name);
}

/** Starts the program in a place; what it logged is shown where the test fails. */
async function start({ environment }: Place): Promise<Program> {
  const program = await startProgram(environment);
  onTestFailed(() => {
    process.stdout.write(`${program.lines.slice(-40).join('\n')}\n`);
  });
  return program;
}

async function startSync({ client }: Program): Promise<string> {
  await client.send(SaveDataSource, {
    input: {
      name: 'Sorties',
      dataType: 'sortie',
      catalogName: 'blade',
      schemaName: 'field',
      tableName: 'sortie',
      cursorColumn: 'updated_at',
    },
  });
  return (await client.startSync({ syncType: 'FULL', options: { batchSize: BATCH_SIZE } })).id;
}

type Partition = NonNullable<JobByIdQuery['job']>['partitions'][number];

/** Waits until the one partition of a job is as it should be. */
async function untilPartition(
  { client }: Program,
  id: string,
  isAsItShouldBe: (partition: Partition) => boolean,
): Promise<Partition> {
  return vi.waitFor(
    async () => {
      const { job } = await client.send(JobById, { id });
      expect(job?.state).toBe('RUNNING');
      const [partition] = job?.partitions ?? [];
      if (partition === undefined || !isAsItShouldBe(partition)) throw new Error(JSON.stringify(partition));
      return partition;
    },
    { timeout: 40_000, interval: 10 },
  );
}

/** Looks at database and catalog once no program runs: each row of the table is there once. */
async function expectEverythingOnce({ folder, databaseUrl }: Place): Promise<void> {
  const database = await openDatabase({ url: databaseUrl, folder: join(folder, 'database') });
  const pool = new Pool({ connectionString: database.connectionString });
  pool.on('error', () => {});
  try {
    const { rows } = await pool.query<{
      itemId: string;
      contentHash: string;
      uploaded: boolean;
    }>(
      `select item_id as "itemId", content_hash as "contentHash", uploaded_at is not null as uploaded
       from blade_item left join upload_batch on id = upload_batch_id order by item_id`,
    );
    expect(rows.map(({ itemId }) => itemId)).toEqual(
      Array.from({ length: ROWS }, (_, row) => `SRT-${String(row + 1).padStart(7, '0')}`),
    );
    expect(rows.filter(({ uploaded }) => !uploaded)).toEqual([]);
    const inCatalog = new Map<string, string>();
    for await (const { itemId, contentHash } of readFolderCatalog(join(folder, 'catalog'))) {
      inCatalog.set(itemId, contentHash);
    }
    expect(inCatalog).toEqual(new Map(rows.map(({ itemId, contentHash }) => [itemId, contentHash])));
  } finally {
    await pool.end();
    await database.close();
  }
}

async function expectCompleted(program: Program, id: string, attempts: number): Promise<void> {
  expect(await program.client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: ROWS, processedItems: ROWS, successCount: ROWS, errorCount: 0 },
  });
  const { job } = await program.client.send(JobById, { id });
  expect(job?.partitions).toMatchObject([{ state: 'COMPLETED', attempt: attempts, readItems: ROWS }]);
}

describe('a sync whose process', () => {
  // A server notices a dead worker by its missing heartbeats, after 15 seconds.
  const kills = prepared.kind === 'server' ? 1 : 2;

  test(`is killed ${kills} times at a random moment goes on by itself from where it was, and loses and doubles nothing`, {
    timeout: 120_000,
  }, async () => {
    const place = await makePlace();
    let program = await start(place);
    const id = await startSync(program);
    for (let kill = 1; kill <= kills; kill++) {
      const least = randomInt(((kill - 1) * ROWS) / 4, (kill * ROWS) / 4);
      process.stdout.write(`Killing attempt ${kill} once it has read more than ${least} rows\n`);
      const before = await untilPartition(
        program,
        id,
        ({ attempt, readItems }) => attempt === kill && readItems > least,
      );
      await program.end('SIGKILL');
      program = await start(place);
      const after = await untilPartition(program, id, ({ attempt }) => attempt === kill + 1);
      expect(after.readItems).toBeGreaterThanOrEqual(before.readItems);
    }
    await expectCompleted(program, id, kills + 1);
    expect(await program.end('SIGTERM')).toEqual({ code: 0 });
    await expectEverythingOnce(place);
  });

  test('is told to stop hands its work back, and the next process goes on at once', {
    timeout: 120_000,
  }, async () => {
    const place = await makePlace();
    const first = await start(place);
    const id = await startSync(first);
    const before = await untilPartition(first, id, ({ readItems }) => readItems > randomInt(1, ROWS / 2));
    expect(await first.end('SIGTERM')).toEqual({ code: 0 });
    expect(first.lines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
    const startedAt = performance.now();
    const next = await start(place);
    const after = await untilPartition(next, id, ({ attempt }) => attempt === 2);
    expect(after.readItems).toBeGreaterThanOrEqual(before.readItems);
    // Far sooner than a dead worker is noticed.
    expect(performance.now() - startedAt).toBeLessThan(14_000);
    await expectCompleted(next, id, 2);
    expect(await next.end('SIGTERM')).toEqual({ code: 0 });
    await expectEverythingOnce(place);
  });
});
