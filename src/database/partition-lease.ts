import type { Pool } from 'pg';
import { hasCode, isDeadlock } from './database-error.ts';

/** The right to write for a partition. Only the attempt that claimed it last holds it. */
export interface PartitionLease {
  readonly jobId: string;
  readonly partitionId: string;
  readonly attempt: number;
}

/** Another attempt has claimed the partition, or it has ended: nothing was written, and nothing may be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(lease: PartitionLease) {
    super(`attempt ${lease.attempt} no longer holds the lease of partition ${lease.partitionId}`);
  }
}

/** Writes for one attempt. Each write is one statement, whose first two parameters are the lease. */
export interface LeasedWriter {
  /**
   * Runs a statement that returns one row while the lease is held, again if a deadlock rolled it back. The log of the job
   * records that together with what the statement writes.
   * @throws LeaseLostError
   */
  write<Result>(text: string, values: readonly unknown[]): Promise<Result>;
  /** Runs such a statement once, on a connection with its own transaction. */
  writeOn<Result>(connection: Pick<Pool, 'query'>, text: string, values: readonly unknown[]): Promise<Result>;
}

export function createLeasedWriter(pool: Pool, lease: PartitionLease): LeasedWriter {
  async function writeOn<Result>(
    connection: Pick<Pool, 'query'>,
    text: string,
    values: readonly unknown[],
  ): Promise<Result> {
    try {
      const { rows } = await connection.query(text, [lease.partitionId, lease.attempt, ...values]);
      const [row] = rows;
      if (row === undefined) throw new LeaseLostError(lease);
      return row as Result;
    } catch (error) {
      throw hasCode(error) && error.code === LEASE_LOST ? new LeaseLostError(lease) : error;
    }
  }

  /** @param attempt the number of this one, from 2. */
  async function writeAgain<Result>(
    text: string,
    values: readonly unknown[],
    attempt: number,
  ): Promise<Result> {
    const client = await pool.connect();
    // Without a listener, a lost connection would end the thread. The running statement rejects in any case.
    const ignore = () => {};
    client.on('error', ignore);
    let end = 'rollback';
    try {
      await client.query('begin');
      // Before the partition, whose job everyone else locks first, too.
      await client.query(ADD_RETRY, [lease.jobId, lease.partitionId, RETRY_REASON, { attempt }]);
      const result = await writeOn<Result>(client, text, values);
      end = 'commit';
      return result;
    } finally {
      await client.query(end).then(
        () => client.release(),
        (error) => {
          client.release(error);
          if (end === 'commit') throw error;
        },
      );
      client.off('error', ignore);
    }
  }

  return {
    async write(text, values) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await (attempt === 1 ? writeOn(pool, text, values) : writeAgain(text, values, attempt));
        } catch (error) {
          if (!isDeadlock(error) || attempt > MAX_DEADLOCKS) throw error;
        }
      }
    },
    writeOn,
  };
}

// Returns no row to an attempt without the lease, so that whatever joins with it writes nothing. The lock only keeps the
// partition from being deleted before the statement ends.
export const LEASE = `lease as materialized (
  select id, job_id from job_partition where id = $1 and attempt = $2 and state = 'RUNNING' for key share
)`;

// Checked with the counts at the end of a statement, so that a claim in the meantime makes all of it fail. A lock at the
// start would keep the saving and the marking of one partition from overlapping.
export const HELD = `attempt = case when p.attempt = $2 and p.state = 'RUNNING' then p.attempt else blade_lease_lost() end`;

/** Raised by the function blade_lease_lost() of the database. */
const LEASE_LOST = 'BL001';

/** How often a statement is repeated after a deadlock. Its lock order depends on the plan that the database chose. */
const MAX_DEADLOCKS = 10;

const RETRY_REASON = 'another transaction changed the same rows in another order';

// As what is about one of several partitions of a source: see the trigger "job_partition_events".
const ADD_RETRY = `select blade_add_job_event($1, 'BATCH_RETRIED', p.source_name, reason => $3, data => $4, marking => 'TOP SECRET')
from job_partition p where p.id = $2`;
