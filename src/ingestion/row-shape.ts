import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { Row } from '../warehouse/warehouse.ts';
import { canonicalText, UnstorableValueError } from './canonical-json.ts';
import { printableName } from './printable.ts';

/** What follows from the column names of a row alone, worked out once for all rows that have the same. */
export interface RowShape {
  /** The names of the row's columns in the row's order. */
  readonly names: readonly string[];
  /** The columns in the order of canonical JSON. */
  readonly members: readonly Member[];
  /** Whether a known column has other than its lower-case name. */
  readonly renamed: boolean;
  /** The row's own name of each known column it has. */
  readonly knownNames: ReadonlyMap<string, string>;
  /** Why no row of this shape can be an item; null where one can. */
  readonly problem: string | null;
}

export interface Member {
  /** The column's name in the row. */
  readonly name: string;
  /** What the canonical JSON of the row has before the column's value. */
  readonly prefix: string;
}

/**
 * Gives the shape of a row. Known columns are recognised whatever their case, and are written in lower case;
 * others keep their names.
 */
export function createRowShapes(knownColumns: ReadonlySet<string>): (row: Row) => RowShape {
  const shapes = new Map<string, RowShape>();
  let last: RowShape | undefined;
  return (row) => {
    const names = Object.keys(row);
    if (last === undefined || !sameNames(last.names, names)) {
      const key = JSON.stringify(names);
      last = shapes.get(key) ?? describeShape(names, knownColumns);
      if (shapes.size >= maximumShapes) {
        shapes.clear();
      }
      shapes.set(key, last);
    }
    return last;
  };
}

// Rows of files without fixed columns can differ row by row: memory stays bounded.
const maximumShapes = 256;

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) {
    return false;
  }
  for (let index = 0; index < some.length; index++) {
    if (some[index] !== others[index]) {
      return false;
    }
  }
  return true;
}

function describeShape(names: readonly string[], knownColumns: ReadonlySet<string>): RowShape {
  const knownNames = new Map<string, string>();
  const written: { name: string; writtenName: string }[] = [];
  let renamed = false;
  let problem: string | null = null;
  for (const name of names) {
    const lowerCase = asciiLowerCase(name);
    const known = knownColumns.has(lowerCase);
    if (known) {
      const other = knownNames.get(lowerCase);
      if (other !== undefined) {
        problem ??= `Columns ${printableName(other)} and ${printableName(name)} are the same column: a row can have only one of them.`;
      }
      knownNames.set(lowerCase, name);
      renamed ||= name !== lowerCase;
    }
    written.push({ name, writtenName: known ? lowerCase : name });
  }
  written.sort((one, other) => (one.writtenName < other.writtenName ? -1 : 1));
  const members: Member[] = [];
  for (const { name, writtenName } of written) {
    try {
      members.push({ name, prefix: `${members.length === 0 ? '{' : ','}${canonicalText(writtenName)}:` });
    } catch (error) {
      if (!(error instanceof UnstorableValueError)) {
        throw error;
      }
      problem ??= `The name of column ${printableName(name)} ${error.message}.`;
    }
  }
  return { names, members, renamed, knownNames, problem };
}
