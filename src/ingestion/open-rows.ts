import type { ReadOptions, RowBatch, Warehouse } from '../warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import { toChangeRange } from './change-plan.ts';
import { readFailedItems } from './failed-items.ts';
import type { ChangedRows, CheckedPlan, PartitionTask } from './partition-task.ts';

/** A plan that reads rows. */
export type RowPlan = Extract<CheckedPlan, { kind: 'STATEMENT' | 'FAILED_ITEMS' }>;

/** Opens the rows of a plan, behind the position of the attempt before if they have a stable order. */
export async function openRows(
  { pool, warehouse, task, signal }: Attempt,
  plan: RowPlan,
  isKnown: (fingerprint: string) => boolean,
): Promise<{ resumed: boolean; batches: AsyncIterable<RowBatch> }> {
  const withFingerprints = findReadSource(task) !== null;
  const options = {
    batchSize: task.batchSize,
    resumeAfter: task.position,
    withFingerprints,
    isKnown: withFingerprints ? isKnown : undefined,
    signal,
  };
  switch (plan.kind) {
    case 'FAILED_ITEMS': {
      const failed = { partitionId: plan.partitionId, retryJobId: task.jobId };
      return { resumed: true, batches: readFailedItems(pool, failed, options) };
    }
    case 'STATEMENT': {
      if (plan.changes !== undefined)
        return { resumed: false, batches: await openChanges(warehouse, plan, plan.changes, options) };
      const { resumed, batches } = await warehouse.readRows(plan.statement, {
        ...options,
        version: plan.version,
      });
      return { resumed: resumed && task.position !== null, batches };
    }
  }
}

async function openChanges(
  { history }: Warehouse,
  { statement, version }: Extract<CheckedPlan, { kind: 'STATEMENT' }>,
  changes: ChangedRows,
  options: ReadOptions,
): Promise<AsyncIterable<RowBatch>> {
  const [table] = statement.tables;
  if (history?.changes === undefined || table === undefined || version === null)
    throw new Error('changes of a table without a change feed were planned');
  const range = toChangeRange(changes, version);
  return (await history.changes.readChanges(table, range, options)).batches;
}

/**
 * Counts the rows of a statement that has not been counted, before its first batch is saved. A result that fits in one batch
 * needs no count, so a small statement runs once, and a large one starts before it is counted.
 */
export async function* countTotal(
  { warehouse, store, task, signal }: Attempt,
  plan: CheckedPlan,
  batches: AsyncIterable<RowBatch>,
): AsyncGenerator<RowBatch> {
  if (plan.kind !== 'STATEMENT' || plan.changes !== undefined || task.totalItems !== null)
    return yield* batches;
  let first: RowBatch | null = null;
  let isCounted = false;
  try {
    for await (const batch of batches) {
      if (!isCounted && first === null) {
        first = batch;
        continue;
      }
      if (first !== null) {
        await store.saveTotal(await warehouse.countRows(plan.statement, signal));
        isCounted = true;
        yield first;
        first = null;
      }
      yield batch;
    }
  } catch (error) {
    // What could be read is saved before the read fails.
    if (first !== null && !signal.aborted) yield first;
    throw error;
  }
  if (first !== null) yield first;
}

/** Loads the fingerprints of the batches that need not be read again. */
export async function loadFingerprints({ store, task }: Attempt): Promise<ReadonlySet<string>> {
  const dataSourceId = findReadSource(task);
  return dataSourceId === null ? new Set() : store.loadFingerprints(dataSourceId);
}

/** Returns the source whose rows are read, and will be read again by its next sync; null for none. */
function findReadSource({ dataSourceId, input }: PartitionTask): string | null {
  return input.kind === 'TABLE' ? dataSourceId : null;
}
