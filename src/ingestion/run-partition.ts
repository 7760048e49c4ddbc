import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Catalog } from '../catalog/catalog.ts';
import { findDataType } from '../data-types/registry.ts';
import { createItemStore, type ItemStore } from '../items/item-store.ts';
import {
  countItemsByLevel,
  differenceOfCounts,
  leastOfCounts,
  NO_COUNTS,
  totalOf,
} from '../items/level-counts.ts';
import type { MarkingRule } from '../items/marking-rule.ts';
import type { RowBatch, Warehouse } from '../warehouse/warehouse.ts';
import { createBatchFingerprint } from './batch-fingerprint.ts';
import { canonicalJson } from './canonical-json.ts';
import { countRead } from './counted-read.ts';
import { countFailedItems, readFailedItems } from './failed-items.ts';
import { outcomeOf } from './failure.ts';
import { planPartition } from './partition-plan.ts';
import type {
  PartitionOutcome,
  PartitionPlan,
  PartitionProgress,
  PartitionTask,
  PlanOutcome,
} from './partition-task.ts';
import { runPipeline } from './pipeline.ts';
import { createStageMeter, type Measurements, type StageMeter } from './stage-meter.ts';
import { createTransform, type TransformOptions } from './transform.ts';
import { MAX_ROUNDS, type Uploader, uploadBatch } from './upload.ts';
import { showWaiting } from './waiting.ts';

/** What a worker thread has open for every partition that it runs. */
export interface PartitionResources {
  readonly pool: Pool;
  readonly warehouse: Warehouse;
  readonly catalog: Catalog;
}

/** What an attempt tells while it works. */
export interface PartitionReports {
  readonly onProgress: (progress: PartitionProgress) => void;
  /** Told beside the progress and at the end: all of it together is what the attempt did. */
  readonly onMeasured: (measurements: Measurements) => void;
}

/** How long uploads of what is saved already may go on after a stop, in milliseconds. */
const UPLOAD_GRACE_MS = 5_000;

/** How long a statement may take to end once it was interrupted, in milliseconds: a warehouse may be out of reach. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Runs one attempt of a partition to its end.
 * @param open gives what the thread has open, or throws where that cannot be opened.
 * @param signal stops it: the statement in the warehouse is interrupted, what was read is saved and uploaded.
 * @throws what is neither the source's fault nor the items': the attempt can be repeated from its checkpoint.
 */
export async function runPartition(
  open: () => Promise<PartitionResources>,
  task: PartitionTask,
  { onProgress, onMeasured }: PartitionReports,
  signal: AbortSignal,
): Promise<PartitionOutcome> {
  const uploads = uploadsUntil(signal);
  const ended = new AbortController();
  const meter = createStageMeter();
  const tellMeasured = () => {
    const measured = meter.take();
    if (measured !== null) onMeasured(measured);
  };
  try {
    const resources = await open();
    let sequence = 0;
    const attempt: Attempt = {
      ...resources,
      ...showWaiting(resources.warehouse, (progress) => {
        onProgress(progress);
        tellMeasured();
      }),
      task,
      meter,
      catalog: meter.catalog(resources.catalog),
      store: meter.store(createItemStore(resources.pool, task, meter.refused)),
      signal: AbortSignal.any([signal, ended.signal]),
      endReading: () => ended.abort(),
      uploadSignal: uploads.signal,
      nextUploadKey: () => `${task.partitionId}-${task.attempt}-${sequence++}`,
    };
    const { plan } = task;
    if (plan === null) throw new Error('a partition has to be planned before it runs');
    await ingest(attempt, plan);
    if (signal.aborted) return { status: 'STOPPED' };
    return { status: 'COMPLETED', watermark: plan.kind === 'STATEMENT' ? plan.watermark : null };
  } catch (error) {
    return outcomeOf(error, signal);
  } finally {
    uploads.end();
    tellMeasured();
  }
}

/** Decides what a partition reads, and whether it is read in several partitions. */
export async function planTask(
  open: () => Promise<PartitionResources>,
  task: PartitionTask,
  { onProgress }: Pick<PartitionReports, 'onProgress'>,
  signal: AbortSignal,
): Promise<PlanOutcome> {
  try {
    const resources = await open();
    const { pool } = resources;
    const { warehouse, onProgress: show } = showWaiting(resources.warehouse, onProgress);
    show({ currentOperation: `Counting rows of ${task.sourceName}` });
    switch (task.input.kind) {
      case 'FAILED_ITEMS': {
        const { partitionId } = task.input;
        const totalItems = await countFailedItems(pool, partitionId);
        return {
          status: 'PLANNED',
          partitions: [{ plan: { kind: 'FAILED_ITEMS', partitionId }, totalItems }],
        };
      }
      case 'TABLE':
        return { status: 'PLANNED', partitions: await planPartition({ warehouse, signal }, task.input) };
      case 'QUERY':
        throw new Error('what a query reads needs no plan');
    }
  } catch (error) {
    return outcomeOf(error, signal);
  }
}

interface Attempt extends PartitionResources {
  readonly task: PartitionTask;
  readonly meter: StageMeter;
  readonly store: ItemStore;
  readonly onProgress: (progress: PartitionProgress) => void;
  /** Aborted by a stop and by the end of the attempt. */
  readonly signal: AbortSignal;
  /** Interrupts the statement in the warehouse. */
  readonly endReading: () => void;
  readonly uploadSignal: AbortSignal;
  /** Names the next batch in the catalog: no two of all attempts have the same name. */
  readonly nextUploadKey: () => string;
}

async function ingest(attempt: Attempt, plan: PartitionPlan): Promise<void> {
  const { task, store, signal } = attempt;
  const { resumed, batches } = await openRows(attempt, plan);
  if (task.attempt > 1) {
    if (!resumed) await store.startOver();
    await settleEarlierAttempts(attempt, resumed);
  }

  const currentOperation = operationOf(task);
  attempt.onProgress({
    currentOperation: task.input.kind === 'QUERY' ? 'Executing query' : currentOperation,
  });
  const transform = transformOf(task);
  const known = await knownFingerprints(attempt);
  const read = countRead({
    batches: counted(attempt, plan, batches),
    rowsBefore: resumed ? totalOf(task.read) : 0,
    plannedRows: plan.kind === 'STATEMENT' ? plan.rowCount : null,
    signal,
  });
  try {
    const owes = await runPipeline({
      batches: attempt.meter.batches(read.batches),
      transform: createTransform(transform),
      fingerprintOf: createBatchFingerprint(transform),
      known,
      meter: attempt.meter,
      ...uploaderOf(attempt),
      dataSourceId: task.dataSourceId,
      markingRule: markingRuleOf(task),
      metadata: canonicalJson(task.sourceMetadata),
      maxErrors: task.maxErrors,
      errorCount: resumed ? totalOf(task.errors) : 0,
      onProgress: () => attempt.onProgress({ currentOperation }),
    });
    if (owes) await uploadAgain(attempt);
    // After the uploads: what could be read of a source that fails is kept.
    read.checkEnd();
  } finally {
    // Where the saving or the uploading failed the statement still runs, and a thread that is ended under it takes the
    // whole process with it.
    attempt.endReading();
    await Promise.race([read.close(), wait(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

function operationOf(task: PartitionTask): string {
  switch (task.input.kind) {
    case 'TABLE':
      return `Syncing ${task.dataType} data from ${task.sourceName}`;
    case 'QUERY':
      return 'Processing query results';
    case 'FAILED_ITEMS':
      return `Retrying failed ${task.dataType} items`;
  }
}

/** The source whose rows are read, which come again with its next sync; null where none is. */
function sourceReadBy({ dataSourceId, input }: PartitionTask): string | null {
  return input.kind === 'TABLE' ? dataSourceId : null;
}

async function knownFingerprints({ store, task }: Attempt): Promise<ReadonlySet<string>> {
  const dataSourceId = sourceReadBy(task);
  return dataSourceId === null ? new Set() : store.knownFingerprints(dataSourceId);
}

function transformOf({
  dataType: name,
  sourceMetadata,
  hashedMetadata,
  query,
}: PartitionTask): TransformOptions {
  const dataType = findDataType(name);
  if (dataType === undefined) throw new Error(`there is no data type ${name}`);
  return {
    ...{ dataType, sourceMetadata, hashedMetadata },
    ...(query === null ? {} : { leastMarking: query.marking, extraMetadata: query.metadata }),
  };
}

function markingRuleOf({ query, input }: PartitionTask): MarkingRule {
  if (query !== null) return { kind: 'QUERY_JOB', ...query, metadata: canonicalJson(query.metadata) };
  return { kind: input.kind === 'TABLE' ? 'SOURCE' : 'KEPT_ROWS' };
}

async function openRows(
  { pool, warehouse, task, signal }: Attempt,
  plan: PartitionPlan,
): Promise<{ resumed: boolean; batches: AsyncIterable<RowBatch> }> {
  const options = {
    batchSize: task.batchSize,
    resumeAfter: task.position,
    withFingerprints: sourceReadBy(task) !== null,
    signal,
  };
  switch (plan.kind) {
    case 'FAILED_ITEMS': {
      const failed = { partitionId: plan.partitionId, retryJobId: task.jobId };
      return { resumed: true, batches: readFailedItems(pool, failed, options) };
    }
    case 'STATEMENT': {
      const { resumed, batches } = await warehouse.readRows(plan.statement, options);
      return { resumed: resumed && task.position !== null, batches };
    }
  }
}

/**
 * Counts the rows of a statement before its first batch is kept, where nobody has counted them yet. What fits in one batch
 * is all there is, so that a small statement runs once and a large one is not counted before it has begun.
 */
async function* counted(
  { warehouse, store, task, signal }: Attempt,
  plan: PartitionPlan,
  batches: AsyncIterable<RowBatch>,
): AsyncGenerator<RowBatch> {
  if (plan.kind !== 'STATEMENT' || task.totalItems !== null) return yield* batches;
  let isFirst = true;
  for await (const batch of batches) {
    if (isFirst && batch.size === task.batchSize) {
      await store.expect(await warehouse.countRows(plan.statement, signal));
    }
    isFirst = false;
    yield batch;
  }
}

/**
 * Uploads what earlier attempts saved and did not upload. A resumed attempt counts the rows that they still owed;
 * another one reads these rows again.
 */
async function settleEarlierAttempts(attempt: Attempt, resumed: boolean): Promise<void> {
  const { task, store } = attempt;
  attempt.onProgress({ currentOperation: 'Uploading what an earlier attempt saved' });
  if (!resumed) return uploadAgain(attempt);
  let owed = differenceOfCounts(differenceOfCounts(task.read, task.success), task.errors);
  for (const id of await store.pendingBatches()) {
    const items = await store.itemsOfBatch(id);
    // A batch that is owed because another job changed its items was counted before.
    const counted = leastOfCounts(owed, countItemsByLevel(items));
    owed = differenceOfCounts(owed, counted);
    await uploadBatch(uploaderOf(attempt), { id, items, readBatch: null }, ({ rejected }) => ({
      success: differenceOfCounts(counted, countItemsByLevel(rejected.map(({ item }) => item))),
      keepsRejections: true,
    }));
  }
  // The items of these rows have become another job's to upload.
  if (totalOf(owed) > 0) await store.countSuccess(owed);
  await uploadAgain(attempt);
}

/** The catalog gets the content that the store has now of items that it may hold with another. */
async function uploadAgain(attempt: Attempt): Promise<void> {
  const { store } = attempt;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const ids = await store.pendingBatches();
    if (ids.length === 0) return;
    for (const id of ids) {
      const items = await store.itemsOfBatch(id);
      // Their rows have been counted. A rejected one stays without an upload time, and the next sync takes it up.
      await uploadBatch(uploaderOf(attempt), { id, items, readBatch: null }, () => ({
        success: NO_COUNTS,
        keepsRejections: false,
      }));
    }
  }
}

function uploaderOf({ task, store, catalog, nextUploadKey, uploadSignal }: Attempt): Uploader {
  return { store, catalog, dataType: task.dataType, nextUploadKey, uploadSignal };
}

function uploadsUntil(signal: AbortSignal): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    timer = setTimeout(() => controller.abort(signal.reason), UPLOAD_GRACE_MS);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return {
    signal: controller.signal,
    end: () => {
      signal.removeEventListener('abort', stop);
      clearTimeout(timer);
    },
  };
}
