import { CatalogError } from '../catalog/catalog-error.ts';
import { UnknownDataTypeError } from '../data-types/data-types.ts';
import { LeaseLostError } from '../database/partition-lease.ts';
import { isDiskFull } from '../shared/full-disk.ts';
import { WarehouseError } from '../warehouse/warehouse.ts';
import { SchemaChangedError } from './check-schema.ts';
import { RowCountError } from './counted-read.ts';
import type { PartitionOutcome } from './partition-task.ts';
import { TooManyErrorsError } from './pipeline.ts';
import { IncomparableCatalogError } from './repair-items.ts';
import { describeUnexpected, isIncurable } from './unexpected-error.ts';

/**
 * Converts an error to the outcome of an attempt: the only place that decides which errors are temporary.
 * @param signal the signal of the attempt; once it is aborted, errors are its consequence.
 * An unknown error is one of the program: the attempt is repeated unless that cannot help, and its stack is logged.
 */
export function toOutcome(
  error: unknown,
  signal: AbortSignal,
): Exclude<PartitionOutcome, { status: 'COMPLETED' }> {
  if (error instanceof LeaseLostError) return { status: 'LEASE_LOST' };
  if (signal.aborted) return { status: 'STOPPED' };
  if (isDiskFull(error)) return { status: 'NO_SPACE', message: describeFullDisk(error) };
  if (error instanceof TooManyErrorsError)
    return { status: 'FAILED', message: error.message, isReadError: false };
  if (error instanceof IncomparableCatalogError)
    return { status: 'FAILED', message: error.message, isReadError: false, isGeneral: true };
  if (error instanceof SchemaChangedError)
    return { status: 'FAILED', message: error.message, isReadError: true, schema: error.found };
  if (error instanceof RowCountError)
    return { status: 'CHANGED', message: error.message, hasRowCounts: true };
  // Another worker may have it, or this one after its next start.
  if (error instanceof UnknownDataTypeError) return { status: 'INTERRUPTED', message: error.message };
  if (error instanceof CatalogError) return { status: 'INTERRUPTED', message: error.message };
  if (error instanceof WarehouseError) {
    switch (error.code) {
      case 'TABLE_NOT_FOUND':
      case 'STATEMENT_FAILED':
      // By then the warehouse has been retried as far as that makes sense.
      case 'UNAVAILABLE':
        return { status: 'FAILED', message: error.message, isReadError: true };
      case 'INTERRUPTED':
        return { status: 'INTERRUPTED', message: error.message };
      case 'CHANGES_GONE':
        return { status: 'CHANGED', message: error.message, hasRowCounts: false, isFeedGone: true };
      case 'CHANGED':
        return { status: 'CHANGED', message: error.message, hasRowCounts: false };
    }
  }
  const fault = {
    message: describeUnexpected(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
  return isIncurable(error)
    ? { status: 'FAILED', isReadError: false, ...fault }
    : { status: 'INTERRUPTED', ...fault };
}

function describeFullDisk(error: unknown): string {
  if (error instanceof CatalogError) return 'the disk of the catalog is full';
  return error instanceof WarehouseError
    ? 'the disk of temporary files is full'
    : 'the disk of the database is full';
}
