import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { resolveModuleUrl } from '../../shared/module-url.ts';
import { AbortError, throwIfAborted } from '../abort.ts';
import { type ReadPosition, WarehouseError } from '../warehouse.ts';
import type { ColumnValues } from './engine.ts';
import {
  type BatchHead,
  type EngineOrder,
  type EngineQuestion,
  type EngineReadRequest,
  type EngineReply,
  type EngineStart,
  parsePayload,
  receive,
  type SentError,
  send,
} from './engine-messages.ts';
import { countOomKills } from './oom-kills.ts';
import {
  createCrashError,
  createKilledError,
  createMemoryError,
  MEGABYTE,
  STOP_GRACE_MS,
} from './overrun.ts';

/** An engine in its own process, which is killed if it does not respond. */
export interface EngineClient {
  /** Whether it takes no more work: it has ended, is about to, or has grown. */
  readonly isRetired: boolean;
  /** @throws WarehouseError; AbortError soon after the signal, whatever the engine does. */
  ask<Answer>(question: EngineQuestion, signal: AbortSignal): Promise<Answer>;
  /** Starts a read. @param isKnown says whether the rows of a batch may stay in the engine. */
  read(
    request: Omit<EngineReadRequest, 'keepsRows' | 'batches'>,
    signal: AbortSignal,
    isKnown: ((fingerprint: string) => boolean) | undefined,
  ): EngineReading;
  /** Ends the engine, with everything that is under way. */
  close(): Promise<void>;
  /** Resolves once its process has ended, for whatever reason, and its temporary files are removed. */
  readonly ended: Promise<void>;
}

/** A read that is under way. */
export interface EngineReading {
  /**
   * Returns the next batch; null after the last.
   * @throws WarehouseError; AbortError soon after the signal, whatever the engine does.
   */
  next(): Promise<ReceivedBatch | null>;
  /** Ends it wherever it is. Batches whose rows are kept stay usable if it has reached its end. */
  close(): Promise<void>;
}

export interface ReceivedBatch {
  readonly size: number;
  readonly names: readonly string[];
  readonly textNames: readonly string[];
  readonly unreadable: readonly string[] | null;
  readonly fingerprint: string | null;
  readonly position: ReadPosition;
  /** Null while they are kept in the engine. */
  readonly values: (() => ColumnValues) | null;
  loadValues(): Promise<ColumnValues>;
  release(): void;
}

/** How many batches an engine prepares ahead. */
const BATCHES_AHEAD = 2;

/** How long an engine is kept without work, in milliseconds: less than a thread, whose end would leave a defunct process. */
const IDLE_TIMEOUT_MS = 5_000;

/** What an engine may see of the environment: where the system finds libraries, and compiled code. */
const ENVIRONMENT = ['SystemRoot', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'NODE_COMPILE_CACHE'] as const;

/**
 * Lets the allocator of DuckDB (jemalloc, on Linux) return what is as large as pages of Parquet at once: it would keep hundreds
 * of megabytes.
 */
export const ALLOCATOR = { DUCKDB_JE_MALLOC_CONF: 'oversize_threshold:1000000' };

/** What is under way in an engine. */
interface PendingCall {
  receive(reply: EngineReply, payload: Buffer): void;
  /** Called after the order to stop it was sent. */
  stopped?(): void;
  /** Called when the engine has ended. */
  fail(error: Error): void;
}

/** Starts an engine in its own process. */
export function startEngine(start: EngineStart): EngineClient {
  const calls = new Map<number, PendingCall>();
  const oomKills = countOomKills();
  const child = spawnEngine(start);
  const pipe = findSocket(child.stdio[3]);
  const errors = findSocket(child.stderr);
  let lastId = 0;
  let isRetired = false;
  let endedBy: Error | null = null;
  let lastErrors = '';
  let idle: NodeJS.Timeout | undefined;
  const { promise: ended, resolve: resolveEnded } = Promise.withResolvers<void>();

  pipe.on('error', () => {});
  errors.on('data', (text: Buffer) => {
    lastErrors = (lastErrors + text).slice(-MAX_ERROR_CHARACTERS);
  });
  child.on('error', (error) => {
    if (child.pid === undefined)
      void finish(
        new WarehouseError('INTERRUPTED', `The engine of the statement cannot be started: ${error.message}`),
      );
  });
  child.on('close', (code, signal) => void finish(endedBy ?? describeEnd(code, signal)));
  receive<EngineReply>(pipe, (reply, payload) => {
    if (reply.kind === 'retire' || reply.kind === 'stuck') isRetired = true;
    if (reply.kind === 'stuck') endedBy ??= toError(reply.error);
    else if (reply.kind !== 'retire') calls.get(reply.id)?.receive(reply, payload);
  });
  tell({ kind: 'start', start });
  rest();

  function tell(order: EngineOrder): void {
    if (pipe.writable) send(pipe, order);
  }

  function describeEnd(code: number | null, signal: NodeJS.Signals | null): Error {
    const how = signal ?? `code ${code}`;
    const now = countOomKills();
    if (
      /heap out of memory|bad_alloc/.test(lastErrors) ||
      (now !== null && oomKills !== null && now > oomKills)
    )
      return createMemoryError(start.memoryBytes);
    const isKilled =
      signal === 'SIGKILL' || signal === 'SIGTERM' || (process.platform === 'win32' && code === 1);
    return isKilled ? createKilledError(how) : createCrashError(how);
  }

  async function finish(error: Error): Promise<void> {
    isRetired = true;
    clearTimeout(idle);
    await rm(start.overflow, { recursive: true, force: true }).catch(() => {});
    for (const call of calls.values()) call.fail(error);
    calls.clear();
    resolveEnded();
  }

  /** Kills the engine. What is under way ends with the error. */
  function kill(error: Error): void {
    isRetired = true;
    endedBy ??= error;
    child.kill('SIGKILL');
  }

  async function close(): Promise<void> {
    isRetired = true;
    clearTimeout(idle);
    endedBy ??= new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    pipe.destroy();
    // A large process takes a while to exit, and close() waits for that.
    child.ref();
    const grace = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await ended;
    clearTimeout(grace);
  }

  /** An engine without work keeps no program alive, and ends after some time. */
  function rest(): void {
    child.unref();
    pipe.unref();
    errors.unref();
    idle = setTimeout(() => void close(), isRetired ? 0 : IDLE_TIMEOUT_MS).unref();
  }

  function work(): void {
    clearTimeout(idle);
    child.ref();
    pipe.ref();
  }

  /** Opens a call, which the signal stops. */
  function openCall(call: PendingCall, signal: AbortSignal) {
    throwIfAborted(signal);
    const id = ++lastId;
    let grace: NodeJS.Timeout | undefined;
    let isOpen = true;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    work();

    function end(): void {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(grace);
      signal.removeEventListener('abort', stop);
      calls.delete(id);
      if (calls.size === 0) rest();
      resolve();
    }

    /** Tells the engine to stop, and kills it if it does not. */
    function stop(): void {
      if (!isOpen) return;
      tell({ kind: 'stop', id });
      grace ??= setTimeout(
        () =>
          kill(new WarehouseError('INTERRUPTED', 'The engine of the statement was ended with another one.')),
        STOP_GRACE_MS,
      );
      call.stopped?.();
    }

    calls.set(id, {
      receive: (reply, payload) => call.receive(reply, payload),
      fail(error) {
        end();
        call.fail(error);
      },
    });
    signal.addEventListener('abort', stop, { once: true });
    return { id, end, stop, over };
  }

  return {
    get isRetired() {
      return isRetired;
    },

    async ask<Answer>(question: EngineQuestion, signal: AbortSignal): Promise<Answer> {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const fail = (error: Error) => reject(signal.aborted ? new AbortError(signal.reason) : error);
      const { id, end } = openCall(
        {
          receive(reply) {
            end();
            if (reply.kind === 'answer') resolve(reply.value as Answer);
            else if (reply.kind === 'failure') fail(toError(reply.error));
          },
          fail,
        },
        signal,
      );
      tell({ kind: 'ask', id, question });
      const answer = await promise;
      throwIfAborted(signal);
      return answer;
    },

    read(request, signal, isKnown) {
      const arrived: Promise<ReceivedBatch>[] = [];
      const loads = new Map<number, PromiseWithResolvers<ColumnValues>>();
      let failure: Error | null = null;
      let isOver = false;
      let isClosed = false;
      let kept = 0;
      let isLastKnown = isKnown !== undefined;
      let onArrival = () => {};

      const call = openCall(
        {
          receive(reply, payload) {
            if (reply.kind === 'batch') arrived.push(toNeededBatch(reply, payload));
            else if (reply.kind === 'rows') loads.get(reply.batch)?.resolve(parsePayload(payload));
            else if (reply.kind === 'lost rows') loads.get(reply.batch)?.reject(toError(reply.error));
            else if (reply.kind === 'failure') failure ??= toError(reply.error);
            isOver ||= reply.kind === 'end' || reply.kind === 'failure';
            endIfDone();
            onArrival();
          },
          stopped() {
            isClosed = true;
            endIfDone();
          },
          fail(error) {
            failure ??= error;
            rejectLoads(error);
            onArrival();
          },
        },
        signal,
      );
      const { id } = call;
      tell({
        kind: 'read',
        id,
        request: { ...request, keepsRows: isKnown !== undefined, batches: BATCHES_AHEAD },
      });

      const describeFailure = (error: Error) => (signal.aborted ? new AbortError(signal.reason) : error);

      function rejectLoads(error: Error): void {
        for (const { reject } of loads.values()) reject(describeFailure(error));
      }

      /** Ends the call after the last batch, once no rows of it are kept. */
      function endIfDone(): void {
        if (!isOver || (kept > 0 && !isClosed)) return;
        tell({ kind: 'stop', id });
        call.end();
        rejectLoads(new WarehouseError('INTERRUPTED', 'The read was ended before its rows were loaded.'));
      }

      /** Loads the rows of a batch that is not known, as soon as its fingerprint has come. */
      function toNeededBatch(head: BatchHead, payload: Buffer): Promise<ReceivedBatch> {
        const batch = toBatch(head, payload);
        isLastKnown = batch.fingerprint !== null && isKnown?.(batch.fingerprint) === true;
        if (batch.values !== null || isLastKnown) return Promise.resolve(batch);
        const needed = batch.loadValues().then((values) => ({ ...batch, values: () => values }));
        needed.catch(() => {});
        return needed;
      }

      function toBatch(head: BatchHead, payload: Buffer): ReceivedBatch {
        const { batch, isKept, ...rest } = head;
        if (!isKept) {
          const values = () => parsePayload(payload);
          return { ...rest, values, loadValues: async () => values(), release() {} };
        }
        let isOpen = true;
        kept += 1;
        const release = () => {
          if (!isOpen) return;
          isOpen = false;
          kept -= 1;
          loads.delete(batch);
          tell({ kind: 'release', id, batch });
          endIfDone();
        };
        const loading = Promise.withResolvers<ColumnValues>();
        loading.promise.catch(() => {});
        loads.set(batch, loading);
        return {
          ...rest,
          values: null,
          async loadValues() {
            tell({ kind: 'load', id, batch });
            return loading.promise.finally(release);
          },
          release,
        };
      }

      return {
        async next() {
          for (;;) {
            const batch = arrived.shift();
            throwIfAborted(signal);
            if (batch !== undefined) {
              // Where one batch is not known, the next is probably not either.
              tell({ kind: 'more', id, keepsRows: isLastKnown });
              return batch;
            }
            if (failure !== null) throw describeFailure(failure);
            if (isOver) return null;
            const { promise, resolve } = Promise.withResolvers<void>();
            onArrival = resolve;
            await promise;
          }
        },
        async close() {
          if (isOver) return;
          call.stop();
          await call.over;
        },
      };
    },

    close,
    ended,
  };
}

const MAX_ERROR_CHARACTERS = 4_000;

function spawnEngine({ memoryBytes }: EngineStart): ChildProcess {
  const environment = ENVIRONMENT.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  // The values of a few batches at once.
  const heapMegabytes = Math.ceil(memoryBytes / 2 / MEGABYTE);
  const script = fileURLToPath(resolveModuleUrl('./engine-process', import.meta.url));
  return spawn(process.execPath, [`--max-old-space-size=${heapMegabytes}`, script], {
    stdio: ['ignore', 'ignore', 'pipe', 'overlapped'],
    env: { ...Object.fromEntries(environment), ...ALLOCATOR },
    windowsHide: true,
  });
}

function findSocket(stream: unknown): Socket {
  if (!(stream instanceof Socket)) throw new Error('a pipe to the engine is missing');
  return stream;
}

function toError({ name, message, stack, code, isDiskFull }: SentError): Error {
  const cause = isDiskFull ? { cause: Object.assign(new Error(message), { code: 'ENOSPC' }) } : {};
  if (code !== null) return new WarehouseError(code, message, cause);
  const error = new Error(message, cause);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
