import { setTimeout as wait } from 'node:timers/promises';
import { UnknownDataTypeError } from '../data-types/data-types.ts';
import { NO_CHANGES } from '../items/change-counts.ts';
import { countSourceItems } from '../items/count-source-items.ts';
import { createItemStore } from '../items/item-store.ts';
import { sumLevels } from '../items/level-counts.ts';
import type { MarkingRule } from '../items/marking-rule.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { recognizeStatement } from '../sql-check/checked-statement.ts';
import { WarehouseError } from '../warehouse/warehouse.ts';
import { type Attempt, createUploader, type PartitionResources } from './attempt.ts';
import { createBatchFingerprint } from './batch-fingerprint.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { countRead } from './counted-read.ts';
import { settleEarlierAttempts, uploadPending } from './earlier-attempts.ts';
import { toOutcome } from './failure.ts';
import { checkPassed, type GoneIds, gatherGoneIds } from './gone-ids.ts';
import { countSharedRows } from './measured-copy.ts';
import { countTotal, loadFingerprints, openRows, type RowPlan } from './open-rows.ts';
import type {
  CheckedPlan,
  CopyMeasure,
  PartitionOutcome,
  PartitionPlan,
  PartitionProgress,
  PartitionTask,
} from './partition-task.ts';
import { runPipeline } from './pipeline.ts';
import { repairItems } from './repair-items.ts';
import { createStageMeter } from './stage-meter.ts';
import { createTransform, type TransformOptions } from './transform.ts';
import { createUploadVerifier } from './verify-uploads.ts';
import { showWaiting } from './waiting.ts';

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
  let unwatch: (() => void) | undefined;
  try {
    const resources = await open();
    const { onCatalogFault, ...waiting } = showWaiting(resources.warehouse, (currentOperation) =>
      report({ currentOperation, measurements: meter.take() }),
    );
    unwatch = resources.catalog.watchOutages?.(onCatalogFault);
    let sequence = 0;
    let hasRejections = false;
    const attempt: Attempt = {
      ...resources,
      ...waiting,
      task,
      meter,
      catalog: meter.catalog(resources.catalog),
      store: meter.store(
        createItemStore(resources.pool, task, meter.countRefused, needsIds(task, planned ?? task.plan)),
      ),
      signal: AbortSignal.any([signal, ended.signal]),
      endReading: () => ended.abort(),
      uploadSignal: uploads.signal,
      nextUploadKey: () => `${task.partitionId}-${task.attempt}-${sequence++}`,
      generation: () => verifier.generation(),
      onUploaded(key, { rejected }) {
        verifier.onUploaded(key);
        hasRejections ||= rejected.length > 0;
      },
    };
    const verifier = createUploadVerifier({
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
    const plan = planned ?? (await checkPlan(task.plan, resources.allowedSchemas));
    await verifier.begin();
    const goneIds = await run(attempt, plan);
    if (!signal.aborted) await verifier.end(hasRejections);
    if (signal.aborted) return { status: 'STOPPED' };
    if (plan.kind !== 'STATEMENT')
      return {
        status: 'COMPLETED',
        watermark: null,
        version: null,
        read: null,
        measure: null,
        deletes: null,
        feed: null,
        goneIds: null,
      };
    const { watermark, warning, tableVersion, read, deletes, feed = null } = plan;
    // What a warehouse without history calls a version says nothing later.
    const version = tableVersion === null ? null : plan.version;
    return {
      status: 'COMPLETED',
      watermark,
      warning,
      version,
      read,
      deletes,
      feed,
      goneIds,
      measure: await measureCopy({ ...attempt, signal }, plan),
    };
  } catch (error) {
    return toOutcome(error, signal);
  } finally {
    unwatch?.();
    uploads.end();
    report({ currentOperation: null, measurements: meter.take() });
  }
}

/** Whether the ids of all rows are needed, to find the items whose rows are gone. */
function needsIds({ input }: PartitionTask, plan: PartitionPlan<unknown> | null): boolean {
  const findsGone = plan?.kind === 'STATEMENT' && plan.deletes?.isAllowed === true;
  return findsGone || (input.kind === 'TABLE' && input.keepsIds === true);
}

/** @throws WarehouseError STATEMENT_FAILED if the statement is refused. */
async function checkPlan(
  plan: PartitionPlan | null,
  allowedSchemas: readonly SchemaPattern[],
): Promise<CheckedPlan> {
  if (plan === null) throw new Error('a partition must be planned before it runs');
  if (plan.kind !== 'STATEMENT') return plan;
  const recognized = recognizeStatement(plan.statement, allowedSchemas);
  if (recognized !== null) return { ...plan, statement: recognized };
  const { parseStatement } = await import('../sql-check/parse-statement.ts');
  return { ...plan, statement: parseStatement(plan.statement, allowedSchemas) };
}

/** @returns the ids of the items whose rows are gone; null if that is not read. */
async function run(attempt: Attempt, plan: CheckedPlan): Promise<readonly string[] | null> {
  switch (plan.kind) {
    case 'CATALOG':
      await repair(attempt);
      return null;
    case 'UNCHANGED':
      await confirmUnchanged(attempt, plan);
      return null;
    case 'FAILED_ITEMS':
    case 'STATEMENT':
      return ingest(attempt, plan);
  }
}

/** Brings the comparison of the copy up to date with what was read. */
async function measureCopy(
  attempt: Attempt,
  plan: Extract<CheckedPlan, { kind: 'STATEMENT' }>,
): Promise<CopyMeasure | null> {
  const { measure } = plan;
  const { dataSourceId } = attempt.task;
  if (measure === null || measure.idColumn === null || dataSourceId === null) return measure;
  const countItems = () => countSourceItems(attempt.pool, dataSourceId);
  try {
    const sharedRows = await countSharedRows(attempt, plan, countItems);
    return sharedRows === null ? null : { ...measure, sharedRows };
  } catch (error) {
    // All rows are read, so that nothing depends on it.
    if (error instanceof WarehouseError) return null;
    throw error;
  }
}

/** Counts the items of a table that still holds them. */
async function confirmUnchanged(
  { task, store }: Attempt,
  { success }: Extract<CheckedPlan, { kind: 'UNCHANGED' }>,
): Promise<void> {
  // An earlier attempt may have counted them.
  if (sumLevels(task.success) === 0) await store.countSuccess(success, NO_CHANGES);
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

async function ingest(attempt: Attempt, plan: RowPlan): Promise<readonly string[] | null> {
  const { task, store, signal } = attempt;
  const options = createTransformOptions(attempt, plan);
  const transform = createTransform(options);
  const goneIds: GoneIds | null =
    plan.kind === 'STATEMENT' && plan.changes?.deletesGone === true
      ? { gone: new Set(), passed: new Set() }
      : null;
  const toFingerprint = createBatchFingerprint(options);
  let knownFingerprints: ReadonlySet<string> = new Set();
  const { resumed, batches } = await openRows(attempt, plan, (fingerprint) =>
    knownFingerprints.has(toFingerprint(fingerprint)),
  );
  if (task.attempt > 1) {
    await (resumed ? store.loadSeenIds() : store.startOver());
    await settleEarlierAttempts(attempt, resumed);
  }

  const currentOperation = describeOperation(task);
  attempt.onOperation(task.input.kind === 'QUERY' ? 'Executing query' : currentOperation);
  knownFingerprints = await loadFingerprints(attempt);
  const read = countRead({
    batches: countTotal(
      attempt,
      plan,
      goneIds === null ? batches : gatherGoneIds(batches, transform, goneIds),
    ),
    rowsBefore: resumed ? sumLevels(task.read) : 0,
    plannedRows: plan.kind === 'STATEMENT' ? plan.rowCount : null,
    signal,
  });
  try {
    const hasPending = await runPipeline({
      batches: attempt.meter.batches(read.batches),
      transform,
      toFingerprint: ({ fingerprint }) => (fingerprint === null ? null : toFingerprint(fingerprint)),
      knownFingerprints,
      meter: attempt.meter,
      ...createUploader(attempt),
      dataSourceId: task.dataSourceId,
      markingRule: toMarkingRule(task),
      defaultMarking: options.dataType.defaultMarking,
      metadata: toCanonicalJson(task.sourceMetadata),
      maxErrors: task.maxErrors,
      errorCount: resumed ? sumLevels(task.errors) : 0,
      onProgress: () => attempt.onOperation(currentOperation),
    });
    if (hasPending) await uploadPending(attempt);
    // After the uploads, so that what could be read of a failing source is kept.
    read.checkEnd();
    if (goneIds !== null && !signal.aborted) await checkPassed(attempt, goneIds);
  } finally {
    // If saving or uploading failed, the statement still runs.
    attempt.endReading();
    await Promise.race([read.close(), wait(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }
  return goneIds === null ? null : [...goneIds.gone];
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

/** @throws UnknownDataTypeError if this process does not have the data type. */
function createTransformOptions({ task, dataTypes }: Attempt, plan: RowPlan): TransformOptions {
  const { sourceMetadata, hashedMetadata, query } = task;
  const dataType = dataTypes.find(task.dataType);
  if (dataType === undefined) throw new UnknownDataTypeError(task.dataType);
  return {
    ...{ dataType, sourceMetadata, hashedMetadata },
    ...(plan.kind === 'STATEMENT' && plan.cursor ? { cursor: plan.cursor } : {}),
    ...(query === null ? {} : { lowestMarking: query.marking, extraMetadata: query.metadata }),
  };
}

function toMarkingRule({ query, input }: PartitionTask): MarkingRule {
  if (query !== null) return { kind: 'QUERY_JOB', ...query, metadata: toCanonicalJson(query.metadata) };
  return { kind: input.kind === 'TABLE' ? 'SOURCE' : 'KEPT_ROWS' };
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
