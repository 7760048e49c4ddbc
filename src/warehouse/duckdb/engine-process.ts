// The process of an engine, which `engine-client.ts` starts. It serves the pipe at descriptor 3, and ends with it.
import { rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import { collectGarbage } from '../../shared/collect-garbage.ts';
import { isDiskFull } from '../../shared/full-disk.ts';
import { AbortError } from '../abort.ts';
import { WarehouseError } from '../warehouse.ts';
import { type Engine, type EngineBatch, openEngine } from './engine.ts';
import {
  type EngineOrder,
  type EngineQuestion,
  type EngineReadRequest,
  type EngineReply,
  type EngineStart,
  receive,
  type SentError,
  send,
  toPayload,
} from './engine-messages.ts';
import { isEngineFault } from './error.ts';
import { createMemoryError } from './overrun.ts';

/** A question or a read that is under way. */
interface RunningCall {
  readonly stop: AbortController;
  readonly kept: Map<number, EngineBatch>;
  /** Batches that may be sent. */
  credit: number;
  /** Whether the rows of batches with a fingerprint stay here until they are loaded or released. */
  keepsRows: boolean;
  /** Called when another batch may be sent. */
  onCredit: () => void;
}

const pipe = new Socket({ fd: 3, readable: true, writable: true });
const calls = new Map<number, RunningCall>();
let started: EngineStart | null = null;
let opening: Promise<Engine> | null = null;

// They reach every process of a terminal or a service, and the server ends its engines once it is done with them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The server must not wait for the engine, nor must the system end the server for the memory of the engine.
attempt(() => setPriority(constants.priority.PRIORITY_BELOW_NORMAL));
if (process.platform === 'linux') attempt(() => writeFileSync('/proc/self/oom_score_adj', '800'));

pipe.on('error', () => {});
pipe.on('close', endProcess);
receive<EngineOrder>(pipe, (order) => {
  switch (order.kind) {
    case 'start':
      started = order.start;
      opening = openEngine({ ...order.start, onStuck: endStuck });
      opening.catch(() => {});
      return watchMemory(order.start);
    case 'ask':
      return void runCall(order.id, (call) => answer(order.id, order.question, call));
    case 'read':
      return void runCall(order.id, (call) => read(order.id, order.request, call));
    case 'more':
      return grantBatch(order.id, order.keepsRows);
    case 'load':
      return sendRows(order.id, order.batch);
    case 'release':
      return void calls.get(order.id)?.kept.delete(order.batch);
    case 'stop':
      calls.get(order.id)?.stop.abort();
      return void calls.delete(order.id);
  }
});

/** Ends the process at once, also while the engine works, which `process.exit` would wait for. */
function endProcess(): never {
  if (started !== null) {
    const { overflow } = started;
    attempt(() => rmSync(overflow, { recursive: true, force: true }));
  }
  process.kill(process.pid, 'SIGKILL');
  throw new Error('the process was killed');
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // What could not be done only makes things better.
  }
}

function reply(message: EngineReply, payload?: Buffer): void {
  send(pipe, message, payload);
}

/** Ends everything under way with the reason, and the process. */
function endStuck(reason: WarehouseError): void {
  reply({ kind: 'stuck', error: toSentError(reason) });
  pipe.end(endProcess);
}

/** Ends the process before it takes more memory than it may: what grows so fast does not wait until a statement stops. */
function watchMemory({ memoryBytes }: EngineStart): void {
  setInterval(() => {
    if (calls.size === 0 || process.memoryUsage.rss() <= memoryBytes * EXCESS) return;
    collectGarbage();
    if (process.memoryUsage.rss() > memoryBytes * EXCESS) endStuck(createMemoryError(memoryBytes));
  }, MEMORY_INTERVAL_MS);
}

const MEMORY_INTERVAL_MS = 20;

/** How much more memory than allowed the process may take while its statement is stopped. */
const EXCESS = 1.25;

/** With more memory than this after a statement, relative to the limit, the process takes no other. */
const RETIRING = 0.7;

async function runCall(id: number, work: (call: RunningCall) => Promise<EngineReply>): Promise<void> {
  const call: RunningCall = {
    stop: new AbortController(),
    kept: new Map(),
    credit: 0,
    keepsRows: false,
    onCredit() {},
  };
  calls.set(id, call);
  const last = await work(call).catch((error: unknown): EngineReply => {
    if (isEngineFault(error)) reply({ kind: 'retire' });
    return { kind: 'failure', id, error: toSentError(error) };
  });
  // The rows of a read that is over may still be loaded.
  if (call.kept.size === 0) calls.delete(id);
  retireIfLarge();
  reply(last);
}

function retireIfLarge(): void {
  if (started === null || process.memoryUsage.rss() <= started.memoryBytes * RETIRING) return;
  collectGarbage();
  if (process.memoryUsage.rss() > started.memoryBytes * RETIRING) reply({ kind: 'retire' });
}

async function openedEngine(): Promise<Engine> {
  if (opening === null) throw new Error('the engine was not started');
  return opening;
}

async function answer(id: number, question: EngineQuestion, { stop }: RunningCall): Promise<EngineReply> {
  return { kind: 'answer', id, value: await findAnswer(await openedEngine(), question, stop.signal) };
}

async function findAnswer(engine: Engine, question: EngineQuestion, signal: AbortSignal): Promise<unknown> {
  switch (question.method) {
    case 'findKnownTypes':
      return engine.findKnownTypes(question.table, signal);
    case 'describeTable':
      return engine.describeTable(question.table, signal);
    case 'findVersion':
      return engine.findVersion(question.tables, signal);
    case 'findContents':
      return engine.findContents(question.tables, signal);
    case 'countUnreadable':
      return engine.countUnreadable(question.table, signal);
    case 'countRows':
      return engine.countRows(question.statement, signal);
    case 'prepareRead': {
      const { resumed, versions } = await engine.readRows(question.statement, question.options, signal);
      return { resumed, versions };
    }
  }
}

async function read(id: number, request: EngineReadRequest, call: RunningCall): Promise<EngineReply> {
  const { statement, options } = request;
  const { stop, kept } = call;
  call.credit = request.batches;
  call.keepsRows = request.keepsRows;
  const engine = await openedEngine();
  const { versions, batches } = await engine.readRows(statement, options, stop.signal);
  for (const [index, { label, version }] of request.versions.entries()) {
    const now = versions[index];
    if (now?.label !== label || now.version !== version)
      throw new WarehouseError('CHANGED', `${label} was changed while it was read.`);
  }
  let number = 0;
  for await (const batch of batches) {
    await waitForCredit(call);
    const { size, names, textNames, unreadable = null, fingerprint, position } = batch;
    const isKept = call.keepsRows && fingerprint !== null;
    if (isKept) kept.set(number, batch);
    const head = { batch: number, size, names, textNames, unreadable, fingerprint, position, isKept };
    reply({ kind: 'batch', id, ...head }, isKept ? undefined : toPayload(batch.readValues()));
    number += 1;
  }
  return { kind: 'end', id };
}

/** @throws AbortError once the call is stopped. */
async function waitForCredit(call: RunningCall): Promise<void> {
  const { signal } = call.stop;
  while (call.credit === 0 && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    call.onCredit = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }
  if (signal.aborted) throw new AbortError(signal.reason);
  call.credit -= 1;
}

function grantBatch(id: number, keepsRows: boolean): void {
  const call = calls.get(id);
  if (call === undefined) return;
  call.keepsRows = keepsRows;
  call.credit += 1;
  call.onCredit();
}

function sendRows(id: number, number: number): void {
  const kept = calls.get(id)?.kept;
  const batch = kept?.get(number);
  kept?.delete(number);
  if (batch === undefined) return;
  try {
    reply({ kind: 'rows', id, batch: number }, toPayload(batch.readValues()));
  } catch (error) {
    reply({ kind: 'lost rows', id, batch: number, error: toSentError(error) });
  }
}

function toSentError(error: unknown): SentError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof WarehouseError ? error.code : null;
  return { name, message, stack, code, isDiskFull: isDiskFull(error) };
}
