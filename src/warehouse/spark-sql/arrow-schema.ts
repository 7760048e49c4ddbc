import { WarehouseError } from '../warehouse.ts';
import { arrow, type Field, type Schema } from './arrow.ts';

/** The schema of a stream of Arrow that this version of Arrow can read, and what it cannot say itself. */
export interface ReadableSchema {
  /** The stream, with types of the same form instead of those that Arrow does not know. */
  readonly bytes: Buffer;
  /** Marks the fields of a schema read from these bytes that have another type than they say. */
  mark(schema: Schema): void;
}

/**
 * Makes the schema at the start of a stream readable. Arrow refuses every schema with a Duration; a Timestamp without a zone
 * has the same form, in the schema and in the batches.
 * @throws WarehouseError STATEMENT_FAILED for other types that Arrow does not know.
 */
export function toReadableSchema(stream: Buffer): ReadableSchema {
  const durations: (readonly number[])[] = [];
  const bytes = Buffer.from(stream);
  const message = followOffset(bytes, PREFIX_BYTES);
  const header = findMember(bytes, message, 2);
  if (readByte(bytes, findMember(bytes, message, 1)) === SCHEMA && header !== null)
    replaceDurations(bytes, findMember(bytes, followOffset(bytes, header), 1), [], durations);
  if (durations.length === 0) return { bytes: stream, mark: () => {} };
  return {
    bytes,
    mark({ fields }) {
      for (const path of durations) findField(fields, path)?.metadata.set(DURATION, 'true');
    },
  };
}

/** Whether a field that Arrow takes for a Timestamp is a Duration. */
export function isDuration(field: Field): boolean {
  return field.metadata.has(DURATION);
}

const DURATION = 'blade:duration';

/** The mark and the length before a message. */
const PREFIX_BYTES = 8;

/** The kind of message that is a schema. */
const SCHEMA = 1;

const { Timestamp } = arrow.Type;

/** Duration, as the format numbers its types. */
const DURATION_TYPE = 18;

/** @param list the position of a list of fields; null for none. @param found receives the paths of the replaced ones. */
function replaceDurations(
  bytes: Buffer,
  list: number | null,
  path: readonly number[],
  found: (readonly number[])[],
): void {
  if (list === null) return;
  const vector = followOffset(bytes, list);
  for (let index = 0; index < bytes.readUInt32LE(vector); index += 1) {
    const field = followOffset(bytes, vector + 4 + 4 * index);
    const own = [...path, index];
    const type = findMember(bytes, field, 2);
    if (type !== null && bytes[type] === DURATION_TYPE) {
      bytes[type] = Timestamp;
      found.push(own);
    }
    if (type !== null && (bytes[type] ?? 0) > DURATION_TYPE) throw createUnknownTypeError(bytes, field);
    replaceDurations(bytes, findMember(bytes, field, 5), own, found);
  }
}

function createUnknownTypeError(bytes: Buffer, field: number): WarehouseError {
  const member = findMember(bytes, field, 0);
  const start = member === null ? null : followOffset(bytes, member);
  const name = start === null ? '' : bytes.toString('utf8', start + 4, start + 4 + bytes.readUInt32LE(start));
  return new WarehouseError(
    'STATEMENT_FAILED',
    `Column ${name} has a type that cannot be read: read it as CAST(${name} AS STRING), such as from a view.`,
  );
}

function findField(fields: readonly Field[], [first, ...rest]: readonly number[]): Field | undefined {
  const field = fields[first ?? 0];
  return rest.length === 0 ? field : findField(field?.type.children ?? [], rest);
}

/** Finds a member of a table in a flat buffer; null if it is left out. */
function findMember(bytes: Buffer, table: number, index: number): number | null {
  const members = table - bytes.readInt32LE(table);
  const slot = 4 + 2 * index;
  if (slot >= bytes.readUInt16LE(members)) return null;
  const offset = bytes.readUInt16LE(members + slot);
  return offset === 0 ? null : table + offset;
}

function followOffset(bytes: Buffer, position: number): number {
  return position + bytes.readUInt32LE(position);
}

function readByte(bytes: Buffer, position: number | null): number | null {
  return position === null ? null : (bytes[position] ?? null);
}
