import { setTimeout } from 'node:timers/promises';
import { DBSQLParameter, thrift } from '@databricks/sql';
import type IOperation from '@databricks/sql/dist/contracts/IOperation.js';
import { AbortError, waitUntilAborted } from '../abort.ts';
import type { FinishedStatement, StatementRun } from '../spark-sql/statement.ts';
import type { TrackBackground } from '../spark-sql/statement-runner.ts';
import { addTag } from '../statement-tag.ts';
import type { OnWaiting } from '../warehouse.ts';
import { openPages, type ResultPages } from './chunk.ts';
import { ThriftOperationBackend } from './driver.ts';
import { isSessionLost, toInterruptionError, toReadableError } from './error.ts';
import type { DatabricksSessions, Session } from './session.ts';

export interface StatementSettings {
  readonly sessions: DatabricksSessions;
  /** Rows per request. */
  readonly pageRows: number;
  readonly useCloudFetch: boolean;
  /** How long a statement may wait before that is reported, in milliseconds. */
  readonly waitingNoticeMs: number;
  /** Takes over work that outlives a statement: cancelling or closing it in the warehouse. */
  readonly trackBackground: TrackBackground;
}

/**
 * Runs a statement until its first rows are available. The signal cancels it in the warehouse, even while it waits there.
 * @throws WarehouseError, or AbortError within a second of the signal.
 */
export async function runStatement(
  settings: StatementSettings,
  run: StatementRun,
): Promise<FinishedStatement> {
  const notice = createWaitingNotice(run.onWaiting, settings.waitingNoticeMs);
  try {
    return await runUntilFirstRows(settings, run, notice.markRunning);
  } catch (error) {
    throw toReadableError(error, run.parameters);
  } finally {
    notice.markRunning();
  }
}

/** Runs a statement, and a second time if the session has ended in the meantime; no rows have been returned yet. */
async function runUntilFirstRows(
  settings: StatementSettings,
  run: StatementRun,
  onRunning: () => void,
): Promise<FinishedStatement> {
  const session = await waitUntilAborted(settings.sessions.getSession(), run.signal);
  try {
    return await runInSession(settings, session, run, onRunning);
  } catch (error) {
    if (!isSessionLost(error)) throw error;
    settings.sessions.forget(session);
    const renewed = await waitUntilAborted(settings.sessions.getSession(), run.signal);
    return await runInSession(settings, renewed, run, onRunning);
  }
}

async function runInSession(
  settings: StatementSettings,
  session: Session,
  run: StatementRun,
  onRunning: () => void,
): Promise<FinishedStatement> {
  const { signal } = run;
  const operation = await execute(settings, session, run);
  try {
    await waitUntilAborted(
      operation.finished({
        callback: ({ operationState }) => {
          if (operationState === RUNNING) onRunning();
        },
      }),
      signal,
    );
    const pages = await waitUntilAborted(
      openPages(settings.sessions, findBackend(operation), settings.pageRows),
      signal,
    );
    return await loadFirstPage(settings, operation, pages, run);
  } catch (error) {
    if (error instanceof AbortError) await cancel(settings, operation);
    else settings.trackBackground(operation.close());
    throw error;
  }
}

async function execute(
  settings: StatementSettings,
  session: Session,
  { sql, parameters, signal }: StatementRun,
): Promise<IOperation.default> {
  const executing = session.executeStatement(addTag(sql), {
    namedParameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, new DBSQLParameter({ value })]),
    ),
    maxRows: settings.pageRows,
    useCloudFetch: settings.useCloudFetch,
  });
  try {
    return await waitUntilAborted(executing, signal);
  } catch (error) {
    // The warehouse names a statement only in its answer, so that one cannot be cancelled before.
    if (error instanceof AbortError)
      settings.trackBackground(executing.then((operation) => operation.cancel()));
    throw error;
  }
}

async function loadFirstPage(
  settings: StatementSettings,
  operation: IOperation.default,
  pages: ResultPages,
  { parameters, signal }: StatementRun,
): Promise<FinishedStatement> {
  let ahead = pages.next();
  await waitUntilAborted(ahead, signal);
  let isOpen = true;
  return {
    async next() {
      try {
        const page = await waitUntilAborted(ahead, signal);
        // The next page is fetched while this one is converted and saved.
        ahead = page === null ? Promise.resolve(null) : pages.next();
        ahead.catch(() => {});
        return page;
      } catch (error) {
        if (error instanceof AbortError && isOpen) {
          isOpen = false;
          await cancel(settings, operation);
        }
        throw toInterruptionError(error, parameters);
      }
    },
    close() {
      if (isOpen) settings.trackBackground(signal.aborted ? operation.cancel() : operation.close());
      isOpen = false;
    },
  };
}

/** Cancels a statement, and waits a moment, because the thread may end before the request is sent. */
async function cancel({ trackBackground }: StatementSettings, operation: IOperation.default): Promise<void> {
  const cancelled = operation.cancel();
  trackBackground(cancelled);
  await Promise.race([
    Promise.allSettled([cancelled]),
    setTimeout(CANCEL_WAIT_MS, undefined, { ref: false }),
  ]);
}

const CANCEL_WAIT_MS = 1000;

const RUNNING = thrift.TCLIService_types.TOperationState.RUNNING_STATE;

/** Finds the part of the driver that holds the raw result. */
function findBackend(operation: IOperation.default): InstanceType<typeof ThriftOperationBackend> {
  if ('backend' in operation && operation.backend instanceof ThriftOperationBackend) return operation.backend;
  throw new Error('the driver returned an unknown kind of operation');
}

/** Reports that a statement has been waiting for some time, and afterwards that it runs. */
function createWaitingNotice(
  onWaiting: OnWaiting | undefined,
  afterMs: number,
): { readonly markRunning: () => void } {
  let isReported = false;
  const timer = globalThis.setTimeout(() => {
    isReported = true;
    onWaiting?.(true);
  }, afterMs);
  return {
    markRunning() {
      clearTimeout(timer);
      if (isReported) onWaiting?.(false);
      isReported = false;
    },
  };
}
