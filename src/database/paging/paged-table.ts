import type { Prisma } from '../generated/prisma/client.ts';

/** A table that can be read a page at a time. */
export interface PagedTable<Row> {
  readonly name: string;
  /** The order, ascending, by columns that are unique together. None may be nullable: a NULL has no place in an order. */
  readonly key: readonly NeverNull<Row>[];
  /** What each index has before the key; the earlier is used of those that serve a filter equally well. */
  readonly indexes: readonly (readonly Column<Row>[])[];
  /**
   * The collation of texts of the key in the indexes that have something before it. Where it is not that of the column, the
   * planner cannot take the index of the bare key for them, and then read whatever does not fit on the way.
   */
  readonly collation?: Collation;
  /** Columns with few values: an index may have them before the key where a filter does not limit them. */
  readonly fewValued: readonly Column<Row>[];
  /** Says which clearance a row needs: only an index with this column serves a lower clearance. */
  readonly marking: Column<Row>;
  /** The types of the columns above that are no text. */
  readonly types: { readonly [Field in Column<Row>]?: ColumnType };
}

type Column<Row> = keyof Row & string;
type NeverNull<Row> = { [Field in Column<Row>]: null extends Row[Field] ? never : Field }[Column<Row>];
export type ColumnType = 'uuid' | 'timestamptz' | `public.${string}`;

/** The same order as that of the collation C, which compares bytes, under another name. */
export type Collation = 'POSIX';

/** Which rows of a table a list holds: those that meet every condition. */
export interface RowFilter<Row> {
  /** The values that a column may have. Of the key, only the first column can be limited so, if its collation is C. */
  readonly equals?: { readonly [Field in Column<Row>]?: AllowedValues };
  /** Conditions on columns of the key: they limit how much of an index is read. */
  readonly bounds?: readonly Bound<Row>[];
  /** Conditions that no index helps with. */
  readonly others?: readonly Prisma.Sql[];
  /** Finds all rows that may fit, in another order; it is taken where it finds few, which still have to meet the conditions. */
  readonly shortcut?: Shortcut<Row>;
}

/** `EVERY` allows all values of the first column of the key, but reads the rows of one after those of another. */
export type AllowedValues = readonly string[] | typeof EVERY;

export const EVERY = Symbol('every value');

export interface Bound<Row> {
  readonly field: NeverNull<Row>;
  readonly condition: (column: Prisma.Sql) => Prisma.Sql;
}

/** Rows that meet one of several conditions on a column, which has an index together with the marking. */
export interface Shortcut<Row> {
  readonly column: Column<Row>;
  readonly conditions: readonly Prisma.Sql[];
}

/** The place of a row in its list: the values of the columns of its key. */
export type Key = Readonly<Record<string, KeyValue>>;
export type KeyValue = string | Date;
