import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { expect } from 'vitest';
import { readFolderCatalog } from './folder-catalog.ts';
import { SaveDataSource } from './operations.ts';
import { runOnServer, urlOfDatabase } from './prepare-database.ts';
import { type Program, startProgram } from './program.ts';
import { writeQuery } from './tables.ts';

/** Processes of the program that share a database, a warehouse and a catalog, as on several machines. */
export interface Cluster {
  /** For the test's own statements. */
  readonly pool: Pool;
  /** Every process that was started, in that order. */
  readonly programs: readonly Program[];
  readonly catalogFolder: string;
  /** Puts another edition of the table of sorties in its place: every row has changed. */
  writeEdition(edition: number): Promise<void>;
  /** Starts a process in one role, or in both. */
  start(roles: 'api' | 'worker' | 'api,worker', settings?: Record<string, string>): Promise<Program>;
  /** Writes out the last of what each process logged. */
  showLogs(): void;
  close(): Promise<void>;
}

/**
 * @param server a PostgreSQL server, on which the cluster has a database of its own.
 * @param rows how many sorties `blade.field.sortie` has, `S-00001` and so on.
 * @param settings of all processes, beside those of a test.
 */
export async function createCluster(
  server: string,
  rows: number,
  settings: Record<string, string> = {},
): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  await writeSorties(folder, rows, 1);
  const name = `blade_test_${randomBytes(6).toString('hex')}`;
  await runOnServer(server, `create database ${name}`);
  const databaseUrl = urlOfDatabase(server, name);
  const pool = new Pool({ connectionString: databaseUrl, max: 6 });
  pool.on('error', () => {}); // A test may end connections on purpose.
  const programs: Program[] = [];
  return {
    pool,
    programs,
    catalogFolder: join(folder, 'catalog'),
    writeEdition: (edition) => writeSorties(folder, rows, edition),
    async start(roles, ownSettings = {}) {
      const program = await startProgram({
        DATABASE_URL: databaseUrl,
        BLADE_ROLES: roles,
        BLADE_DATA_FOLDER: folder,
        BLADE_PROGRESS_INTERVAL_MS: '20',
        BLADE_WORKER_THREADS: '2',
        ...settings,
        ...ownSettings,
      });
      programs.push(program);
      return program;
    },
    showLogs() {
      programs.forEach(({ lines }, index) => {
        process.stdout.write(`--- Process ${index + 1}\n${lines.slice(-60).join('\n')}\n`);
      });
    },
    async close() {
      for (const program of programs) await program.end('SIGKILL');
      await pool.end();
      await runOnServer(server, `drop database ${name} with (force)`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The rows of the table are those of this edition. */
async function writeSorties(folder: string, rows: number, edition: number): Promise<void> {
  await writeQuery(
    join(folder, 'warehouse'),
    'sortie',
    `select 'S-' || lpad(i::varchar, 5, '0') as item_id, 'M-' || i as mission_id, ${edition} as edition
     from range(1, ${rows + 1}) as r(i)`,
  );
}

/** The ids of the items that `rows` sorties become. */
export function sortieIds(rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => `S-${String(row + 1).padStart(5, '0')}`);
}

/** Adds the source that reads the table of sorties. */
export async function addSorties({ client }: Program): Promise<void> {
  await client.send(SaveDataSource, {
    input: {
      name: 'Sorties',
      dataType: 'sortie',
      catalogName: 'blade',
      schemaName: 'field',
      tableName: 'sortie',
    },
  });
}

/** The partitions that a process has claimed, by what it logged, in that order. */
export function claimsOf({ lines }: Program): string[] {
  return lines.flatMap((line) => {
    const id = /"partitionId":"([^"]+)".*"msg":"partition started"/.exec(line)?.[1];
    return id === undefined ? [] : [id];
  });
}

/** What the catalog's folder holds: the content hash of each item by its id. */
export async function contentOfFolder(folder: string): Promise<Map<string, string>> {
  const content = new Map<string, string>();
  for await (const { itemId, contentHash } of readFolderCatalog(folder)) content.set(itemId, contentHash);
  return content;
}

/**
 * Looks at what a job that was disturbed has left: each row of the table became one item, which is uploaded, and the
 * counts of the job and of its partitions add up.
 */
export async function expectAllOnce({ pool }: Cluster, jobId: string, rows: number): Promise<void> {
  const items = await pool.query<{ itemId: string; isSettled: boolean }>(
    `select item_id as "itemId", uploaded_at is not null as "isSettled"
     from blade_item left join upload_batch on id = upload_batch_id order by item_id`,
  );
  expect(items.rows).toEqual(sortieIds(rows).map((itemId) => ({ itemId, isSettled: true })));
  const jobs = await pool.query(
    `select state::text, total_items as total, processed_items as processed, success_count as success,
       error_count as errors, failure_reason as reason from job where id = $1`,
    [jobId],
  );
  expect(jobs.rows).toEqual([
    { state: 'COMPLETED', total: rows, processed: rows, success: rows, errors: 0, reason: null },
  ]);
  const partitions = await pool.query(
    `select count(*) filter (where state <> 'COMPLETED')::int as open, sum(read_items)::int as read,
       sum(total_items)::int as total, sum(processed_items)::int as processed, sum(success_count)::int as success,
       sum(error_count)::int as errors
     from job_partition where job_id = $1`,
    [jobId],
  );
  expect(partitions.rows).toEqual([
    { open: 0, read: rows, total: rows, processed: rows, success: rows, errors: 0 },
  ]);
}
