import { WarehouseError } from '../warehouse.ts';

/** How long an interrupted statement may take to end, in milliseconds, before its process is killed. */
export const STOP_GRACE_MS = 1_000;

/** Creates the error of a statement for which the engine worked too long. */
export function createTimeoutError(timeoutMs: number): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The statement took longer than the ${timeoutMs / 1_000} seconds that one may take.`,
  );
}

/** Creates the error of a statement whose engine took too much memory. */
export function createMemoryError(memoryBytes: number): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The statement needs more than the ${Math.round(memoryBytes / MEGABYTE)} MB of memory that its engine may take (BLADE_WAREHOUSE_MEMORY_MB). Sort, rank, group or join fewer or shorter rows at once, shorten the largest cells of its tables, or raise the limit.`,
  );
}

/** Creates the error of a statement whose engine took too much temporary disk. */
export function createDiskError(diskBytes: number): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The statement needs more than the ${Math.round(diskBytes / MEGABYTE)} MB of temporary disk that its engine may take (BLADE_WAREHOUSE_DISK_MB). Sort, rank, group or join fewer or shorter rows at once.`,
  );
}

/** Creates the error of a statement that ended its engine. @param how the signal or the code of the end. */
export function createCrashError(how: string): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The statement crashed its engine (${how}). Simplify it, or check the files of its tables.`,
  );
}

/** Creates the error of a statement whose engine was ended by somebody else. */
export function createKilledError(how: string): WarehouseError {
  return new WarehouseError('INTERRUPTED', `The engine of the statement was ended from outside (${how}).`);
}

export const MEGABYTE = 1_000_000;
