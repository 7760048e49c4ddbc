import { hash } from 'node:crypto';
import { DERIVED_ID, type RowItem } from '../data-types/blade-item.ts';
import { isAbsent, isNumeric, isWrittenNumber } from '../data-types/column-kind.ts';
import type { DataType } from '../data-types/data-type.ts';
import {
  HIGHEST_MARKING,
  MARKINGS,
  type Marking,
  parseMarking,
  pickHigherMarking,
} from '../data-types/marking.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import { isStorableText } from '../shared/storable-text.ts';
import type { Row } from '../warehouse/warehouse.ts';
import {
  toCanonicalJson,
  toCanonicalRowJson,
  toCanonicalText,
  UnstorableValueError,
} from './canonical-json.ts';
import { type CheckedCursor, findCursorProblem } from './cursor.ts';
import { describeName, describeValue } from './printable.ts';
import { createShapeFinder, type RowShape } from './row-shape.ts';

export interface TransformOptions {
  readonly dataType: DataType;
  /** Where the rows come from; written into every item's metadata. */
  readonly sourceMetadata: JsonObject;
  /** Replaces the source metadata in content hashes, so that renaming the source does not change them. Default: the same. */
  readonly hashedMetadata?: JsonObject;
  /** Every item is marked at least this high, whatever its row states. */
  readonly lowestMarking?: Marking;
  /** The cursor column, if each row must have a value of its type, or none. */
  readonly cursor?: CheckedCursor;
  /** Overrides the source metadata, key by key. */
  readonly extraMetadata?: JsonObject;
}

export type TransformOutcome =
  | { readonly ok: true; readonly item: RowItem }
  | {
      readonly ok: false;
      /** The id the item would have, shortened if it is too long; null if the row has none. */
      readonly itemId: string | null;
      /** Names the column and what would work; safe to store, and to show to principals cleared for the row. */
      readonly message: string;
      /** The marking of the row; the highest if it is unknown. */
      readonly marking: Marking;
    };

/** Turns a row into an item, or returns what is wrong with it. Never throws. */
export type Transform = (row: Row, origin?: RowOrigin) => TransformOutcome;

/** Where a row comes from. */
export interface RowOrigin {
  /** The columns whose values were texts there, which become numbers where the data type has numbers and they say just one. */
  readonly textColumns?: ReadonlySet<string>;
  /** The id of the stored item whose data the row is. */
  readonly storedId?: string | null | undefined;
}

/** The longest item id, in UTF-16 code units, so that every id fits into a PostgreSQL index. */
export const MAX_ITEM_ID_LENGTH = 512;

/** The largest data of an item, in bytes of its JSON text. */
export const MAX_DATA_BYTES = 1_048_576;

/**
 * Creates the transform for the rows of one source. It caches what it learns about their columns, so use one for many rows.
 * @throws UnstorableValueError if the metadata cannot be stored; see `checkMetadata`.
 */
export function createTransform(options: TransformOptions): Transform {
  const { dataType, lowestMarking, cursor, sourceMetadata, hashedMetadata = sourceMetadata } = options;
  const { extraMetadata } = options;
  const metadata = mergeJson(sourceMetadata, extraMetadata ?? {});
  const hashed = mergeJson(hashedMetadata, extraMetadata ?? {});
  const queryMetadata = extraMetadata === undefined ? null : toCanonicalJson(extraMetadata);
  const findShape = createShapeFinder(
    new Set([...dataType.columns.map((column) => column.name), ...MARKING_COLUMNS]),
    // Ids are equal if their texts are.
    new Set(
      dataType.columns.flatMap(({ name, kind, identifying }) =>
        isNumeric(kind) && !identifying ? name : [],
      ),
    ),
  );

  function transform(row: Row, { textColumns = NONE, storedId = null }: RowOrigin): TransformOutcome {
    const shape = findShape(row);
    if (shape.problem !== null) return createFailure(null, HIGHEST_MARKING, shape.problem);
    const known = shape.isRenamed ? pickKnownValues(row, shape) : row;
    const writtenId = findItemId(known, dataType);
    const stated = findMarking(known, shape);
    const marked = stated ?? dataType.defaultMarking;
    const marking =
      typeof marked === 'string' ? pickHigherMarking(marked, lowestMarking ?? marked) : HIGHEST_MARKING;
    const problem = findColumnProblem(known, dataType, shape) ?? findUnorderedProblem(row, cursor);
    if (problem !== null) return createFailure(writtenId, marking, problem);
    if (writtenId === null && !dataType.identifyingColumns.some((column) => !isAbsent(known[column]))) {
      return createFailure(
        null,
        marking,
        `No id: a ${dataType.name} row needs ${dataType.identifyingColumns.join(' or ')}.`,
      );
    }
    if (writtenId !== null && writtenId.length > MAX_ITEM_ID_LENGTH) {
      return createFailure(
        writtenId,
        marking,
        `item_id must be at most ${MAX_ITEM_ID_LENGTH} characters long; ${describeValue(writtenId)} has ${writtenId.length}.`,
      );
    }
    if (typeof marked !== 'string') return createFailure(writtenId, marking, marked.problem);
    const data = writeRowJson(row, shape, textColumns);
    if (typeof data !== 'string') return createFailure(writtenId, marking, data.problem);
    const itemId = writtenId ?? storedId ?? deriveId(row, shape, data);
    const item: RowItem = {
      dataType: dataType.name,
      itemId,
      classificationMarking: marking,
      statesMarking: stated !== null,
      data,
      metadata,
      queryMetadata,
      // Neither JSON text nor markings contain line feeds, so two items never give the same text.
      contentHash: hash('sha256', `${marking}\n${hashed}\n${data}`, 'base64url'),
    };
    return { ok: true, item };
  }

  return (row, origin = {}) => {
    try {
      return transform(row, origin);
    } catch {
      // Only for values that are not JSON, such as objects whose properties cannot be read.
      return createFailure(null, HIGHEST_MARKING, 'The row is not an object of JSON values.');
    }
  };
}

/**
 * Writes a failed row as JSON text that PostgreSQL's jsonb can hold, with its column names unchanged.
 * @returns null if that is not possible.
 */
export function toStorableRowJson(row: Row): string | null {
  try {
    const json = toCanonicalRowJson(row);
    return Buffer.byteLength(json) > MAX_DATA_BYTES ? null : json;
  } catch {
    return null;
  }
}

// The first one with a value counts.
const MARKING_COLUMNS = ['classification_marking', 'classification'] as const;

const TOO_LARGE = `is larger than ${MAX_DATA_BYTES} bytes as JSON`;

interface Problem {
  readonly problem: string;
}

function createFailure(itemId: string | null, marking: Marking, message: string): TransformOutcome {
  return { ok: false, itemId: itemId === null ? null : toStorableId(itemId), message, marking };
}

/** Writes an id that no item can have as one that can be stored: the row then says that it is none of the others. */
function toStorableId(id: string): string {
  const storable = isStorableText(id) ? id : id.toWellFormed().replaceAll('\0', '\ufffd');
  if (storable.length <= MAX_ITEM_ID_LENGTH) return storable;
  return `${storable.slice(0, MAX_ITEM_ID_LENGTH - 1).toWellFormed()}…`;
}

/** Picks the known columns of a row, under their lower-case names. */
function pickKnownValues(row: Row, shape: RowShape): Row {
  const values: Record<string, JsonValue> = {};
  for (const [column, name] of shape.knownNames) values[column] = row[name] ?? null;
  return values;
}

function findItemId(known: Row, dataType: DataType): string | null {
  const value = known[dataType.identifyingColumns[0] ?? ''];
  switch (typeof value) {
    case 'string':
      return value.trim() || null;
    case 'number':
    case 'boolean':
      return String(value);
    default:
      return null;
  }
}

function findColumnProblem(known: Row, dataType: DataType, shape: RowShape): string | null {
  const checked = dataType.rowSchema.safeParse(known);
  if (checked.success) return null;
  return checked.error.issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => {
      const column = String(path[0]);
      return `${describeName(shape.knownNames.get(column) ?? column)} must be ${message}, not ${describeValue(known[column])}.`;
    })
    .join(' ');
}

const MAX_PROBLEMS = 3;

function findUnorderedProblem(row: Row, cursor: CheckedCursor | undefined): string | null {
  if (cursor === undefined) return null;
  const value = row[cursor.column];
  const expected = findCursorProblem(value, cursor.type);
  return expected === null
    ? null
    : `${describeName(cursor.column)} must be ${expected} to sync by, not ${describeValue(value)}.`;
}

/** Finds the marking that a row states; null for none. */
function findMarking(known: Row, shape: RowShape): Marking | Problem | null {
  for (const column of MARKING_COLUMNS) {
    const value = known[column];
    if (!isAbsent(value)) {
      const marking = typeof value === 'string' ? parseMarking(value) : undefined;
      return (
        marking ?? {
          problem: `${describeName(shape.knownNames.get(column) ?? column)} must be one of ${MARKINGS.join(', ')}, not ${describeValue(value)}.`,
        }
      );
    }
  }
  return null;
}

/** Derives an id from the row as it was read, so that it stays the same whatever becomes of texts that say numbers. */
function deriveId(row: Row, shape: RowShape, data: string): string {
  const read = shape.hasNumbers ? writeRowJson(row, shape, NONE) : data;
  return `${DERIVED_ID}${hash('sha256', typeof read === 'string' ? read : data, 'hex').slice(0, 32)}`;
}

const NONE: ReadonlySet<string> = new Set();

function writeRowJson(row: Row, shape: RowShape, textColumns: ReadonlySet<string>): string | Problem {
  let json = '';
  for (const { name, prefix, isNumeric } of shape.members) {
    const value = row[name];
    try {
      json += prefix;
      if (typeof value !== 'string') json += toCanonicalJson(value);
      // Such a text is the JSON of its number.
      else
        json += isNumeric && textColumns.has(name) && isWrittenNumber(value) ? value : toCanonicalText(value);
    } catch (error) {
      if (error instanceof UnstorableValueError) {
        return { problem: `Column ${describeName(name)} ${error.message}.` };
      }
      throw error;
    }
  }
  json += '}';
  // A UTF-16 code unit takes at most three bytes, so short texts need no counting.
  if (json.length * 3 > MAX_DATA_BYTES && Buffer.byteLength(json) > MAX_DATA_BYTES) {
    return {
      problem: `The row ${TOO_LARGE}; its longest column is ${describeName(findLongestColumn(row, shape))}.`,
    };
  }
  return json;
}

function findLongestColumn(row: Row, shape: RowShape): string {
  let longest = '';
  let greatestLength = -1;
  for (const { name } of shape.members) {
    const { length } = toCanonicalJson(row[name]);
    if (length > greatestLength) {
      greatestLength = length;
      longest = name;
    }
  }
  return longest;
}

// A Map instead of a spread object, so that __proto__ is a key like any other.
function mergeJson(below: JsonObject, above: JsonObject): string {
  const members = new Map([...Object.entries(below), ...Object.entries(above)]);
  return toCanonicalJson(Object.fromEntries(members));
}
