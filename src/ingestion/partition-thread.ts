import { constants, platform, setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { Pool } from 'pg';
import { workerData } from 'piscina';
import { createConnectionOptions } from '../database/connection.ts';
import { findUnclaimedRaisedItems, type ItemKeys } from '../items/stored-items.ts';
import { loadRegistry } from '../plugins/load-plugins.ts';
import { createRedact } from '../shared/secrets.ts';
import { allowTable, composeStatement } from '../sql-check/checked-statement.ts';
import { type TableName, WarehouseError } from '../warehouse/warehouse.ts';
import type { PartitionOutcome, PartitionProgress, PartitionTask, PlanOutcome } from './partition-task.ts';
import { type PartitionResources, planTask, runPartition } from './run-partition.ts';
import type { TableDescription, ThreadConfiguration, ThreadOrder, ThreadReport } from './thread-pool.ts';
import { type ItemUploadOutcome, uploadItems } from './upload-items.ts';

/** A call from the thread pool. The port carries progress out and the stop in. */
interface Call<Input> {
  readonly input: Input;
  readonly port: MessagePort;
}

/** Runs a partition, which is planned first if it has no plan; called by the thread pool. */
export function partition({ input, port }: Call<PartitionTask>): Promise<PartitionOutcome> {
  return runUntilStopped(port, async (signal) => {
    const report = createReport(port);
    if (input.plan !== null) return runPartition(loadResources, input, null, report, signal);
    const planned = await planTask(loadResources, input, report, signal);
    if (planned.status !== 'PLANNED') return planned;
    const [first] = planned.partitions;
    if (first === undefined) throw new Error('a plan has at least one partition');
    const { partitions } = planned;
    const isSaved = await askMainThread(port, { kind: 'planned', partitions }, signal);
    if (signal.aborted) return { status: 'STOPPED' };
    return isSaved
      ? runPartition(loadResources, { ...input, ...first }, first.plan, report, signal)
      : { status: 'LEASE_LOST' };
  });
}

/** Plans a partition; called by the thread pool. */
export function plan({ input, port }: Call<PartitionTask>): Promise<PlanOutcome> {
  return runUntilStopped(port, (signal) => planTask(loadResources, input, createReport(port), signal));
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

/** Opens the resources of the thread before its first work; called by the thread pool. */
export async function open(): Promise<void> {
  await loadResources();
}

/** Closes what a thread has opened, before it ends; called by the thread pool. */
export async function close(): Promise<void> {
  const resources = await opened?.catch(() => undefined);
  await resources?.warehouse.close();
}

async function runUntilStopped<Result>(
  port: MessagePort,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  port.on('message', ({ kind }: ThreadOrder) => {
    if (kind === 'stop') stop.abort();
  });
  try {
    return redactMessage(await work(stop.signal));
  } finally {
    port.close();
  }
}

/** Redacts the message of a result, because it is stored and shown, and a warehouse may repeat secrets it was sent. */
function redactMessage<Result>(result: Result): Result {
  if (typeof result !== 'object' || result === null || !('message' in result)) return result;
  return typeof result.message === 'string' ? { ...result, message: redact(result.message) } : result;
}

// The same process may serve the API, which must not wait for rows. On other platforms this would change the priority of the
// whole process.
if (platform() === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

const { secrets }: ThreadConfiguration = workerData;
const redact = createRedact(secrets);

/** Describes a table of the warehouse and counts its rows; called by the thread pool. */
export function describeTable({ input, port }: Call<TableName>): Promise<TableDescription> {
  return runUntilStopped(port, (signal) => describe(input, signal));
}

async function describe(table: TableName, stop: AbortSignal): Promise<TableDescription> {
  const timeout = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS);
  const signal = AbortSignal.any([stop, timeout]);
  try {
    const { warehouse, allowedSchemas } = await loadResources();
    const allowed = allowTable(table, allowedSchemas);
    const columns = await warehouse.describeTable(allowed, signal);
    const rowCount = await warehouse.countRows(composeStatement`SELECT * FROM ${allowed}`, signal);
    return { ok: true, columns, rowCount };
  } catch (error) {
    if (error instanceof WarehouseError) return { ok: false, message: error.message };
    if (timeout.aborted) return { ok: false, message: 'the warehouse did not answer within five minutes' };
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

/** A stopped warehouse takes minutes to start. */
const DESCRIBE_TIMEOUT_MS = 5 * 60_000;

/** Connections of a thread: one to save, one to mark and one to read failed items. */
const CONNECTIONS = 3;

let opened: Promise<PartitionResources> | undefined;

function loadResources(): Promise<PartitionResources> {
  opened ??= openResources().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function openResources(): Promise<PartitionResources> {
  const configuration: ThreadConfiguration = workerData;
  const registry = await loadRegistry(configuration.plugins);
  const pool = new Pool({
    ...createConnectionOptions(configuration.connectionString),
    max: CONNECTIONS,
    // The planner would compile statements with thousands of array elements, which takes longer than running them.
    options: '-c jit=off',
  });
  // The pool replaces a broken idle connection; without a listener, it would end the thread.
  pool.on('error', () => {});
  const [warehouse, catalog] = await Promise.all([
    registry.openWarehouse(configuration.warehouse),
    registry.openCatalog(configuration.catalog, configuration.threads),
  ]);
  const { allowedSchemas } = configuration.warehouse;
  return { pool, warehouse, allowedSchemas, catalog, dataTypes: registry.dataTypes };
}
