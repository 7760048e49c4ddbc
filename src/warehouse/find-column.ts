import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { TableColumn } from './warehouse.ts';

/** Finds a column of a table by its name, in any case. */
export function findColumn(columns: readonly TableColumn[], name: string): TableColumn | undefined {
  const wanted = asciiLowerCase(name);
  return columns.find((column) => asciiLowerCase(column.name) === wanted);
}
