import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { CELL, FIXED, isAtMost, larger, MADE, type Value } from './value-size.ts';

/** What the rows of a source are like. */
export interface Relation {
  /** The largest of its columns. */
  readonly column: Value;
  /** Its columns in their order; null where they are not known by name. */
  readonly named: readonly NamedValue[] | null;
  /** How often it has all columns of a table. */
  readonly tables: number;
  /** How many columns it has beside these. */
  readonly columns: number;
}

export interface NamedValue {
  /** In lower case; empty where nothing can name it. */
  readonly name: string;
  readonly value: Value;
}

export const NO_ROWS: Relation = {
  column: { ...FIXED, bytes: 0, nodes: 0 },
  named: [],
  tables: 0,
  columns: 0,
};

/** A column to which each round of a recursive query adds. */
const GROWING: Value = { ...MADE, isMany: true };

/** What nothing is known of. */
export const UNKNOWN_TABLE: Relation = { column: CELL, named: null, tables: 1, columns: 0 };

/** The rows of two sources, in which a name may be that of either. */
export function beside(one: Relation, other: Relation): Relation {
  const named = one.named === null || other.named === null ? null : [...one.named, ...other.named];
  return { ...widest(one, other), named };
}

/** The rows of either. */
export function widest(one: Relation, other: Relation): Relation {
  return {
    column: larger(one.column, other.column),
    named: pairwise(one.named, other.named),
    tables: Math.max(one.tables, other.tables),
    columns: Math.max(one.columns, other.columns),
  };
}

function pairwise(one: Relation['named'], other: Relation['named']): Relation['named'] {
  if (one === null || other === null || one.length !== other.length) return null;
  return one.map(({ name, value }, index) => ({ name, value: larger(value, other[index]?.value ?? MADE) }));
}

/** The rows where each may come more than once, as in a join. */
export function givenAgain(relation: Relation): Relation {
  const again = (value: Value): Value => ({ ...value, isMany: value.made + value.cells > 0 });
  return {
    ...relation,
    column: again(relation.column),
    named: relation.named?.map(({ name, value }) => ({ name, value: again(value) })) ?? null,
  };
}

/** The rows under the names that are given to their first columns. */
export function renamed(relation: Relation, names: unknown): Relation {
  if (!Array.isArray(names) || names.length === 0 || relation.named === null) return relation;
  const named = relation.named.map((column, index) =>
    index < names.length ? { ...column, name: asciiLowerCase(String(names[index])) } : column,
  );
  return { ...relation, named };
}

/** The column of that name, or null where it is not known. */
export function findColumn(relation: Relation | undefined, name: string): Value | null {
  const found = relation?.named?.filter((column) => column.name === name && name !== '') ?? [];
  return found.length === 0 ? null : found.map(({ value }) => value).reduce(larger);
}

/** Whether a round of a recursive query makes no more than was in the rows that it was given. */
export function isStable(given: Relation, made: Relation): boolean {
  if (given.named === null || made.named === null || given.named.length !== made.named.length)
    return isAtMost(made.column, given.column);
  return given.named.every(({ value }, index) => isAtMost(made.named?.[index]?.value ?? MADE, value));
}

/** The rows where each column grows that a round adds to. */
export function growing(given: Relation, made: Relation | null): Relation {
  const grow = (value: Value) => larger(value, GROWING);
  const named = given.named?.map(({ name, value }, index) => {
    const next = made?.named?.length === given.named?.length ? made?.named?.[index]?.value : undefined;
    return { name, value: next !== undefined && isAtMost(next, value) ? value : grow(value) };
  });
  return { ...given, column: grow(given.column), named: named ?? null };
}
