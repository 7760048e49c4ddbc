import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { expect } from 'vitest';
import { createDatabaseUrl, runOnServer } from './prepare-database.ts';
import { type Program, startProgram } from './program.ts';
import { writeQuery } from './tables.ts';

/** Processes that share a database, a warehouse and a catalog, as on several machines. */
export interface Cluster {
  /** For the test's own statements. */
  readonly pool: Pool;
  /** Every started process, in order. */
  readonly programs: readonly Program[];
  readonly catalogFolder: string;
  /** Replaces the table of sorties by an edition in which every row has changed. */
  writeEdition(edition: number): Promise<void>;
  /** Replaces the table of sorties by the rows of a DuckDB query. */
  writeRows(query: string): Promise<void>;
  /** Starts a process in one role or in both. */
  start(roles: 'api' | 'worker' | 'api,worker', settings?: Record<string, string>): Promise<Program>;
  /** Prints the last lines of each process's log. */
  showLogs(): void;
  close(): Promise<void>;
}

/**
 * @param server the URL of a PostgreSQL server, on which the cluster gets its own database.
 * @param rows of `blade.field.sortie`, from `S-00001`.
 * @param settings of all processes.
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
  const databaseUrl = createDatabaseUrl(server, name);
  const pool = new Pool({ connectionString: databaseUrl, max: 6 });
  pool.on('error', () => {}); // A test may end connections on purpose.
  const programs: Program[] = [];
  return {
    pool,
    programs,
    catalogFolder: join(folder, 'catalog'),
    writeEdition: (edition) => writeSorties(folder, rows, edition),
    writeRows: (query) => writeQuery(join(folder, 'warehouse'), 'sortie', query),
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

/** Kills a worker, notes it as dead, and starts another one in its place. */
export async function replaceWorker(
  cluster: Cluster,
  { workers, dead, index }: { workers: Program[]; dead: Program[]; index: number },
): Promise<void> {
  const [killed] = workers.splice(index, 1);
  if (killed === undefined) return;
  await killed.end('SIGKILL');
  dead.push(killed);
  workers.push(await cluster.start('worker'));
}

/** Writes this edition of the table. */
async function writeSorties(folder: string, rows: number, edition: number): Promise<void> {
  await writeQuery(
    join(folder, 'warehouse'),
    'sortie',
    `select 'S-' || lpad(i::varchar, 5, '0') as item_id, 'M-' || i as mission_id, ${edition} as edition
     from range(1, ${rows + 1}) as r(i)`,
  );
}

/** Lists the ids of the items of this many sorties. */
export function sortieIds(rows: number): string[] {
  return Array.from({ length: rows }, (_, row) => `S-${String(row + 1).padStart(5, '0')}`);
}

/** Lists the partitions that a process has claimed, in order, from its log. */
export function listClaims({ lines }: Program): string[] {
  return lines.flatMap((line) => {
    const id = /"partitionId":"([^"]+)".*"msg":"partition started"/.exec(line)?.[1];
    return id === undefined ? [] : [id];
  });
}

/** Expects that each row of the table became one uploaded item, and that the counts of job and partitions add up. */
export async function expectAllOnce({ pool }: Cluster, jobId: string, rows: number): Promise<void> {
  const items = await pool.query<{ itemId: string; isSettled: boolean }>(
    `select item_id as "itemId", uploaded_at is not null as "isSettled"
     from blade_item left join upload_batch on id = upload_batch_id order by item_id`,
  );
  expect(items.rows).toEqual(sortieIds(rows).map((itemId) => ({ itemId, isSettled: true })));
  const jobs = await pool.query(
    `select state::text, total_items::int as total, processed_items::int as processed,
       success_count::int as success, error_count::int as errors, failure_reason as reason from job where id = $1`,
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
