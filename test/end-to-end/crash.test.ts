import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { Pool } from 'pg';
import { describe, expect, inject, vi } from 'vitest';
import { openDatabase } from '../../src/database/open-database.ts';
import type { JobByIdQuery } from '../generated/graphql.ts';
import type { ProgramPlace } from '../support/fixtures.ts';
import { JobById } from '../support/operations.ts';
import type { Program } from '../support/program.ts';
import { test as base } from '../support/slow-on-embedded.ts';
import { addSource, catalogContent, writeSorties } from '../support/tables.ts';

const ROWS = 6_000;
const BATCH_SIZE = 40;

const test = base
  /** Starts the program in the same place each time, on a table of sorties. */
  .extend('start', async ({ place, startProgram }) => {
    await writeSorties(join(place.folder, 'warehouse'), ROWS);
    const settings = { ...place.settings, BLADE_WORKER_THREADS: '1', BLADE_PROGRESS_INTERVAL_MS: '20' };
    return () => startProgram(settings);
  });

async function startSync(program: Program): Promise<string> {
  await addSource(program, { cursorColumn: 'updated_at' });
  return (await program.client.startSync({ syncType: 'FULL', options: { batchSize: BATCH_SIZE } })).id;
}

type Partition = NonNullable<JobByIdQuery['job']>['partitions']['nodes'][number];

/** Waits until the one partition of a job is as wanted. */
async function waitForPartition(
  { client }: Program,
  id: string,
  isWanted: (partition: Partition) => boolean,
): Promise<Partition> {
  return vi.waitFor(
    async () => {
      const { job } = await client.send(JobById, { id });
      expect(job?.state).toBe('RUNNING');
      const [partition] = job?.partitions.nodes ?? [];
      if (partition === undefined || !isWanted(partition)) throw new Error(JSON.stringify(partition));
      return partition;
    },
    { timeout: 40_000, interval: 10 },
  );
}

/** Expects each row of the table once in database and catalog, when no program runs. */
async function expectEverythingOnce({ folder, databaseUrl }: ProgramPlace): Promise<void> {
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
    expect(await catalogContent({ catalogFolder: join(folder, 'catalog') })).toEqual(
      new Map(rows.map(({ itemId, contentHash }) => [`BLADE-sortie-${itemId}`, contentHash])),
    );
  } finally {
    await pool.end();
    await database.close();
  }
}

async function expectCompleted(program: Program, id: string, attempts: number): Promise<void> {
  expect(await program.client.waitForEnd(id)).toMatchObject({
    state: 'COMPLETED',
    progress: {
      ...{ totalItems: ROWS, processedItems: ROWS, successCount: ROWS, errorCount: 0 },
      // Whatever was written twice is inserted once.
      ...{ insertedCount: ROWS, updatedCount: 0, unchangedCount: 0 },
    },
  });
  const { job } = await program.client.send(JobById, { id });
  expect(job?.partitions.nodes).toMatchObject([{ state: 'COMPLETED', attempt: attempts, readItems: ROWS }]);
}

describe('a sync whose process', () => {
  // On a server, a dead worker is noticed by its missing heartbeats after 15 seconds.
  const kills = inject('preparedDatabase').kind === 'server' ? 1 : 2;

  test(`is killed ${kills} times at a random moment resumes at its checkpoint, and loses and duplicates nothing`, {
    timeout: 300_000,
  }, async ({ place, start }) => {
    let program = await start();
    const id = await startSync(program);
    for (let kill = 1; kill <= kills; kill++) {
      const least = randomInt(((kill - 1) * ROWS) / 4, (kill * ROWS) / 4);
      process.stdout.write(`Killing attempt ${kill} once it has read more than ${least} rows\n`);
      const before = await waitForPartition(
        program,
        id,
        ({ attempt, readItems }) => attempt === kill && readItems > least,
      );
      await program.end('SIGKILL');
      program = await start();
      const after = await waitForPartition(program, id, ({ attempt }) => attempt === kill + 1);
      expect(after.readItems).toBeGreaterThanOrEqual(before.readItems);
    }
    await expectCompleted(program, id, kills + 1);
    expect(await program.end('SIGTERM')).toEqual({ code: 0 });
    await expectEverythingOnce(place);
  });

  test('is stopped hands its work back, and the next process continues at once', {
    timeout: 300_000,
  }, async ({ place, start }) => {
    const first = await start();
    const id = await startSync(first);
    const before = await waitForPartition(first, id, ({ readItems }) => readItems > randomInt(1, ROWS / 2));
    expect(await first.end('SIGTERM')).toEqual({ code: 0 });
    expect(first.lines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
    const startedAt = performance.now();
    const next = await start();
    const after = await waitForPartition(next, id, ({ attempt }) => attempt === 2);
    expect(after.readItems).toBeGreaterThanOrEqual(before.readItems);
    // Much sooner than a dead worker would be noticed.
    expect(performance.now() - startedAt).toBeLessThan(14_000);
    await expectCompleted(next, id, 2);
    expect(await next.end('SIGTERM')).toEqual({ code: 0 });
    await expectEverythingOnce(place);
  });
});
