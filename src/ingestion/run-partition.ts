import { setTimeout as wait } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Catalog } from '../catalog/catalog.ts';
import { type DataTypes, UnknownDataTypeError } from '../data-types/data-types.ts';
import { countExpected } from '../items/compared-items.ts';
import { createItemStore, type ItemStore } from '../items/item-store.ts';
import {
  countItemsByLevel,
  NO_COUNTS,
  subtractCounts,
  sumLevels,
  takeLesserCounts,
} from '../items/level-counts.ts';
import type { MarkingRule } from '../items/marking-rule.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { parseStatement } from '../sql-check/checked-statement.ts';
import type { RowBatch, Warehouse } from '../warehouse/warehouse.ts';
import { createBatchFingerprint } from './batch-fingerprint.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { countRead } from './counted-read.ts';
import { countFailedItems, readFailedItems } from './failed-items.ts';
import { toOutcome } from './failure.ts';
import { createKeptUploads } from './kept-uploads.ts';
import { planPartition } from './partition-plan.ts';
import type {
  CheckedPlan,
  PartitionOutcome,
  PartitionPlan,
  PartitionProgress,
  PartitionTask,
  PlanOutcome,
} from './partition-task.ts';
import { runPipeline } from './pipeline.ts';
import { repairItems } from './repair-items.ts';
import { createStageMeter, type StageMeter } from './stage-meter.ts';
import { createTransform, type TransformOptions } from './transform.ts';
import { MAX_ROUNDS, type Uploader, uploadBatch } from './upload.ts';
import { type OnOperation, showWaiting } from './waiting.ts';

/** What a worker thread opens once, for every partition that it runs. */
export interface PartitionResources {
  readonly pool: Pool;
  readonly warehouse: Warehouse;
  /** The schemas of the warehouse whose tables may be read. */
  readonly allowedSchemas: readonly SchemaPattern[];
  readonly catalog: Catalog;
  /** The kind of catalog. */
  readonly catalogName: string;
  readonly dataTypes: DataTypes;
}

/** How long uploads of saved items may continue after a stop, in milliseconds. */
const UPLOAD_GRACE_MS = 5_000;

/** How long a statement may take to end once it was interrupted, in milliseconds: a warehouse may be out of reach. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Runs one attempt of a partition to its end.
 * @param open returns the resources of the thread, or throws if they cannot be opened.
 * @param planned the plan that was just made; null for the stored one of the task, which is checked.
 * @param report is called after each batch and at the end; the measurements add up to the whole attempt.
 * @param signal stops it: the statement in the warehouse is interrupted; what was read is saved and uploaded.
 * @throws errors of neither the source nor the items; a new attempt can resume at the checkpoint.
 */
export async function runPartition(
  open: () => Promise<PartitionResources>,
  task: PartitionTask,
  planned: CheckedPlan | null,
  report: (progress: PartitionProgress) => void,
  signal: AbortSignal,
): Promise<PartitionOutcome> {
  const uploads = createUploadSignal(signal);
  const ended = new AbortController();
  const meter = createStageMeter();
  try {
    const resources = await open();
    let sequence = 0;
    let hasRejections = false;
    const attempt: Attempt = {
      ...resources,
      ...showWaiting(resources.warehouse, (currentOperation) =>
        report({ currentOperation, measurements: meter.take() }),
      ),
      task,
      meter,
      catalog: meter.catalog(resources.catalog),
      store: meter.store(createItemStore(resources.pool, task, meter.countRefused)),
      signal: AbortSignal.any([signal, ended.signal]),
      endReading: () => ended.abort(),
      uploadSignal: uploads.signal,
      nextUploadKey: () => `${task.partitionId}-${task.attempt}-${sequence++}`,
      generation: () => kept.generation(),
      onUploaded(key, { rejected }) {
        kept.onUploaded(key);
        hasRejections ||= rejected.length > 0;
      },
    };
    const kept = createKeptUploads({
      ...{ catalog: attempt.catalog, catalogName: attempt.catalogName, store: attempt.store, signal },
      createUploader: (dataType) => ({ ...createUploader(attempt), dataType }),
      uploadPending: () => uploadPending(attempt),
      // A query job uploads all of its rows, changed or not.
      verifiesAll: task.query === null,
      isRepair: task.input.kind === 'CATALOG',
      // Each partition of a repair counts what it restores.
      dataType: task.input.kind === 'CATALOG' ? task.dataType : null,
      onRestoring: () => attempt.onOperation('Uploading again what the catalog lost'),
    });
    const plan = planned ?? checkPlan(task.plan, resources.allowedSchemas);
    await kept.begin();
    await (plan.kind === 'CATALOG' ? repair(attempt) : ingest(attempt, plan));
    if (!signal.aborted) await kept.end(hasRejections);
    if (signal.aborted) return { status: 'STOPPED' };
    return { status: 'COMPLETED', watermark: plan.kind === 'STATEMENT' ? plan.watermark : null };
  } catch (error) {
    return toOutcome(error, signal);
  } finally {
    uploads.end();
    report({ currentOperation: null, measurements: meter.take() });
  }
}

/** @throws WarehouseError STATEMENT_FAILED if the statement is refused. */
function checkPlan(plan: PartitionPlan | null, allowedSchemas: readonly SchemaPattern[]): CheckedPlan {
  if (plan === null) throw new Error('a partition must be planned before it runs');
  if (plan.kind !== 'STATEMENT') return plan;
  return { ...plan, statement: parseStatement(plan.statement, allowedSchemas) };
}

/** Plans what a partition reads, and whether it is split. */
export async function planTask(
  open: () => Promise<PartitionResources>,
  task: PartitionTask,
  report: (progress: PartitionProgress) => void,
  signal: AbortSignal,
): Promise<PlanOutcome<CheckedPlan>> {
  try {
    const resources = await open();
    const { pool } = resources;
    const { warehouse, onOperation } = showWaiting(resources.warehouse, (currentOperation) =>
      report({ currentOperation, measurements: null }),
    );
    onOperation(`Counting rows of ${task.sourceName}`);
    switch (task.input.kind) {
      case 'FAILED_ITEMS': {
        const { partitionId } = task.input;
        const totalItems = await countFailedItems(pool, partitionId);
        return {
          status: 'PLANNED',
          partitions: [{ plan: { kind: 'FAILED_ITEMS', partitionId }, totalItems }],
        };
      }
      case 'CATALOG': {
        const totalItems = await countExpected(pool, task.dataType);
        return { status: 'PLANNED', partitions: [{ plan: { kind: 'CATALOG' }, totalItems }] };
      }
      case 'TABLE':
        return {
          status: 'PLANNED',
          partitions: await planPartition({ ...resources, warehouse, signal }, task.input),
        };
      case 'QUERY':
        throw new Error('a query job needs no plan');
    }
  } catch (error) {
    return toOutcome(error, signal);
  }
}

interface Attempt extends PartitionResources, Pick<Uploader, 'generation' | 'onUploaded'> {
  readonly task: PartitionTask;
  readonly meter: StageMeter;
  readonly store: ItemStore;
  readonly onOperation: OnOperation;
  /** Aborted when the attempt is stopped or has ended. */
  readonly signal: AbortSignal;
  /** Interrupts the statement in the warehouse. */
  readonly endReading: () => void;
  readonly uploadSignal: AbortSignal;
  /** Returns the key of the next batch in the catalog, unique across attempts. */
  readonly nextUploadKey: () => string;
}

/** Restores the items that the catalog does not have as the store does. */
async function repair(attempt: Attempt): Promise<void> {
  const { task, catalog, store, signal, onOperation } = attempt;
  if (task.attempt > 1) await settleEarlierAttempts(attempt, true);
  await repairItems({
    ...{ catalog, store, signal, onOperation },
    ...{ dataType: task.dataType, batchSize: task.batchSize },
    resumeAfter: typeof task.position === 'string' ? task.position : null,
    createUploader: () => createUploader(attempt),
  });
  await uploadPending(attempt);
}

type RowPlan = Exclude<CheckedPlan, { kind: 'CATALOG' }>;

async function ingest(attempt: Attempt, plan: RowPlan): Promise<void> {
  const { task, store, signal } = attempt;
  const transform = createTransformOptions(attempt);
  const { resumed, batches } = await openRows(attempt, plan);
  if (task.attempt > 1) {
    if (!resumed) await store.startOver();
    await settleEarlierAttempts(attempt, resumed);
  }

  const currentOperation = describeOperation(task);
  attempt.onOperation(task.input.kind === 'QUERY' ? 'Executing query' : currentOperation);
  const knownFingerprints = await loadFingerprints(attempt);
  const read = countRead({
    batches: countTotal(attempt, plan, batches),
    rowsBefore: resumed ? sumLevels(task.read) : 0,
    plannedRows: plan.kind === 'STATEMENT' ? plan.rowCount : null,
    signal,
  });
  try {
    const hasPending = await runPipeline({
      batches: attempt.meter.batches(read.batches),
      transform: createTransform(transform),
      toFingerprint: createBatchFingerprint(transform),
      knownFingerprints,
      meter: attempt.meter,
      ...createUploader(attempt),
      dataSourceId: task.dataSourceId,
      markingRule: toMarkingRule(task),
      defaultMarking: transform.dataType.defaultMarking,
      metadata: toCanonicalJson(task.sourceMetadata),
      maxErrors: task.maxErrors,
      errorCount: resumed ? sumLevels(task.errors) : 0,
      onProgress: () => attempt.onOperation(currentOperation),
    });
    if (hasPending) await uploadPending(attempt);
    // After the uploads, so that what could be read of a failing source is kept.
    read.checkEnd();
  } finally {
    // If saving or uploading failed, the statement still runs. A thread that ends under a running statement takes the whole
    // process down.
    attempt.endReading();
    await Promise.race([read.close(), wait(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

function describeOperation(task: PartitionTask): string {
  switch (task.input.kind) {
    case 'TABLE':
      return `Syncing ${task.dataType} data from ${task.sourceName}`;
    case 'QUERY':
      return 'Processing query results';
    case 'CATALOG':
      return `Comparing ${task.dataType} items with the catalog`;
    case 'FAILED_ITEMS':
      return `Retrying failed ${task.dataType} items`;
  }
}

/** Returns the source whose rows are read, and will be read again by its next sync; null for none. */
function findReadSource({ dataSourceId, input }: PartitionTask): string | null {
  return input.kind === 'TABLE' ? dataSourceId : null;
}

async function loadFingerprints({ store, task }: Attempt): Promise<ReadonlySet<string>> {
  const dataSourceId = findReadSource(task);
  return dataSourceId === null ? new Set() : store.loadFingerprints(dataSourceId);
}

/** @throws UnknownDataTypeError if this process does not have the data type. */
function createTransformOptions({ task, dataTypes }: Attempt): TransformOptions {
  const { sourceMetadata, hashedMetadata, query } = task;
  const dataType = dataTypes.find(task.dataType);
  if (dataType === undefined) throw new UnknownDataTypeError(task.dataType);
  return {
    ...{ dataType, sourceMetadata, hashedMetadata },
    ...(query === null ? {} : { lowestMarking: query.marking, extraMetadata: query.metadata }),
  };
}

function toMarkingRule({ query, input }: PartitionTask): MarkingRule {
  if (query !== null) return { kind: 'QUERY_JOB', ...query, metadata: toCanonicalJson(query.metadata) };
  return { kind: input.kind === 'TABLE' ? 'SOURCE' : 'KEPT_ROWS' };
}

async function openRows(
  { pool, warehouse, task, signal }: Attempt,
  plan: RowPlan,
): Promise<{ resumed: boolean; batches: AsyncIterable<RowBatch> }> {
  const options = {
    batchSize: task.batchSize,
    resumeAfter: task.position,
    withFingerprints: findReadSource(task) !== null,
    signal,
  };
  switch (plan.kind) {
    case 'FAILED_ITEMS': {
      const failed = { partitionId: plan.partitionId, retryJobId: task.jobId };
      return { resumed: true, batches: readFailedItems(pool, failed, options) };
    }
    case 'STATEMENT': {
      const { resumed, batches } = await warehouse.readRows(plan.statement, {
        ...options,
        version: plan.version,
      });
      return { resumed: resumed && task.position !== null, batches };
    }
  }
}

/**
 * Counts the rows of a statement that has not been counted, before its first batch is saved. A result that fits in one batch
 * needs no count, so a small statement runs once, and a large one starts before it is counted.
 */
async function* countTotal(
  { warehouse, store, task, signal }: Attempt,
  plan: CheckedPlan,
  batches: AsyncIterable<RowBatch>,
): AsyncGenerator<RowBatch> {
  if (plan.kind !== 'STATEMENT' || task.totalItems !== null) return yield* batches;
  let isFirst = true;
  for await (const batch of batches) {
    if (isFirst && batch.size === task.batchSize) {
      await store.saveTotal(await warehouse.countRows(plan.statement, signal));
    }
    isFirst = false;
    yield batch;
  }
}

/**
 * Uploads what earlier attempts saved but did not upload. A resumed attempt also counts these rows; any other attempt reads
 * them again.
 */
async function settleEarlierAttempts(attempt: Attempt, resumed: boolean): Promise<void> {
  const { task, store } = attempt;
  attempt.onOperation('Uploading items saved by an earlier attempt');
  if (!resumed) return uploadPending(attempt);
  let uncounted = subtractCounts(subtractCounts(task.read, task.success), task.errors);
  for (const id of await store.findPendingBatches()) {
    const items = await store.findBatchItems(id);
    // A batch that is pending because another job changed its items has been counted.
    const counted = takeLesserCounts(uncounted, countItemsByLevel(items));
    uncounted = subtractCounts(uncounted, counted);
    await uploadBatch(createUploader(attempt), { id, items, readBatch: null }, ({ rejected }) => ({
      success: subtractCounts(counted, countItemsByLevel(rejected.map(({ item }) => item))),
      countsRejections: true,
    }));
  }
  // Another job is going to upload the items of these rows.
  if (sumLevels(uncounted) > 0) await store.countSuccess(uncounted);
  await uploadPending(attempt);
}

/** Uploads the current content of items that the catalog may hold with an older one. */
async function uploadPending(attempt: Attempt): Promise<void> {
  const { store } = attempt;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const ids = await store.findPendingBatches();
    if (ids.length === 0) return;
    for (const id of ids) {
      const items = await store.findBatchItems(id);
      // Their rows have been counted. A rejected item stays without an upload time, so the next sync retries it.
      await uploadBatch(createUploader(attempt), { id, items, readBatch: null }, () => ({
        success: NO_COUNTS,
        countsRejections: false,
      }));
    }
  }
}

function createUploader(attempt: Attempt): Uploader {
  const { task, store, catalog, nextUploadKey, uploadSignal, generation, onUploaded } = attempt;
  const { dataType, input } = task;
  const isRepair = input.kind === 'CATALOG';
  return { store, catalog, dataType, nextUploadKey, uploadSignal, generation, onUploaded, isRepair };
}

function createUploadSignal(signal: AbortSignal): { signal: AbortSignal; end: () => void } {
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
