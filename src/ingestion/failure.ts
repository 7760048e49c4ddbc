import { CatalogError } from '../catalog/catalog-error.ts';
import { LeaseLostError } from '../database/partition-lease.ts';
import { WarehouseError } from '../warehouse/warehouse.ts';
import { RowCountError } from './counted-read.ts';
import type { PartitionOutcome } from './partition-task.ts';
import { TooManyErrorsError } from './pipeline.ts';

/**
 * What an error means for the partition that met it: the one place that tells what may pass from what will not.
 * @param signal of the attempt: once it is aborted, errors follow from that.
 * @throws the error itself where nothing is known of it: the attempt is repeated, and the log has the error.
 */
export function outcomeOf(
  error: unknown,
  signal: AbortSignal,
): Exclude<PartitionOutcome, { status: 'COMPLETED' }> {
  if (error instanceof LeaseLostError) return { status: 'LEASE_LOST' };
  if (signal.aborted) return { status: 'STOPPED' };
  if (error instanceof TooManyErrorsError)
    return { status: 'FAILED', message: error.message, isReadError: false };
  if (error instanceof RowCountError)
    return { status: 'CHANGED', message: error.message, hasRowCounts: true };
  if (error instanceof CatalogError) return { status: 'INTERRUPTED', message: error.message };
  if (error instanceof WarehouseError) {
    switch (error.code) {
      case 'TABLE_NOT_FOUND':
      case 'STATEMENT_FAILED':
      // The warehouse has been asked again and again by then, as far as that makes sense.
      case 'UNAVAILABLE':
        return { status: 'FAILED', message: error.message, isReadError: true };
      case 'INTERRUPTED':
        return { status: 'INTERRUPTED', message: error.message };
      case 'CHANGED':
        return { status: 'CHANGED', message: error.message, hasRowCounts: false };
    }
  }
  throw error;
}
