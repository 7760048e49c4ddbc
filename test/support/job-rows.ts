import { v7 as newUuid } from 'uuid';
import type { TestDatabase } from './test-database.ts';

/** A job to write to the database; without these fields it is a query job that has ended. */
export interface JobRow {
  readonly id?: string;
  readonly kind?: 'SYNC' | 'QUERY';
  readonly state?: 'QUEUED' | 'RUNNING' | 'CANCELLING' | 'COMPLETED' | 'FAILED' | 'CANCELLED';
  readonly dataType?: string;
  readonly createdAt?: Date;
  /** Default: that of a job of which nothing is known, TOP SECRET. */
  readonly marking?: string;
}

/**
 * Writes a job that is in no queue, so that only the test changes it.
 * @returns its UUID.
 */
export async function insertJob({ pool }: TestDatabase, job: JobRow = {}): Promise<string> {
  const { kind = 'QUERY', state = 'COMPLETED', dataType = 'sortie', id = newUuid() } = job;
  const isTerminal = ['COMPLETED', 'FAILED', 'CANCELLED'].includes(state);
  await pool.query(
    `insert into job (id, kind, state, data_type, sync_type, sql_query, started_at, finished_at, total_items,
       failure_reason, created_at, outcome, marking)
     values ($1, $2::job_kind, $3::job_state, $4, $5::sync_type, $6, $7, $8, 0, $9, $10, $11::job_outcome, $12)`,
    [
      id,
      kind,
      state,
      dataType,
      kind === 'SYNC' ? 'FULL' : null,
      kind === 'SYNC' ? null : 'SELECT 1',
      state === 'QUEUED' ? null : new Date(),
      isTerminal ? new Date() : null,
      state === 'FAILED' ? 'its source was away' : null,
      job.createdAt ?? new Date(),
      findOutcome(state),
      job.marking ?? 'TOP SECRET',
    ],
  );
  return id;
}

function findOutcome(state: string): string | null {
  if (state === 'COMPLETED') return 'SUCCEEDED';
  return state === 'FAILED' ? 'NOTHING_SUCCEEDED' : null;
}

/**
 * Writes the next revision of a job.
 * @returns the number of the revision.
 */
export async function writeRevision({ pool }: TestDatabase, jobId: string): Promise<number> {
  const { rows } = await pool.query<{ revision: number }>(
    `update job set current_operation = 'Revision ' || revision + 1, updated_at = now() where id = $1 returning revision`,
    [jobId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no job ${jobId}`);
  return row.revision;
}

/** Moves a job to the next state. */
export async function moveJob(
  { pool }: TestDatabase,
  jobId: string,
  state: 'RUNNING' | 'COMPLETED' | 'CANCELLED',
): Promise<void> {
  await pool.query(
    state === 'RUNNING'
      ? `update job set state = 'RUNNING', started_at = now(), updated_at = now() where id = $1`
      : `update job set state = '${state}', outcome = ${state === 'COMPLETED' ? `'SUCCEEDED'` : 'null'}, finished_at = now(),
          updated_at = now() where id = $1`,
    [jobId],
  );
}

/**
 * Writes a partition of a job, with no counts.
 * @returns its UUID.
 */
export async function insertPartition(
  { pool }: TestDatabase,
  partition: { jobId: string; dataSourceId?: string; state?: 'RUNNING' | 'COMPLETED' },
): Promise<string> {
  const id = newUuid();
  const { jobId, dataSourceId = null, state = 'RUNNING' } = partition;
  await pool.query(
    `insert into job_partition (id, job_id, ordinal, state, data_type, data_source_id, source_name, finished_at)
     values ($1, $2, 0, $3::partition_state, 'sortie', $4, 'Sorties', $5)`,
    [id, jobId, state, dataSourceId, state === 'RUNNING' ? null : new Date()],
  );
  return id;
}
