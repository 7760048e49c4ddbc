import { setTimeout } from 'node:timers/promises';
import { DBSQLParameter, thrift } from '@databricks/sql';
import type IOperation from '@databricks/sql/dist/contracts/IOperation.js';
import { AbortError, untilAborted } from '../abort.ts';
import type { OnWaiting, ParameterValue } from '../warehouse.ts';
import { type Chunk, openPages, type ResultPages } from './chunk.ts';
import { ThriftOperationBackend } from './driver.ts';
import { brokenOffError, isSessionLost, readableError } from './error.ts';
import type { DatabricksSessions, Session } from './session.ts';

export interface StatementRun {
  readonly sql: string;
  /** A value for each parameter that the statement names. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly signal: AbortSignal;
  readonly onWaiting: OnWaiting | undefined;
}

export interface StatementSettings {
  readonly sessions: DatabricksSessions;
  /** Rows to ask for at once. */
  readonly pageRows: number;
  readonly useCloudFetch: boolean;
  /** How long a statement may wait before that is told, in milliseconds. */
  readonly waitingNoticeMs: number;
  /** Is given what goes on after a statement has ended: its cancelling or closing in the warehouse. */
  readonly inBackground: (work: Promise<unknown>) => void;
}

/** A statement that has run, with its result ready to be read. */
export interface FinishedStatement {
  /**
   * The next rows, or null after the last.
   * @throws WarehouseError; AbortError within a second of the signal.
   */
  next(): Promise<Iterable<Chunk> | null>;
  /** Ends it in the warehouse; does not wait for that. */
  close(): void;
}

/**
 * Runs a statement until its first rows are there. The signal cancels it in the warehouse wherever it is, also while it
 * waits there.
 * @throws WarehouseError; AbortError within a second of the signal.
 */
export async function runStatement(
  settings: StatementSettings,
  run: StatementRun,
): Promise<FinishedStatement> {
  const notice = waitingNotice(run.onWaiting, settings.waitingNoticeMs);
  try {
    return await untilFirstRows(settings, run, notice.runs);
  } catch (error) {
    throw readableError(error, run.parameters);
  } finally {
    notice.runs();
  }
}

/** Runs it a second time where the session has ended meanwhile: nothing of the result has been handed out yet. */
async function untilFirstRows(
  settings: StatementSettings,
  run: StatementRun,
  onRunning: () => void,
): Promise<FinishedStatement> {
  const session = await untilAborted(settings.sessions.current(), run.signal);
  try {
    return await runInSession(settings, session, run, onRunning);
  } catch (error) {
    if (!isSessionLost(error)) throw error;
    settings.sessions.forget(session);
    const renewed = await untilAborted(settings.sessions.current(), run.signal);
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
    await untilAborted(
      operation.finished({
        callback: ({ operationState }) => {
          if (operationState === RUNNING) onRunning();
        },
      }),
      signal,
    );
    const pages = await untilAborted(
      openPages(settings.sessions, backendOf(operation), settings.pageRows),
      signal,
    );
    return await withFirstPage(settings, operation, pages, run);
  } catch (error) {
    if (error instanceof AbortError) await cancel(settings, operation);
    else settings.inBackground(operation.close());
    throw error;
  }
}

async function execute(
  settings: StatementSettings,
  session: Session,
  { sql, parameters, signal }: StatementRun,
): Promise<IOperation.default> {
  const executing = session.executeStatement(sql, {
    namedParameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, new DBSQLParameter({ value })]),
    ),
    maxRows: settings.pageRows,
    useCloudFetch: settings.useCloudFetch,
  });
  try {
    return await untilAborted(executing, signal);
  } catch (error) {
    // The warehouse names a statement only in its answer, so that one cannot be cancelled before.
    if (error instanceof AbortError) settings.inBackground(executing.then((operation) => operation.cancel()));
    throw error;
  }
}

async function withFirstPage(
  settings: StatementSettings,
  operation: IOperation.default,
  pages: ResultPages,
  { parameters, signal }: StatementRun,
): Promise<FinishedStatement> {
  let ahead = pages.next();
  await untilAborted(ahead, signal);
  let isOpen = true;
  return {
    async next() {
      try {
        const page = await untilAborted(ahead, signal);
        // The next page comes while this one is converted and kept.
        ahead = page === null ? Promise.resolve(null) : pages.next();
        ahead.catch(() => {});
        return page;
      } catch (error) {
        if (error instanceof AbortError && isOpen) {
          isOpen = false;
          await cancel(settings, operation);
        }
        throw brokenOffError(error, parameters);
      }
    },
    close() {
      if (isOpen) settings.inBackground(signal.aborted ? operation.cancel() : operation.close());
      isOpen = false;
    },
  };
}

/** Waits a moment for it, as the thread may end next and what it has not sent with it. */
async function cancel({ inBackground }: StatementSettings, operation: IOperation.default): Promise<void> {
  const cancelled = operation.cancel();
  inBackground(cancelled);
  await Promise.race([
    Promise.allSettled([cancelled]),
    setTimeout(CANCEL_WAIT_MS, undefined, { ref: false }),
  ]);
}

const CANCEL_WAIT_MS = 1000;

const RUNNING = thrift.TCLIService_types.TOperationState.RUNNING_STATE;

/** The part of the driver that holds the result as it came. */
function backendOf(operation: IOperation.default): InstanceType<typeof ThriftOperationBackend> {
  if ('backend' in operation && operation.backend instanceof ThriftOperationBackend) return operation.backend;
  throw new Error('The driver gave an operation of an unknown kind.');
}

/** Tells that a statement waits when it does so for long, and that it runs when that was told before. */
function waitingNotice(onWaiting: OnWaiting | undefined, afterMs: number): { readonly runs: () => void } {
  let isTold = false;
  const timer = globalThis.setTimeout(() => {
    isTold = true;
    onWaiting?.(true);
  }, afterMs);
  return {
    runs() {
      clearTimeout(timer);
      if (isTold) onWaiting?.(false);
      isTold = false;
    },
  };
}
