import { z } from 'zod';
import { isObject } from '../../shared/json.ts';
import { quoteIdentifier } from '../../sql-check/quoted-name.ts';
import type { ColumnRename, Row, TableColumn } from '../warehouse.ts';
import { formatType } from './type.ts';

/** Reads a row of DESCRIBE QUERY. */
export function toTableColumn({ col_name: name, data_type: type, comment }: Row): TableColumn {
  return {
    name: String(name),
    type: formatType(String(type)),
    ...(typeof comment === 'string' && comment !== '' ? { comment } : {}),
  };
}

const describedSchema = z.object({
  columns: z.array(z.object({ name: z.string(), nullable: z.boolean() })),
});

/** Adds to columns whether their cells can be NULL. @param row of DESCRIBE TABLE EXTENDED AS JSON; null if it is refused. */
export function withNullability(columns: readonly TableColumn[], row: Row | null): readonly TableColumn[] {
  const described = describedSchema.safeParse(parseJson(row?.json_metadata));
  if (!described.success) return columns;
  const nullable = new Map(described.data.columns.map((column) => [column.name, column.nullable]));
  return columns.map((column) => {
    const isNullable = nullable.get(column.name);
    return isNullable === undefined ? column : { ...column, isNullable };
  });
}

function parseJson(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

/** Whether a type is described without all of its fields, as Databricks does from the 26th on. */
export function isShortened({ type }: TableColumn): boolean {
  return /\.\.\. \d+ more fields/i.test(type);
}

/** Composes the query for the whole types of columns. It reads no rows. @param source the SQL after FROM. */
export function selectTypes(columns: readonly TableColumn[], source: string): string {
  const types = columns.map(({ name }, index) => `typeof(first(${quoteIdentifier(name)})) AS type_${index}`);
  return `SELECT ${types.join(', ')} FROM ${source} WHERE false`;
}

/** Completes shortened types with the row of `selectTypes`. */
export function withWholeTypes(columns: readonly TableColumn[], row: Row): readonly TableColumn[] {
  let index = 0;
  return columns.map((column) => {
    if (!isShortened(column)) return column;
    const type = row[`type_${index++}`];
    return typeof type === 'string' ? { ...column, type: formatType(type) } : column;
  });
}

/** Reads a row of DESCRIBE HISTORY; null if it renames no column. */
export function toRename({ operation, operationParameters: parameters }: Row): ColumnRename | null {
  if (operation !== 'RENAME COLUMN' || !isObject(parameters)) return null;
  const { oldColumnPath: from, newColumnPath: to } = parameters;
  return typeof from === 'string' && typeof to === 'string' ? { from: unquote(from), to: unquote(to) } : null;
}

/** A name with a dot is quoted; a path of several names belongs to a field, and equals no column. */
function unquote(path: string): string {
  return /^`(?:[^`]|``)*`$/.test(path) ? path.slice(1, -1).replaceAll('``', '`') : path;
}
