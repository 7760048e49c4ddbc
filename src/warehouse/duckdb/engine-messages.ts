import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { JsonValue } from '../../shared/json.ts';
import { setKey } from '../value.ts';
import type { ReadPosition, TableName, WarehouseErrorCode } from '../warehouse.ts';
import type { ColumnValues, EngineReadOptions, EngineStatement, FileVersion } from './engine.ts';

/** What an engine is started with. */
export interface EngineStart {
  readonly folder: string;
  readonly overflow: string;
  readonly timeoutMs: number | null;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** What is asked of an engine, answered by one value. */
export type EngineQuestion =
  | { readonly method: 'describeTable' | 'findKnownTypes' | 'countUnreadable'; readonly table: TableName }
  | { readonly method: 'findVersion' | 'findContents'; readonly tables: readonly TableName[] }
  | { readonly method: 'countRows'; readonly statement: EngineStatement }
  /** Answered by a `PreparedRead`. */
  | {
      readonly method: 'prepareRead';
      readonly statement: EngineStatement;
      readonly options: EngineReadOptions;
    };

export interface PreparedRead {
  readonly resumed: boolean;
  readonly versions: readonly FileVersion[];
}

/** A read, answered by batches, as many as were asked for. */
export interface EngineReadRequest {
  readonly statement: EngineStatement;
  readonly options: EngineReadOptions;
  /** The versions of the files when it was prepared. */
  readonly versions: readonly FileVersion[];
  /** Whether the rows of batches with a fingerprint stay in the engine until they are loaded or released. */
  readonly keepsRows: boolean;
  /** How many batches to send before more are asked for. */
  readonly batches: number;
}

/** A message to an engine. Those with the same id belong to one question or read. */
export type EngineOrder =
  | { readonly kind: 'start'; readonly start: EngineStart }
  | { readonly kind: 'ask'; readonly id: number; readonly question: EngineQuestion }
  | { readonly kind: 'read'; readonly id: number; readonly request: EngineReadRequest }
  /** Asks for another batch, and decides anew whether rows stay in the engine. */
  | { readonly kind: 'more'; readonly id: number; readonly keepsRows: boolean }
  | { readonly kind: 'load' | 'release'; readonly id: number; readonly batch: number }
  /** Ends it, wherever it is. */
  | { readonly kind: 'stop'; readonly id: number };

/** A message from an engine. */
export type EngineReply =
  /** Answers a question. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  /** A batch; the values of its rows are the payload, unless they are kept. */
  | ({ readonly kind: 'batch'; readonly id: number } & BatchHead)
  /** Rows that were kept, as the payload. */
  | { readonly kind: 'rows'; readonly id: number; readonly batch: number }
  /** Kept rows that cannot be sent. */
  | { readonly kind: 'lost rows'; readonly id: number; readonly batch: number; readonly error: SentError }
  /** The last batch was sent. */
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError }
  /** The engine should get no more work. */
  | { readonly kind: 'retire' }
  /** The engine is about to end its process, because a statement exceeds a limit. */
  | { readonly kind: 'stuck'; readonly error: SentError };

export interface BatchHead {
  /** The number of the batch in its read. */
  readonly batch: number;
  readonly size: number;
  readonly names: readonly string[];
  readonly textNames: readonly string[];
  readonly unreadable: readonly string[] | null;
  readonly fingerprint: string | null;
  readonly position: ReadPosition;
  readonly isKept: boolean;
}

export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Null for an error that is not of the warehouse. */
  readonly code: WarehouseErrorCode | null;
  /** Whether a full disk caused it. */
  readonly isDiskFull: boolean;
}

/** Both processes run the same Node, so values keep their types, and are written and read faster than JSON. */
export function toPayload(values: ColumnValues): Buffer {
  try {
    return serialize(values);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return serialize(values.map((column) => column.map((value) => cutDepth(value, MAX_SENT_DEPTH))));
  }
}

/** Far more levels than an item may have, and far fewer than V8 can send. */
const MAX_SENT_DEPTH = 500;

/** Replaces what is nested deeper than so many levels by null. */
function cutDepth(value: JsonValue, depth: number): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return null;
  if (Array.isArray(value)) return value.map((item) => cutDepth(item, depth - 1));
  const object: Record<string, JsonValue> = {};
  for (const [key, inner] of Object.entries(value)) setKey(object, key, cutDepth(inner, depth - 1));
  return object;
}

export function parsePayload(payload: Buffer): ColumnValues {
  return deserialize(payload);
}

const HEAD_BYTES = 8;

/** Sends a message, which is followed by its payload. */
export function send(stream: Duplex, message: EngineOrder | EngineReply, payload?: Buffer): void {
  const body = serialize(message);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(payload?.length ?? 0, 4);
  stream.cork();
  stream.write(head);
  stream.write(body);
  if (payload !== undefined) stream.write(payload);
  stream.uncork();
}

/** Calls back for each message of a stream, with its payload, which is empty if there is none. */
export function receive<Message extends EngineOrder | EngineReply>(
  stream: Duplex,
  onMessage: (message: Message, payload: Buffer) => void,
): void {
  let parts: Buffer[] = [];
  let bytes = 0;
  let wanted = HEAD_BYTES;
  stream.on('data', (part: Buffer) => {
    parts.push(part);
    bytes += part.length;
    while (bytes >= wanted) {
      const whole = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
      const bodyBytes = whole.readUInt32LE(0);
      const end = HEAD_BYTES + bodyBytes + whole.readUInt32LE(4);
      const isWhole = whole.length >= end;
      parts = [isWhole ? whole.subarray(end) : whole];
      bytes = isWhole ? whole.length - end : whole.length;
      wanted = isWhole ? HEAD_BYTES : end;
      if (!isWhole) continue;
      const bodyEnd = HEAD_BYTES + bodyBytes;
      onMessage(deserialize(whole.subarray(HEAD_BYTES, bodyEnd)), whole.subarray(bodyEnd, end));
    }
  });
}
