import { setTimeout } from 'node:timers/promises';
import { AbortError, throwIfAborted, waitUntilAborted } from '../abort.ts';
import { createMissingRowsError, readArrowChunks } from '../spark-sql/arrow-chunk.ts';
import type { Chunk } from '../spark-sql/chunk.ts';
import type { FinishedStatement, StatementRun } from '../spark-sql/statement.ts';
import type { TrackBackground } from '../spark-sql/statement-runner.ts';
import { findTag, keepHandle } from '../statement-tag.ts';
import { type OnWaiting, WarehouseError } from '../warehouse.ts';
import { isSessionLost, toInterruptionError, toReadableError } from './error.ts';
import { type Execution, startExecution } from './execution.ts';
import type { ArrowBatch, ExecutePlanResponse } from './messages.ts';
import { describeProgress } from './progress.ts';
import type { SparkSession, SparkSessions } from './session.ts';
import { formatHandle } from './statement-handle.ts';

export interface StatementSettings {
  readonly sessions: SparkSessions;
  /** Creates the id of a statement: a UUID. */
  readonly createId: () => string;
  /** The wait before the first retry of a request, in milliseconds. */
  readonly retryDelayMs: number;
  /** How long Spark may work on a statement, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Takes over work that outlives a statement: cancelling it in Spark. */
  readonly trackBackground: TrackBackground;
}

/**
 * Runs a statement until its first rows are available. The signal interrupts it in Spark.
 * @throws WarehouseError, or AbortError within a second of the signal.
 */
export async function runStatement(
  settings: StatementSettings,
  run: StatementRun,
): Promise<FinishedStatement> {
  const notice = createNotice(run.onWaiting);
  try {
    return await runUntilFirstRows(settings, run, notice);
  } catch (error) {
    notice.clear();
    throw toReadableError(error, run.parameters);
  }
}

/** Runs a statement, and a second time if the session has ended in the meantime; no rows have been returned yet. */
async function runUntilFirstRows(
  settings: StatementSettings,
  run: StatementRun,
  notice: Notice,
): Promise<FinishedStatement> {
  const session = await settings.sessions.get(run.signal, notice.showWaiting);
  try {
    return await runAndPutBack(settings, session, run, notice);
  } catch (error) {
    if (!isSessionLost(error)) throw error;
    settings.sessions.forget(session);
    const renewed = await settings.sessions.get(run.signal, notice.showWaiting);
    return await runAndPutBack(settings, renewed, run, notice);
  }
}

/** Runs a statement in a session, which it gives back at its end. */
async function runAndPutBack(
  settings: StatementSettings,
  session: SparkSession,
  run: StatementRun,
  notice: Notice,
): Promise<FinishedStatement> {
  try {
    const statement = await runInSession(settings, session, run, notice);
    return {
      next: () => statement.next(),
      close() {
        statement.close();
        settings.sessions.putBack(session);
      },
    };
  } catch (error) {
    settings.sessions.putBack(session);
    throw error;
  }
}

async function runInSession(
  settings: StatementSettings,
  session: SparkSession,
  { sql, parameters, signal }: StatementRun,
  notice: Notice,
): Promise<FinishedStatement> {
  const tag = findTag()?.replaceAll(',', ' ');
  if (tag !== undefined) await keepHandle(formatHandle({ sessionId: session.context.session_id, tag }));
  throwIfAborted(signal);
  const execution = startExecution(session, {
    ...{ sql, parameters, onRepeat: notice.showWaiting, operationId: settings.createId() },
    ...{ tag, retryDelayMs: settings.retryDelayMs },
  });
  const batches = readBatches(execution, settings.timeoutMs, notice);
  const cancel = () => cancelExecution(settings, execution);
  try {
    let ahead = batches.next();
    await waitUntilAborted(ahead, signal);
    return {
      async next() {
        try {
          const batch = await waitUntilAborted(ahead, signal);
          // The next batch is received while this one is converted and saved.
          ahead = batch === null ? Promise.resolve(null) : batches.next();
          ahead.catch(() => {});
          return batch === null ? null : toChunks(batch);
        } catch (error) {
          if (error instanceof AbortError || isTimeout(error)) await cancel();
          throw toInterruptionError(error, parameters);
        }
      },
      close() {
        notice.clear();
        settings.trackBackground(execution.cancel());
      },
    };
  } catch (error) {
    if (error instanceof AbortError || isTimeout(error)) await cancel();
    else settings.trackBackground(execution.cancel());
    throw error;
  }
}

interface Batches {
  /** @throws ServiceError of gRPC; WarehouseError INTERRUPTED if rows are missing; TimeoutError. */
  next(): Promise<ArrowBatch | null>;
}

/** Reads the batches of a statement. The time that Spark takes counts, and not the time that the rows take here. */
function readBatches(execution: Execution, timeoutMs: number | undefined, notice: Notice): Batches {
  let remainingMs = timeoutMs ?? Number.POSITIVE_INFINITY;
  let rowCount = 0;

  async function receive(): Promise<ArrowBatch | null> {
    for (;;) {
      const response = await execution.next();
      notice.showRunning(response);
      const batch = response?.arrow_batch;
      if (response === null) return null;
      if (batch === undefined) continue;
      if (batch.start_offset !== undefined && batch.start_offset !== rowCount) throw createMissingRowsError();
      rowCount += batch.row_count ?? 0;
      if (batch.row_count) return batch;
    }
  }

  return {
    async next() {
      const startedAt = performance.now();
      try {
        return await within(receive(), remainingMs, timeoutMs ?? 0);
      } finally {
        remainingMs -= performance.now() - startedAt;
      }
    },
  };
}

async function within<Result>(
  work: Promise<Result>,
  remainingMs: number,
  timeoutMs: number,
): Promise<Result> {
  if (remainingMs === Number.POSITIVE_INFINITY) return work;
  work.catch(() => {});
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = globalThis.setTimeout(() => reject(new TimeoutError(timeoutMs)), Math.max(remainingMs, 0));
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

class TimeoutError extends WarehouseError {
  constructor(timeoutMs: number) {
    super(
      'STATEMENT_FAILED',
      `The statement took longer than the ${timeoutMs / 1_000} seconds that one may take (BLADE_STATEMENT_TIMEOUT_SECONDS).`,
    );
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.constructor === TimeoutError;
}

function toChunks({ row_count: rowCount = 0, data = Buffer.alloc(0) }: ArrowBatch): Iterable<Chunk> {
  return readArrowChunks({ batches: [data], rowCount });
}

/** Cancels a statement, and waits a moment, because the thread may end before the request is sent. */
async function cancelExecution({ trackBackground }: StatementSettings, execution: Execution): Promise<void> {
  const cancelled = execution.cancel();
  trackBackground(cancelled);
  await Promise.race([
    Promise.allSettled([cancelled]),
    setTimeout(CANCEL_WAIT_MS, undefined, { ref: false }),
  ]);
}

const CANCEL_WAIT_MS = 900;

/** Shows that a statement waits for Spark, or how far it is there. */
interface Notice {
  readonly showWaiting: () => void;
  /** Called with each response, and with null at the end. */
  readonly showRunning: (response: ExecutePlanResponse | null) => void;
  readonly clear: () => void;
}

function createNotice(onWaiting: OnWaiting | undefined): Notice {
  let shown: boolean | string = false;
  const show = (what: boolean | string): void => {
    if (what !== shown) onWaiting?.(what);
    shown = what;
  };
  return {
    showWaiting: () => show(true),
    showRunning(response) {
      const progress = response?.execution_progress && describeProgress(response.execution_progress);
      if (progress) show(progress);
      else if (response === null || shown === true) show(false);
    },
    clear: () => show(false),
  };
}
