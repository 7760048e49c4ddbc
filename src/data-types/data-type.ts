import { z } from 'zod';
import { type ColumnKind, type ColumnSchema, columnKindOf } from './column-kind.ts';
import type { Marking } from './marking.ts';

/** A kind of BLADE data: what its tables look like and how its items are known and marked. */
export interface DataType {
  /** Lower case; part of the item's name in the catalog. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** The marking of an item whose row carries none. */
  readonly defaultMarking: Marking;
  /** A row needs a usable value in at least one of these; the first is the item's id. */
  readonly identifyingColumns: readonly string[];
  /** The known columns in their usual order. */
  readonly columns: readonly Column[];
  /**
   * Checks a row whose known columns have lower-case names. Any column may be missing or empty, unknown ones are
   * let through; whether the row can be identified is not checked here.
   */
  readonly rowSchema: RowSchema;
}

/** A known column; a table may have more columns, and may lack any of them but one that identifies. */
export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly identifying: boolean;
}

export type RowSchema = z.ZodObject<Readonly<Record<string, ColumnSchema>>, z.core.$loose>;

/** A data type from its own facts: the columns follow from the row schema. */
export function defineDataType(facts: Omit<DataType, 'columns'>): DataType {
  const columns = Object.entries(facts.rowSchema.shape).map(([name, schema]) => ({
    name,
    kind: columnKindOf(schema),
    identifying: facts.identifyingColumns.includes(name),
  }));
  return { ...facts, columns };
}

/** The schema of a row with these columns, all of them optional, and any others. */
export function rowOf(columns: Readonly<Record<string, ColumnSchema>>): RowSchema {
  return z.looseObject(columns);
}
