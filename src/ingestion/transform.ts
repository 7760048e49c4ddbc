import { hash } from 'node:crypto';
import type { RowItem } from '../data-types/blade-item.ts';
import { isAbsent } from '../data-types/column-kind.ts';
import type { DataType } from '../data-types/data-type.ts';
import {
  HIGHEST_MARKING,
  MARKINGS,
  type Marking,
  parseMarking,
  pickHigherMarking,
} from '../data-types/marking.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import type { Row } from '../warehouse/warehouse.ts';
import { canonicalJson, canonicalRowJson, canonicalText, UnstorableValueError } from './canonical-json.ts';
import { printableName, printableValue } from './printable.ts';
import { createRowShapes, type RowShape } from './row-shape.ts';

export interface TransformOptions {
  readonly dataType: DataType;
  /** Where the rows come from; written into every item's metadata. */
  readonly sourceMetadata: JsonObject;
  /** What stands for that in content hashes, where it is not the same: it stays when the source is renamed. */
  readonly hashedMetadata?: JsonObject;
  /** No item is marked lower, whatever its row says. */
  readonly leastMarking?: Marking;
  /** Laid over the source's metadata, key by key. */
  readonly extraMetadata?: JsonObject;
}

export type TransformOutcome =
  | { readonly ok: true; readonly item: RowItem }
  | {
      readonly ok: false;
      /** The id the row would have had; null where it has no usable one. */
      readonly itemId: string | null;
      /** Names the column and what would be right; safe to store and to show to whoever is cleared for the row. */
      readonly message: string;
      /** What the row is marked, as far as that can be told; otherwise the highest. */
      readonly marking: Marking;
    };

/** Turns a row into an item, or says what is wrong with it. Never throws, whatever the row. */
export type Transform = (row: Row) => TransformOutcome;

/** The longest item id, in UTF-16 code units: every such id fits into an index of PostgreSQL. */
export const maximumItemIdLength = 512;

/** The largest data of an item, in bytes of its JSON text. */
export const maximumDataBytes = 1_048_576;

/**
 * Makes the transform of one source's rows: it keeps what it learns about their columns, so use one for many rows.
 * @throws UnstorableValueError when the metadata cannot be stored: see `checkMetadata`.
 */
export function createTransform(options: TransformOptions): Transform {
  const { dataType, leastMarking, sourceMetadata, hashedMetadata = sourceMetadata, extraMetadata } = options;
  const metadata = overlaidJson(sourceMetadata, extraMetadata ?? {});
  const hashed = overlaidJson(hashedMetadata, extraMetadata ?? {});
  const queryMetadata = extraMetadata === undefined ? null : canonicalJson(extraMetadata);
  const shapeOf = createRowShapes(
    new Set([...dataType.columns.map((column) => column.name), ...markingColumns]),
  );

  function transform(row: Row): TransformOutcome {
    const shape = shapeOf(row);
    if (shape.problem !== null) {
      return failure(null, HIGHEST_MARKING, shape.problem);
    }
    const known = shape.renamed ? knownValues(row, shape) : row;
    const writtenId = itemIdFrom(known, dataType);
    const stated = markingFrom(known, shape);
    const marked = stated ?? dataType.defaultMarking;
    const marking =
      typeof marked === 'string' ? pickHigherMarking(marked, leastMarking ?? marked) : HIGHEST_MARKING;
    const problem = columnProblem(known, dataType, shape);
    if (problem !== null) {
      return failure(writtenId, marking, problem);
    }
    if (writtenId === null && !dataType.identifyingColumns.some((column) => !isAbsent(known[column]))) {
      return failure(
        null,
        marking,
        `No id: a ${dataType.name} row needs ${dataType.identifyingColumns.join(' or ')}.`,
      );
    }
    if (writtenId !== null && writtenId.length > maximumItemIdLength) {
      return failure(
        null,
        marking,
        `item_id must be at most ${maximumItemIdLength} characters long; ${printableValue(writtenId)} has ${writtenId.length}.`,
      );
    }
    if (typeof marked !== 'string') {
      return failure(writtenId, marking, marked.problem);
    }
    const data = rowJson(row, shape);
    if (typeof data !== 'string') {
      return failure(writtenId, marking, data.problem);
    }
    const item: RowItem = {
      dataType: dataType.name,
      itemId: writtenId ?? `sha256-${hash('sha256', data, 'hex').slice(0, 32)}`,
      classificationMarking: marking,
      statesMarking: stated !== null,
      data,
      metadata,
      queryMetadata,
      // No JSON text and no marking has a line feed in it, so that no two items run into the same text.
      contentHash: hash('sha256', `${marking}\n${hashed}\n${data}`, 'base64url'),
    };
    return { ok: true, item };
  }

  return (row) => {
    try {
      return transform(row);
    } catch {
      // Only values that are no JSON come here, such as objects whose properties cannot be read.
      return failure(null, HIGHEST_MARKING, 'The row is not an object of JSON values.');
    }
  };
}

/**
 * The row as JSON text that PostgreSQL's jsonb can hold, its columns' names as they are, for keeping a row that
 * failed; null where that cannot be.
 */
export function storableRowJson(row: Row): string | null {
  try {
    const json = canonicalRowJson(row);
    return Buffer.byteLength(json) > maximumDataBytes ? null : json;
  } catch {
    return null;
  }
}

// The first one that is filled in counts.
const markingColumns = ['classification_marking', 'classification'] as const;

const tooLarge = `is larger than ${maximumDataBytes} bytes as JSON`;

interface Problem {
  readonly problem: string;
}

function failure(itemId: string | null, marking: Marking, message: string): TransformOutcome {
  const usable = itemId !== null && itemId.length <= maximumItemIdLength && isStorableText(itemId);
  return { ok: false, itemId: usable ? itemId : null, message, marking };
}

function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The known columns of a row under their lower-case names. */
function knownValues(row: Row, shape: RowShape): Row {
  const values: Record<string, JsonValue> = {};
  for (const [column, name] of shape.knownNames) {
    values[column] = row[name] ?? null;
  }
  return values;
}

function itemIdFrom(known: Row, dataType: DataType): string | null {
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

function columnProblem(known: Row, dataType: DataType, shape: RowShape): string | null {
  const checked = dataType.rowSchema.safeParse(known);
  if (checked.success) {
    return null;
  }
  return checked.error.issues
    .slice(0, maximumProblems)
    .map(({ path, message }) => {
      const column = String(path[0]);
      return `${printableName(shape.knownNames.get(column) ?? column)} must be ${message}, not ${printableValue(known[column])}.`;
    })
    .join(' ');
}

const maximumProblems = 3;

/** The marking that a row states; null where it states none. */
function markingFrom(known: Row, shape: RowShape): Marking | Problem | null {
  for (const column of markingColumns) {
    const value = known[column];
    if (!isAbsent(value)) {
      const marking = typeof value === 'string' ? parseMarking(value) : undefined;
      return (
        marking ?? {
          problem: `${printableName(shape.knownNames.get(column) ?? column)} must be one of ${MARKINGS.join(', ')}, not ${printableValue(value)}.`,
        }
      );
    }
  }
  return null;
}

function rowJson(row: Row, shape: RowShape): string | Problem {
  let json = '';
  for (const { name, prefix } of shape.members) {
    const value = row[name];
    try {
      json += prefix + (typeof value === 'string' ? canonicalText(value) : canonicalJson(value));
    } catch (error) {
      if (error instanceof UnstorableValueError) {
        return { problem: `Column ${printableName(name)} ${error.message}.` };
      }
      throw error;
    }
  }
  json += '}';
  // No UTF-16 code unit takes more than three bytes, so that short texts need no counting.
  if (json.length * 3 > maximumDataBytes && Buffer.byteLength(json) > maximumDataBytes) {
    return {
      problem: `The row ${tooLarge}; its longest column is ${printableName(longestColumn(row, shape))}.`,
    };
  }
  return json;
}

function longestColumn(row: Row, shape: RowShape): string {
  let longest = '';
  let greatestLength = -1;
  for (const { name } of shape.members) {
    const { length } = canonicalJson(row[name]);
    if (length > greatestLength) {
      greatestLength = length;
      longest = name;
    }
  }
  return longest;
}

// A Map and not a spread object, so that a key such as __proto__ is a key like any other.
function overlaidJson(below: JsonObject, above: JsonObject): string {
  const members = new Map([...Object.entries(below), ...Object.entries(above)]);
  return canonicalJson(Object.fromEntries(members));
}
