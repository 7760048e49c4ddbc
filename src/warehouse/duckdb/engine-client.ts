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

/** An engine in its own process, which is killed if it does not do what it is told. */
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

/** What is under way in an engine. */
interface Conversation {
  receive(reply: EngineReply, payload: Buffer): void;
  fail(error: Error): void;
}

/** Starts an engine in its own process. */
export function startEngine(start: EngineStart): EngineClient {
  const conversations = new Map<number, Conversation>();
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
    if (reply.kind === 'retire') isRetired = true;
    else if (reply.kind === 'stuck') endedBy ??= toError(reply.error);
    else conversations.get(reply.id)?.receive(reply, payload);
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
    for (const conversation of conversations.values()) conversation.fail(error);
    conversations.clear();
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
    // A large process takes a while to end, and whoever closes it waits.
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

  /** Opens a conversation, which the signal stops. */
  function converse(conversation: Conversation, signal: AbortSignal) {
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
      conversations.delete(id);
      if (conversations.size === 0) rest();
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
    }

    conversations.set(id, {
      receive(reply, payload) {
        if (reply.kind === 'answer' || reply.kind === 'failure') end();
        conversation.receive(reply, payload);
      },
      fail(error) {
        end();
        conversation.fail(error);
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
      const { id } = converse(
        {
          receive(reply) {
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
      const arrived: ReceivedBatch[] = [];
      const loads = new Map<number, PromiseWithResolvers<ColumnValues>>();
      let failure: Error | null = null;
      let isEnded = false;
      let kept = 0;
      let onArrival = () => {};

      const conversation = converse(
        {
          receive(reply, payload) {
            if (reply.kind === 'batch') arrived.push(toBatch(reply, payload));
            else if (reply.kind === 'rows') loads.get(reply.batch)?.resolve(parsePayload(payload));
            else if (reply.kind === 'failure') failure ??= toError(reply.error);
            isEnded ||= reply.kind === 'end';
            endIfDone();
            onArrival();
          },
          fail(error) {
            failure ??= error;
            for (const { reject } of loads.values()) reject(describeFailure(failure));
            onArrival();
          },
        },
        signal,
      );
      const { id } = conversation;
      tell({
        kind: 'read',
        id,
        request: { ...request, keepsRows: isKnown !== undefined, batches: BATCHES_AHEAD },
      });

      const describeFailure = (error: Error) => (signal.aborted ? new AbortError(signal.reason) : error);

      function endIfDone(): void {
        if (!isEnded || kept > 0) return;
        tell({ kind: 'stop', id });
        conversation.end();
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
            if (failure !== null) throw describeFailure(failure);
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
              tell({ kind: 'more', id });
              return batch;
            }
            if (failure !== null) throw describeFailure(failure);
            if (isEnded) return null;
            const { promise, resolve } = Promise.withResolvers<void>();
            onArrival = resolve;
            await promise;
          }
        },
        async close() {
          if (isEnded) return;
          conversation.stop();
          await conversation.over;
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
    env: Object.fromEntries(environment),
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
