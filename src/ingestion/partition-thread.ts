import { constants, platform, setPriority } from 'node:os';
import type { MessagePort } from 'node:worker_threads';
import { Pool } from 'pg';
import { workerData } from 'piscina';
import { openCatalog } from '../catalog/registry.ts';
import { createConnectionOptions } from '../database/connection.ts';
import { findRaisedItemsOwedByNobody, type ItemKeys } from '../items/stored-items.ts';
import { createRedact } from '../shared/secrets.ts';
import { qualifiedName } from '../sql-check/statement.ts';
import { openWarehouse } from '../warehouse/registry.ts';
import { type TableName, WarehouseError } from '../warehouse/warehouse.ts';
import type { PartitionOutcome, PartitionTask, PlanOutcome } from './partition-task.ts';
import { type PartitionReports, type PartitionResources, planTask, runPartition } from './run-partition.ts';
import type { TableDescription, ThreadConfiguration, ThreadOrder, ThreadReport } from './thread-pool.ts';
import { type ItemUploadOutcome, uploadItems } from './upload-items.ts';

/** A call of the thread pool: the port carries progress out and the stop in. */
interface Call<Input> {
  readonly input: Input;
  readonly port: MessagePort;
}

/** Runs a partition, which is planned first if it has no plan; called by the thread pool. */
export function partition({ input, port }: Call<PartitionTask>): Promise<PartitionOutcome> {
  return untilStopped(port, async (signal) => {
    const reports = reportsTo(port);
    if (input.plan !== null) return runPartition(resources, input, reports, signal);
    const planned = await planTask(resources, input, reports, signal);
    if (planned.status !== 'PLANNED') return planned;
    const [first] = planned.partitions;
    if (first === undefined) throw new Error('a plan has at least one partition');
    const { partitions } = planned;
    const isSaved = await askMainThread(port, { kind: 'planned', partitions }, signal);
    if (signal.aborted) return { status: 'STOPPED' };
    return isSaved
      ? runPartition(resources, { ...input, ...first }, reports, signal)
      : { status: 'LEASE_LOST' };
  });
}

/** Plans a partition; called by the thread pool. */
export function plan({ input, port }: Call<PartitionTask>): Promise<PlanOutcome> {
  return untilStopped(port, (signal) => planTask(resources, input, reportsTo(port), signal));
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

function reportsTo(port: MessagePort): PartitionReports {
  const post = (report: ThreadReport) => port.postMessage(report);
  return {
    onProgress: (progress) => post({ kind: 'progress', progress }),
    onMeasured: (measurements) => post({ kind: 'measured', measurements }),
  };
}

/** Opens what the thread needs before it is given work; called by the thread pool. */
export async function open(): Promise<void> {
  await resources();
}

async function untilStopped<Result>(
  port: MessagePort,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  port.on('message', ({ kind }: ThreadOrder) => {
    if (kind === 'stop') stop.abort();
  });
  try {
    return withoutSecrets(await work(stop.signal));
  } finally {
    port.close();
  }
}

/** Messages are stored and shown, and what a warehouse says may repeat what it was sent. */
function withoutSecrets<Result>(result: Result): Result {
  if (typeof result !== 'object' || result === null || !('message' in result)) return result;
  return typeof result.message === 'string' ? { ...result, message: redact(result.message) } : result;
}

// Whoever asks the API, which the same process may serve, does not wait for rows. Elsewhere this would set the priority of
// the whole process.
if (platform() === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);

const { secrets }: ThreadConfiguration = workerData;
const redact = createRedact(secrets);

/** Describes a table of the warehouse and counts its rows; called by the thread pool. */
export function describeTable({ input, port }: Call<TableName>): Promise<TableDescription> {
  return untilStopped(port, (signal) => describe(input, signal));
}

async function describe(table: TableName, stop: AbortSignal): Promise<TableDescription> {
  const timeout = AbortSignal.timeout(DESCRIBE_TIMEOUT_MS);
  const signal = AbortSignal.any([stop, timeout]);
  try {
    const { warehouse } = await resources();
    const columns = await warehouse.describeTable(table, signal);
    const statement = { sql: `SELECT * FROM ${qualifiedName(table)}`, parameters: {} };
    return { ok: true, columns, rowCount: await warehouse.countRows(statement, signal) };
  } catch (error) {
    if (error instanceof WarehouseError) return { ok: false, message: error.message };
    if (timeout.aborted) return { ok: false, message: 'the warehouse gave no answer within five minutes' };
    throw error;
  }
}

/** Uploads stored items again, or those that the catalog has with a lower marking; called by the thread pool. */
export function uploadOwed({ input, port }: Call<ItemKeys | null>): Promise<ItemUploadOutcome> {
  return untilStopped(port, async (signal) => {
    const open = await resources();
    const keys = input ?? (await findRaisedItemsOwedByNobody(open.pool));
    if (keys === null) return { rejections: [] };
    const { rejections } = await uploadItems(open, keys, signal);
    return { rejections: rejections.map(redact) };
  });
}

/** A stopped warehouse takes minutes to start. */
const DESCRIBE_TIMEOUT_MS = 5 * 60_000;

/** Connections a thread needs: one saves while another marks, and one more reads failed items. */
const CONNECTIONS = 3;

let opened: Promise<PartitionResources> | undefined;

function resources(): Promise<PartitionResources> {
  opened ??= openResources().catch((error: unknown) => {
    opened = undefined;
    throw error;
  });
  return opened;
}

async function openResources(): Promise<PartitionResources> {
  const configuration: ThreadConfiguration = workerData;
  const pool = new Pool({
    ...createConnectionOptions(configuration.connectionString),
    max: CONNECTIONS,
    // Statements with thousands of rows in arrays look worth compiling; that takes longer than to run them.
    options: '-c jit=off',
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the thread.
  pool.on('error', () => {});
  const [warehouse, catalog] = await Promise.all([
    openWarehouse(configuration.warehouse),
    openCatalog(configuration.catalog),
  ]);
  return { pool, warehouse, catalog };
}
