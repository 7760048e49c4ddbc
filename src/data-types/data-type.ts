import { z } from 'zod';
import { type ColumnKind, type ColumnSchema, columnKindOf } from './column-kind.ts';
import type { Marking } from './marking.ts';

/** A kind of BLADE data: the columns of its tables, and the id and the marking of its items. */
export interface DataType {
  /** Lower case; part of the names of items in the catalog. */
  readonly name: string;
  /** One line, for people. */
  readonly description: string;
  /** The marking of an item whose row states none. */
  readonly defaultMarking: Marking;
  /** A row needs a value in at least one of these. The first is the id of the item; without it, a hash of the row is. */
  readonly identifyingColumns: readonly string[];
  /** The known columns in their usual order. */
  readonly columns: readonly Column[];
  /**
   * Checks a row whose known columns have lower-case names. Any column may be missing or empty, and unknown columns pass.
   * Does not check whether the row has an id.
   */
  readonly rowSchema: RowSchema;
}

/** A known column. A table may have more columns; of the known ones it needs only one that identifies. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly identifying: boolean;
}

export type RowSchema = z.ZodObject<Readonly<Record<string, ColumnSchema>>, z.core.$loose>;

/** Defines a data type; its columns are those of the row schema. */
export function defineDataType(facts: Omit<DataType, 'columns'>): DataType {
  const columns = Object.entries(facts.rowSchema.shape).map(([name, schema]) => ({
    name,
    kind: columnKindOf(schema),
    identifying: facts.identifyingColumns.includes(name),
  }));
  return { ...facts, columns };
}

/** Creates the schema of a row with these columns, all of them optional, and any others. */
export function rowOf(columns: Readonly<Record<string, ColumnSchema>>): RowSchema {
  return z.looseObject(columns);
}
