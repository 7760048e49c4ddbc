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
   * Runs a statement that returns one row while the lease is held, again if a deadlock rolled it back.
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

  return {
    async write(text, values) {
      for (let deadlocks = 0; ; ) {
        try {
          return await writeOn(pool, text, values);
        } catch (error) {
          if (!isDeadlock(error) || ++deadlocks > MAX_DEADLOCKS) throw error;
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
