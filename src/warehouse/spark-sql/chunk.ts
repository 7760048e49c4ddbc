import type { JsonValue } from '../../shared/json.ts';
import { createUnreadableValue, setKey } from '../value.ts';
import type { Row } from '../warehouse.ts';

/** Rows of a result that are not converted yet. */
export interface Chunk {
  readonly rowCount: number;
  /** The columns whose values are texts. */
  readonly textColumns: readonly string[];
  /** Converts the rows from `first` to `end`, exclusive. */
  rows(first: number, end: number): Row[];
}

/** A column of a chunk. */
export interface NamedColumn {
  readonly name: string;
  readonly read: (index: number) => JsonValue;
}

/** Creates a chunk from readers of its columns, whose names are distinct. */
export function createChunk(
  columns: readonly NamedColumn[],
  textColumns: readonly string[],
  rowCount: number,
): Chunk {
  return { rowCount, textColumns, rows: (first, end) => toRows(columns, first, end) };
}

function toRows(columns: readonly NamedColumn[], first: number, end: number): Row[] {
  const rows: Record<string, JsonValue>[] = [];
  for (let index = first; index < end; index += 1) rows.push({});
  for (const { name, read } of columns) {
    const isSpecial = name === '__proto__';
    rows.forEach((row, index) => {
      const value = readOrMark(read, first + index);
      if (isSpecial) setKey(row, name, value);
      else row[name] = value;
    });
  }
  return rows;
}

/** A value that cannot be converted costs only its row. */
function readOrMark(read: NamedColumn['read'], index: number): JsonValue {
  try {
    return read(index);
  } catch (error) {
    return createUnreadableValue(error);
  }
}
