import type { PartRange } from '../warehouse.ts';
import { quotePath, quoteText } from './text.ts';

/** The variable of a connection with the place of the first file that its statements read. */
const FIRST_FILE = 'blade_first_file';

/** The variable of a connection with the place behind the last file that its statements read. */
const END_FILE = 'blade_end_file';

/** Writes the statements that have all others of a connection read some of the files of its only table. */
export function selectFiles({ first, end }: PartRange): readonly string[] {
  return [`SET VARIABLE ${FIRST_FILE} = ${first}::BIGINT`, `SET VARIABLE ${END_FILE} = ${end}::BIGINT`];
}

/**
 * Writes the list of those of some files that a connection reads: at least one of them, because the engine opens no empty
 * list.
 * @param paths consecutive files of a table.
 * @param first the place of the first of them in the table.
 */
export function listSelectedFiles(paths: readonly string[], first: number): string {
  const count = paths.length;
  const start = `least(greatest(${readPlace(FIRST_FILE, 0)} - ${first}, 0), ${count - 1})`;
  const end = `greatest(least(${readPlace(END_FILE, first + count)} - ${first}, ${count}), 1)`;
  return `list_slice([${paths.map(quotePath).join(', ')}], ${start} + 1, ${end})`;
}

/** Writes the condition that a connection reads any of so many files of a table, from a place on. */
export function areSelected(count: number, first: number): string {
  const end = first + count;
  return `${readPlace(FIRST_FILE, 0)} < ${end} AND ${readPlace(END_FILE, end)} > ${first}`;
}

function readPlace(variable: string, otherwise: number): string {
  return `coalesce(getvariable(${quoteText(variable)})::BIGINT, ${otherwise})`;
}
