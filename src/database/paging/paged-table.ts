import type { Prisma } from '../generated/prisma/client.ts';

/** A table that can be read page by page. */
export interface PagedTable<Row> {
  readonly name: string;
  /** The columns of the order, ascending, which are unique together. None may be nullable, because NULL has no order. */
  readonly key: readonly NeverNull<Row>[];
  /** The columns of each index before the key. Of indexes that serve a filter equally well, the first is used. */
  readonly indexes: readonly (readonly Column<Row>[])[];
  /**
   * The collation of texts of the key in the indexes with columns before it. If it differs from that of the column, the planner
   * cannot use the index of the key alone instead, which would read many rows that do not match.
   */
  readonly collation?: Collation;
  /** Columns with few values: an index may have them before the key even if a filter does not limit them. */
  readonly fewValued: readonly Column<Row>[];
  /** The marking of a row: only an index with this column serves a lower clearance. Rows of other tables have none. */
  readonly marking?: Column<Row>;
  /** The types of those columns above that are not text. */
  readonly types: { readonly [Field in Column<Row>]?: ColumnType };
}

type Column<Row> = keyof Row & string;
type NeverNull<Row> = { [Field in Column<Row>]: null extends Row[Field] ? never : Field }[Column<Row>];
export type ColumnType = 'uuid' | 'timestamptz' | `public.${string}`;

/** The collation C, which compares bytes, under another name. */
export type Collation = 'POSIX';

/** The rows of a list: those that meet every condition. */
export interface RowFilter<Row> {
  /** The allowed values of a column. Of the key, only the first column can be limited, and only if its collation is C. */
  readonly equals?: { readonly [Field in Column<Row>]?: AllowedValues };
  /** Conditions on columns of the key, which limit how much of an index is read. */
  readonly bounds?: readonly Bound<Row>[];
  /** A condition that nearly all rows of the table meet. Rows that do not are passed over, and are no part of the list. */
  readonly within?: Prisma.Sql;
  /** Conditions that no index serves. */
  readonly others?: readonly Prisma.Sql[];
  /** Finds all rows that may match, in another order. Used if it finds few; they still have to meet the conditions. */
  readonly shortcut?: Shortcut<Row>;
}

/** `EVERY` allows all values of the first column of the key, and reads the rows of one value after the other. */
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

/** The position of a row in its list: the values of the columns of its key. */
export type Key = Readonly<Record<string, KeyValue>>;
export type KeyValue = string | Date;
