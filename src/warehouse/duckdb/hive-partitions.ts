import { isUtf8 } from 'node:buffer';
import { quoteName, quoteText } from './text.ts';

/** The values that the folders of a file state, as `day=2024-01-02` does; null for no value. The outermost comes first. */
export type Partition = ReadonlyMap<string, string | null>;

interface PartitionedFile {
  readonly partition: Partition;
}

/**
 * Parses the name of a folder such as `day=2024-01-02`, in which Spark escapes characters as `%3A`.
 * @returns the column and its value, which is null for no value; null if it is the name of no partition.
 */
export function parsePartition(name: string): readonly [column: string, value: string | null] | null {
  const equals = name.indexOf('=');
  if (equals < 1) return null;
  const [column, value] = [name.slice(0, equals), name.slice(equals + 1)].map(unescapeName);
  if (column === undefined || value === undefined) return null;
  return [column, value === NO_VALUE ? null : value];
}

const NO_VALUE = '__HIVE_DEFAULT_PARTITION__';

/** Spark escapes ASCII characters only; others, such as pandas and DuckDB, also the bytes of UTF-8. */
function unescapeName(name: string): string {
  return name.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) => {
    const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
    return isUtf8(bytes) ? bytes.toString() : escapes;
  });
}

/** The columns that the folders of a table state, with the engine's names of their types. */
export type PartitionColumns = ReadonlyMap<string, string>;

/** Finds the columns that the folders of a table state and its files do not. A column's type is that of all of its values. */
export function findPartitionColumns(
  files: readonly PartitionedFile[],
  isInFiles: (column: string) => boolean,
): PartitionColumns {
  const columns = [...(files[0]?.partition.keys() ?? [])].filter((column) => !isInFiles(column));
  return new Map(columns.map((column) => [column, findType(files, column)]));
}

/** Texts that a type would change, such as 007, stay texts. */
const TYPES: readonly (readonly [type: string, matches: (value: string) => boolean])[] = [
  ['INTEGER', (value) => INTEGER.test(value) && Math.abs(Number(value)) < 2 ** 31],
  ['BIGINT', (value) => INTEGER.test(value) && value.length < 19],
  ['DATE', isDate],
];

const INTEGER = /^(?:0|-?[1-9]\d*)$/;

/** Whether a text is a day that exists: JavaScript takes 2024-02-30 for the first of March. */
function isDate(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  const time = Date.parse(value);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

function findType(files: readonly PartitionedFile[], column: string): string {
  const values = files.flatMap(({ partition }) => partition.get(column) ?? []);
  const [type = 'VARCHAR'] =
    values.length === 0 ? [] : (TYPES.find(([, matches]) => values.every(matches)) ?? []);
  return type;
}

/** Writes the values of a file's partition as columns of a select list. */
export function selectPartition(
  { partition }: PartitionedFile,
  columns: PartitionColumns,
): readonly string[] {
  return [...columns].map(([column, type]) => {
    const value = partition.get(column) ?? null;
    return `CAST(${value === null ? 'NULL' : quoteText(value)} AS ${type}) AS ${quoteName(column)}`;
  });
}
