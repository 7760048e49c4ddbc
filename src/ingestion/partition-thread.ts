import { constants, platform, setPriority } from 'node:os';
import { isMainThread, type MessagePort } from 'node:worker_threads';
import { workerData } from 'piscina';
import { createPool } from '../database/connection.ts';
import { LeaseLostError } from '../database/partition-lease.ts';
import { findUnclaimedRaisedItems, type ItemKeys } from '../items/stored-items.ts';
import { loadRegistry } from '../plugins/load-plugins.ts';
import type { Registry } from '../plugins/registry.ts';
import { createRedact } from '../shared/secrets.ts';
import { allowTable, composeStatement } from '../sql-check/checked-statement.ts';
import { withErrorCodes } from '../warehouse/coded-warehouse.ts';
import { tagStatements } from '../warehouse/statement-tag.ts';
import { type Warehouse, WarehouseError } from '../warehouse/warehouse.ts';
import type { PartitionResources } from './attempt.ts';
import { planPartition } from './partition-plan.ts';
import type { PartitionOutcome, PartitionProgress, PartitionTask, PlanOutcome } from './partition-task.ts';
import { findLatest, planTask } from './plan-task.ts';
import { type PreviewedSource, previewSource as preview } from './preview-source.ts';
import { type RemovalRun, removeDueItems } from './remove-items.ts';
import { runPartition } from './run-partition.ts';
import { endStatements, saveStatementHandle } from './statement-handles.ts';
import type {
  SourcePreview,
  SourceProblem,
  SourceToDescribe,
  TableDescription,
  ThreadConfiguration,
  ThreadOrder,
  ThreadReport,
} from './thread-pool.ts';
import { type ItemUploadOutcome, uploadItems } from './upload-items.ts';

// Node reports deprecated calls of dependencies where they are bundled, and an operator can do nothing about them.
if (!isMainThread) process.noDeprecation = true;

/** A call from the thread pool. The port carries progress out and the stop in. */
interface Call<Input> {
  readonly input: Input;
  readonly port: MessagePort;
}

/** Runs a partition, which is planned first if it has no plan; called by the thread pool. */
export function partition({ input, port }: Call<PartitionTask>): Promise<PartitionOutcome> {
  const stop = new AbortController();
  const keepHandle = (handle: string) => saveHandle(input, handle, stop);
  // No two attempts share a tag, so that ending the statements of one leaves the others alone.
  const tag = `${createTag(input)} attempt ${input.attempt}`;
  return tagStatements({ tag, keepHandle }, () =>
    runUntilStopped(port, (signal) => planAndRun(input, port, signal), stop),
  );
}

async function planAndRun(
  input: PartitionTask,
  port: MessagePort,
  signal: AbortSignal,
): Promise<PartitionOutcome> {
  const report = createReport(port);
  const load = loadResourcesFor(input);
  const { earlierStatements } = input;
  // Whether the warehouse can be opened, the attempt itself reports.
  if (earlierStatements !== null)
    await load().then(
      ({ warehouse }) => endStatements(warehouse, earlierStatements),
      () => {},
    );
  if (input.plan !== null) return runPartition(load, input, null, report, signal);
  const planned = await planTask(load, input, report, signal);
  if (planned.status !== 'PLANNED') return planned;
  const [first] = planned.partitions;
  if (first === undefined) throw new Error('a plan has at least one partition');
  const { partitions } = planned;
  const isSaved = await askMainThread(port, { kind: 'planned', partitions }, signal);
  if (signal.aborted) return { status: 'STOPPED' };
  return isSaved
    ? runPartition(load, { ...input, ...first }, first.plan, report, signal)
    : { status: 'LEASE_LOST' };
}

/** Saves by what the statements of an attempt can be ended; one that has lost its lease stops, and runs none. */
async function saveHandle(task: PartitionTask, handle: string, stop: AbortController): Promise<void> {
  try {
    await saveStatementHandle((await loadCommonResources()).pool, task, handle);
  } catch (error) {
    if (error instanceof LeaseLostError) stop.abort();
    // A database that is away is reported by the next write.
  }
}

/** Plans a partition; called by the thread pool. */
export function plan({ input, port }: Call<PartitionTask>): Promise<PlanOutcome> {
  // Without a lease, it keeps no handle.
  return tagStatements({ tag: createTag(input) }, () =>
    runUntilStopped(port, (signal) => planTask(loadResourcesFor(input), input, createReport(port), signal)),
  );
}

/** Asks the main thread to save a plan. @returns whether it is saved; false after the signal. */
async function askMainThread(
  port: MessagePort,
  report: Extract<ThreadReport, { kind: 'planned' }>,
  signal: AbortSignal,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const answer = (order: ThreadOrder) => {
    if (order.kind === 'planSaved') resolve(order.isSaved);
  };
  const stop = () => resolve(false);
  port.on('message', answer);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  else port.postMessage(report);
  return promise.finally(() => {
    port.off('message', answer);
    signal.removeEventListener('abort', stop);
  });
}

function createReport(port: MessagePort): (progress: PartitionProgress) => void {
  return (progress) => port.postMessage({ kind: 'progress', progress } satisfies ThreadReport);
}

/** Closes what a thread has opened, before it ends; called by the thread pool. */
export async function close(): Promise<void> {
  const resources = await opened?.catch(() => undefined);
  await resources?.warehouse.close();
}

/** The statements of a task name it. */
function createTag({ jobId, partitionId }: PartitionTask): string {
  return `BLADE job ${jobId} partition ${partitionId}`;
}

/** Ends statements of attempts that were killed; called by the thread pool. */
export function endLeftStatements({ input, port }: Call<readonly string[]>): Promise<void> {
  return runUntilStopped(port, async () => {
    const { warehouse } = await loadResources();
    await Promise.all(input.map((handle) => endStatements(warehouse, handle)));
  });
}

async function runUntilStopped<Result>(
  port: MessagePort,
  work: (signal: AbortSignal) => Promise<Result>,
  stop = new AbortController(),
): Promise<Result> {
  port.on('message', ({ kind }: ThreadOrder) => {
    if (kind === 'stop') stop.abort();
  });
  try {
    const result = await work(stop.signal);
    if (isOutOfSpace(result)) await closeResources();
    return redactTexts(result);
  } finally {
    port.close();
  }
}

/** Redacts the texts of a result, because they are stored, shown or logged, and a warehouse may repeat secrets it was sent. */
function redactTexts<Result>(result: Result): Result {
  if (typeof result !== 'object' || result === null) return result;
  const texts = Object.entries(result).filter(([name]) => name === 'message' || name === 'stack');
  const redacted = texts.map(([name, text]) => [name, typeof text === 'string' ? redact(text) : text]);
  return { ...result, ...Object.fromEntries(redacted) };
}

// The same process may serve the API, which must not wait for rows. On other platforms this would change the priority of the
// whole process.
if (platform() === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

const { secrets }: ThreadConfiguration = workerData;
const redact = createRedact(secrets);

/** Describes the table of a source, counts its rows and plans its sync; called by the thread pool. */
export function describeTable({ input, port }: Call<SourceToDescribe>): Promise<TableDescription> {
  return runUntilStopped(port, (signal) => describe(input, signal));
}

async function describe(source: SourceToDescribe, stop: AbortSignal): Promise<TableDescription> {
  const timeout = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS);
  const signal = AbortSignal.any([stop, timeout]);
  try {
    const resources = await loadResources();
    const { warehouse, allowedSchemas } = resources;
    const allowed = allowTable(source.table, allowedSchemas);
    const columns = await warehouse.describeTable(allowed, signal);
    const rowCount = await warehouse.countRows(composeStatement`SELECT * FROM ${allowed}`, signal);
    const hasUnreadable = (await warehouse.countUnreadable(allowed, signal)) > 0;
    const problems = [
      ...(await findCursorProblems(resources, source, signal)),
      ...(hasUnreadable
        ? [
            {
              message: 'some lines are not rows: each is an error, and keeps the watermark',
              isAboutRows: true,
            },
          ]
        : []),
    ];
    return { ok: true, columns, rowCount, problems };
  } catch (error) {
    if (error instanceof WarehouseError) return { ok: false, message: error.message };
    if (timeout.aborted) return { ok: false, message: 'the warehouse did not answer within five minutes' };
    throw error;
  }
}

/** Counts what a sync of a source would do; called by the thread pool. */
export function previewSource({ input, port }: Call<PreviewedSource>): Promise<SourcePreview> {
  return runUntilStopped(port, async (stop) => {
    const timeout = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS);
    try {
      const resources = await loadResources();
      return { ok: true, counts: await preview(resources, input, AbortSignal.any([stop, timeout])) };
    } catch (error) {
      if (timeout.aborted) return { ok: false, message: 'the table could not be read within five minutes' };
      if (error instanceof WarehouseError) return { ok: false, message: error.message };
      throw error;
    }
  });
}

async function findCursorProblems(
  resources: PartitionResources,
  source: SourceToDescribe,
  signal: AbortSignal,
): Promise<readonly SourceProblem[]> {
  if (source.cursorColumn === null) return [];
  const input = { ...source, kind: 'TABLE', syncType: 'INCREMENTAL', filter: null, maxItems: null } as const;
  try {
    const partitions = await planPartition(
      { ...resources, latestWatermark: findLatest(resources), signal },
      {
        ...input,
        watermarkVersion: null,
        copy: null,
        deletesGone: false,
        schema: null,
        choice: null,
        partitionRows: Number.MAX_SAFE_INTEGER,
      },
    );
    const [first] = partitions;
    if (first?.plan.kind !== 'STATEMENT') return [];
    const { cursor, warning } = first.plan;
    const kinds =
      cursor && `${cursor.column} has values of another kind than most (${cursor.type}): each costs its row`;
    return [kinds, warning]
      .filter((message) => message !== undefined)
      .map((message) => ({ message, isAboutRows: true }));
  } catch (error) {
    if (error instanceof WarehouseError)
      return [{ message: `an INCREMENTAL sync would fail: ${error.message}`, isAboutRows: false }];
    throw error;
  }
}

/** Uploads stored items again, or those that the catalog may hold with a lower marking; called by the thread pool. */
export function uploadPending({ input, port }: Call<ItemKeys | null>): Promise<ItemUploadOutcome> {
  return runUntilStopped(port, async (signal) => {
    const open = await loadResources();
    const keys = input ?? (await findUnclaimedRaisedItems(open.pool));
    if (keys === null) return { rejections: [] };
    const { rejections } = await uploadItems(open, keys, signal);
    return { rejections: rejections.map(redact) };
  });
}

/** Removes deleted items from the catalog that are due; called by the thread pool. */
export function removeDue({ port }: Call<null>): Promise<RemovalRun> {
  return runUntilStopped(port, async (signal) => removeDueItems(await loadCommonResources(), redact, signal));
}

/** A stopped warehouse takes minutes to start. */
const DESCRIBE_TIMEOUT_MS = 5 * 60_000;

/** Connections of a thread: one to save, one to mark and one to read failed items. */
const CONNECTIONS = 3;

/** What a thread opens for everything that it does. */
type CommonResources = Omit<PartitionResources, 'warehouse'>;

let common: Promise<CommonResources & { readonly registry: Registry }> | undefined;
function isOutOfSpace(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'status' in result && result.status === 'NO_SPACE';
}

/** Closes what the thread has open: an engine goes by the space that its disk had when it was opened. */
async function closeResources(): Promise<void> {
  const closing = [await common?.catch(() => undefined), await opened?.catch(() => undefined)] as const;
  common = undefined;
  opened = undefined;
  const [shared, resources] = closing;
  await Promise.allSettled([shared?.pool.end(), shared?.catalog.close(), resources?.warehouse.close()]);
}

let opened: Promise<PartitionResources> | undefined;

function loadCommonResources(): Promise<CommonResources & { readonly registry: Registry }> {
  common ??= openCommonResources().catch((error: unknown) => {
    common = undefined;
    throw error;
  });
  return common;
}

function loadResources(): Promise<PartitionResources> {
  opened ??= openResources().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

/** Loads what a task needs: a repair of the catalog also runs while the warehouse cannot be opened. */
function loadResourcesFor({ input }: PartitionTask): () => Promise<PartitionResources> {
  if (input.kind !== 'CATALOG') return loadResources;
  return async () => ({ ...(await loadCommonResources()), warehouse: UNUSED_WAREHOUSE });
}

async function refuseToRead(): Promise<never> {
  throw new Error('a repair of the catalog reads no warehouse');
}

const UNUSED_WAREHOUSE: Warehouse = {
  ...{ describeTable: refuseToRead, countUnreadable: refuseToRead },
  ...{ countRows: refuseToRead, readRows: refuseToRead, findVersion: refuseToRead },
  close: async () => {},
};

async function openCommonResources(): Promise<CommonResources & { readonly registry: Registry }> {
  const configuration: ThreadConfiguration = workerData;
  const registry = await loadRegistry(configuration.plugins);
  const { name: catalogName } = configuration.catalog;
  const catalog = await registry.openCatalog(configuration.catalog, configuration.threads);
  const pool = createPool(configuration.connectionString, {
    max: CONNECTIONS,
    prepares: configuration.preparesStatements,
    settings: {
      // The planner would compile statements with thousands of array elements, which takes longer than running them.
      jit: 'off',
      // Planning the statements of a small source takes longer than running any plan of them.
      plan_cache_mode: 'force_generic_plan',
    },
  });
  const { allowedSchemas } = configuration.warehouse;
  const { watermarkAheadMs } = configuration;
  const { dataTypes } = registry;
  return { pool, allowedSchemas, catalog, catalogName, dataTypes, watermarkAheadMs, registry };
}

async function openResources(): Promise<PartitionResources> {
  const { registry, ...resources } = await loadCommonResources();
  const { warehouse }: ThreadConfiguration = workerData;
  return { ...resources, warehouse: withErrorCodes(await registry.openWarehouse(warehouse)) };
}
