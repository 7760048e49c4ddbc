import { setTimeout } from 'node:timers/promises';
import type { Pool } from 'pg';
import { createLeasedWriter, type PartitionLease } from '../database/partition-lease.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';

/**
 * Keeps the handle of an attempt's statements in the warehouse, so that the next attempt can end them if this process is killed.
 * @throws LeaseLostError
 */
export async function saveStatementHandle(pool: Pool, lease: PartitionLease, handle: string): Promise<void> {
  await createLeasedWriter(pool, lease).write(SAVE_HANDLE, [handle]);
}

/**
 * Ends statements that a killed process left in the warehouse, and waits some seconds for that: a warehouse that is out of reach
 * must not keep an attempt from saying so.
 */
export async function endStatements(warehouse: Warehouse, handle: string): Promise<void> {
  await Promise.race([
    // What cannot be ended ends by itself, when nobody reads it.
    warehouse.endStatements?.(handle).catch(() => {}),
    setTimeout(END_WAIT_MS, undefined, { ref: false }),
  ]);
}

const END_WAIT_MS = 5_000;

const SAVE_HANDLE = `update job_partition set statement_handle = $3
  where id = $1 and attempt = $2 and state = 'RUNNING' returning id`;
