import type { Pool } from 'pg';
import { hasCode, isDeadlock } from './database-error.ts';

/** The right to write for a partition: held by the attempt that claimed it last, and by no other. */
export interface PartitionLease {
  readonly jobId: string;
  readonly partitionId: string;
  readonly attempt: number;
}

/** Another attempt has taken the partition over, or it has ended: nothing was written, and nothing may be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(lease: PartitionLease) {
    super(`attempt ${lease.attempt} of partition ${lease.partitionId} is not the current one any more`);
  }
}

/** Writes of one attempt: each is one statement, whose first two parameters are the lease. */
export interface LeasedWriter {
  /**
   * Runs a statement that gives one row where the lease is held; again where a deadlock undid it.
   * @throws LeaseLostError
   */
  write<Result>(text: string, values: readonly unknown[]): Promise<Result>;
  /** The same once, on a connection with a transaction of its own. */
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

// Gives no row to an attempt that is not the current one: whatever joins with it then writes nothing.
export const LEASE = `lease as materialized (
  select id, job_id from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'
)`;

// Written with the counts, at the end of a statement: a claim that came while it ran makes all of it fail. Checking
// there, and not by a lock at the start, lets the saving and the marking of one partition overlap.
export const HELD = `attempt = case when p.attempt = $2 and p.state = 'RUNNING' then p.attempt else blade_lease_lost() end`;

/** Raised by the function blade_lease_lost() of the database. */
const LEASE_LOST = 'BL001';

/** How often a statement is repeated that a deadlock undid: its lock order follows the plan that the database chose. */
const MAX_DEADLOCKS = 10;
