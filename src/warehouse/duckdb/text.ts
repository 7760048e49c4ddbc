/** Quotes a text as a SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Quotes a name for SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes the path of one file, in which the engine would read `*`, `?` and `[` as patterns. */
export function quotePath(path: string): string {
  return quoteText(path.replace(/[*?[]/g, '[$&]'));
}

/** Formats the arguments of a function that reads one file. */
export function formatFile(path: string): string {
  return formatFiles(listFile(path, 0));
}

/**
 * Formats the arguments of a function that reads files. The engine would also make a column of each folder that is named
 * like `region=eu`, or replace one.
 */
export function formatFiles({ sql, compression, pathColumn }: FileList): string {
  return [
    ...[sql, 'hive_partitioning = false'],
    ...(compression === null ? [] : [`compression = ${quoteText(compression)}`]),
    ...(pathColumn === undefined ? [] : [`filename = ${quoteText(pathColumn)}`]),
  ].join(', ');
}

/** Files that one function reads. */
export interface FileList {
  /** A SQL expression. */
  readonly sql: string;
  readonly compression: Compression;
  /** The size of the text of the largest of them. */
  readonly bytes: number;
  /** What to call a column with the path of each row's file. Default: none. */
  readonly pathColumn?: string;
}

/** Lists one file. */
export function listFile(path: string, bytes: number): FileList {
  return { sql: quotePath(path), compression: findCompression(path), bytes };
}

/** How a text file is compressed; null if it is not. */
export type Compression = 'gzip' | 'zstd' | null;

/** Finds how a file is compressed, by its name. */
export function findCompression(path: string): Compression {
  return COMPRESSIONS.find(([ending]) => ending.test(path))?.[1] ?? null;
}

/** The engine knows these endings only in lower case. */
const COMPRESSIONS: readonly (readonly [ending: RegExp, name: Exclude<Compression, null>])[] = [
  [/\.gz$/i, 'gzip'],
  [/\.zst$/i, 'zstd'],
];
