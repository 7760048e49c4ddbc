import { z } from 'zod';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { type ColumnKind, type ColumnSchema, columnSchemas } from './column-kind.ts';
import { isMarking, MARKINGS, type Marking } from './marking.ts';

/** The definition of a data type. */
export interface DataTypeFacts {
  /** Lower-case letters, digits, `_` and `-`. Part of the name of each item in the catalog, so it never changes. */
  readonly name: string;
  /** One line, for people. */
  readonly description: string;
  /** The marking of an item whose row states none. It is also the lowest that a query job may give to its items. */
  readonly defaultMarking: Marking;
  /** A row needs a value in at least one of these. The first is the id of the item; without it, a hash of the row is. */
  readonly identifyingColumns: readonly string[];
  /** The known columns by their lower-case names, in their usual order. A row may lack any, and may have more. */
  readonly columns: Readonly<Record<string, ColumnKind>>;
}

/** A kind of BLADE data: the columns of its tables, and the id and the marking of its items. */
export interface DataType extends Omit<DataTypeFacts, 'columns'> {
  readonly kind: 'data type';
  readonly columns: readonly Column[];
  /**
   * Checks a row whose known columns have lower-case names. Any column may be missing or empty, and unknown columns pass.
   * Does not check whether the row has an id.
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

/**
 * Defines a data type.
 * @throws TypeError if a column, a kind or the marking is invalid.
 */
export function defineDataType({ columns: kinds, ...facts }: DataTypeFacts): DataType {
  const { name: dataType, defaultMarking, identifyingColumns } = facts;
  const refuse = (problem: string): never => {
    throw new TypeError(`The data type ${dataType} cannot be used: ${problem}.`);
  };
  if (!isMarking(defaultMarking)) {
    refuse(`its defaultMarking must be one of ${MARKINGS.join(', ')}, not ${JSON.stringify(defaultMarking)}`);
  }
  if (identifyingColumns.length === 0) refuse('at least one of its columns must identify an item');
  for (const column of identifyingColumns) {
    if (!Object.hasOwn(kinds, column)) refuse(`its identifying column ${column} is none of its columns`);
  }
  const schemas: Record<string, ColumnSchema> = {};
  for (const [column, kind] of Object.entries(kinds)) {
    if (column !== asciiLowerCase(column)) refuse(`its column ${column} must have a lower-case name`);
    schemas[column] =
      columnSchemas[kind] ??
      refuse(`its column ${column} must be of ${Object.keys(columnSchemas).join(', ')}, not ${kind}`);
  }
  const columns = Object.entries(kinds).map(([name, kind]) => ({
    name,
    kind,
    identifying: identifyingColumns.includes(name),
  }));
  return { kind: 'data type', ...facts, columns, rowSchema: z.looseObject(schemas) };
}
