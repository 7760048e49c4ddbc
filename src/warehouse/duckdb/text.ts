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

/**
 * Formats the arguments of a function that reads one file. The engine would also make a column of each folder that is named
 * like `region=eu`, or replace one.
 */
export function formatFile(path: string): string {
  const compression = COMPRESSIONS.find(([ending]) => ending.test(path))?.[1];
  const argument = compression === undefined ? '' : `, compression = ${quoteText(compression)}`;
  return `${quotePath(path)}, hive_partitioning = false${argument}`;
}

/** The engine knows these endings only in lower case. */
const COMPRESSIONS: readonly (readonly [ending: RegExp, name: string])[] = [
  [/\.gz$/i, 'gzip'],
  [/\.zst$/i, 'zstd'],
];
