import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { Row } from '../warehouse/warehouse.ts';
import { toCanonicalText, UnstorableValueError } from './canonical-json.ts';
import { describeName } from './printable.ts';

/** What follows from the column names of a row alone, computed once for all rows with the same names. */
export interface RowShape {
  /** The names of the row's columns in the row's order. */
  readonly names: readonly string[];
  /** The columns in the order of canonical JSON. */
  readonly members: readonly Member[];
  /** Whether the data type has numbers in one of the columns. */
  readonly hasNumbers: boolean;
  /** Whether a known column is not written in lower case. */
  readonly isRenamed: boolean;
  /** The name in the row of each known column it has. */
  readonly knownNames: ReadonlyMap<string, string>;
  /** Why no row of this shape can become an item; null if one can. */
  readonly problem: string | null;
}

export interface Member {
  /** The name of the column in the row. */
  readonly name: string;
  /** The canonical JSON of the row before the value of the column. */
  readonly prefix: string;
  /** Whether the data type has numbers in the column. */
  readonly isNumeric: boolean;
}

/**
 * Creates a function that finds the shape of a row. Known columns are recognised in any case and written in lower case;
 * others keep their names.
 * @param numericColumns the known columns in which texts of numbers are to become numbers.
 */
export function createShapeFinder(
  knownColumns: ReadonlySet<string>,
  numericColumns: ReadonlySet<string>,
): (row: Row) => RowShape {
  const shapes = new Map<string, RowShape>();
  let last: RowShape | undefined;
  return (row) => {
    const names = Object.keys(row);
    if (last === undefined || !areNamesEqual(last.names, names)) {
      const key = JSON.stringify(names);
      last = shapes.get(key) ?? describeShape(names, knownColumns, numericColumns);
      if (shapes.size >= MAX_SHAPES) shapes.clear();
      shapes.set(key, last);
    }
    return last;
  };
}

// Rows of files without fixed columns can differ row by row; this bounds memory.
const MAX_SHAPES = 256;

function areNamesEqual(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index++) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}

function describeShape(
  names: readonly string[],
  knownColumns: ReadonlySet<string>,
  numericColumns: ReadonlySet<string>,
): RowShape {
  const knownNames = new Map<string, string>();
  const written: { name: string; writtenName: string }[] = [];
  let isRenamed = false;
  let problem: string | null = null;
  for (const name of names) {
    const lowerCase = asciiLowerCase(name);
    const known = knownColumns.has(lowerCase);
    if (known) {
      const other = knownNames.get(lowerCase);
      if (other !== undefined) {
        problem ??= `Columns ${describeName(other)} and ${describeName(name)} are the same column: a row can have only one of them.`;
      }
      knownNames.set(lowerCase, name);
      isRenamed ||= name !== lowerCase;
    }
    written.push({ name, writtenName: known ? lowerCase : name });
  }
  written.sort((one, other) => (one.writtenName < other.writtenName ? -1 : 1));
  const members: Member[] = [];
  for (const { name, writtenName } of written) {
    try {
      const prefix = `${members.length === 0 ? '{' : ','}${toCanonicalText(writtenName)}:`;
      members.push({ name, prefix, isNumeric: numericColumns.has(writtenName) });
    } catch (error) {
      if (!(error instanceof UnstorableValueError)) throw error;
      problem ??= `The name of column ${describeName(name)} ${error.message}.`;
    }
  }
  const hasNumbers = members.some(({ isNumeric }) => isNumeric);
  return { names, members, hasNumbers, isRenamed, knownNames, problem };
}
