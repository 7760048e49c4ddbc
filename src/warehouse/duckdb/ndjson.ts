import type { Json } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { WarehouseError } from '../warehouse.ts';
import { type FileColumn, formatColumnTypes, type RunStatement } from './file.ts';
import { readLineShapes } from './ndjson-lines.ts';
import { preserveTexts } from './ndjson-texts.ts';
import { quoteText } from './text.ts';

/** The engine detects types recursively, and crashes the process at a depth of thousands. */
const MAX_TYPE_DEPTH = 100;

/**
 * Creates the SQL after FROM to read a file with one object per line. Types are detected once, over all lines, so a column
 * with a few cells of another kind becomes text, and no statement fails because of them.
 * @throws an error of DuckDB if a line is not JSON; WarehouseError STATEMENT_FAILED if no line is an object.
 */
export async function createNdjsonReader(
  run: RunStatement,
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const { depth, areObjects } = await readLineShapes(path, signal);
  if (areObjects && depth <= MAX_TYPE_DEPTH) {
    const columns = await detectColumns(run, path);
    if (await areKeys(run, path, columns)) return createReader(path, await preserveTexts(run, path, columns));
  }
  return createUnevenReader(path, await findObjectColumns(run, path));
}

function createReader(path: string, columns: readonly FileColumn[]): string {
  return `read_ndjson(${quoteText(path)}, columns = ${formatColumnTypes(columns)})`;
}

async function detectColumns(run: RunStatement, path: string): Promise<FileColumn[]> {
  const described = await run(
    `SELECT column_name AS name, column_type AS type
    FROM (DESCRIBE SELECT * FROM read_ndjson(${quoteText(path)}, sample_size = -1))`,
  );
  return described.map(({ name, type }) => ({
    name: String(name),
    // The engine uses JSON for cells of several kinds, but would quote those that are text.
    type: type === 'JSON' ? 'VARCHAR' : String(type),
  }));
}

/**
 * Whether each column is named like its key. The engine renames empty keys (C3) and keys that differ only in case (id_1), and
 * would then read nothing for the column.
 */
async function areKeys(run: RunStatement, path: string, columns: readonly FileColumn[]): Promise<boolean> {
  if (columns.some(({ name }) => name.includes('\0'))) return false;
  const suspected = columns.filter(({ name }) => /^C\d+$|_\d+$/.test(name));
  if (suspected.length === 0) return true;
  const found = await run(`SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${createLineReader(path)}`);
  const keys = new Set(found.map(({ name }) => name));
  return suspected.every(({ name }) => keys.has(name));
}

/** Finds the columns of the lines that are objects by the kinds of their cells, without descending into nested ones. */
async function findObjectColumns(run: RunStatement, path: string): Promise<FileColumn[]> {
  const found = await run(
    `SELECT cell.key AS name, list(DISTINCT cell.type) AS kinds
    FROM (SELECT json, row_number() OVER () AS line FROM ${createLineReader(path)} WHERE json_type(json) = 'OBJECT') AS lines,
      json_each(lines.json) AS cell
    GROUP BY cell.key ORDER BY min(lines.line), min(cell.id)`,
  );
  const columns = new Map<string, FileColumn>();
  for (const { name, kinds } of found) {
    const key = String(name);
    if (key === '' || key.includes('\0') || columns.has(asciiLowerCase(key))) continue;
    columns.set(asciiLowerCase(key), { name: key, type: findType(Array.isArray(kinds) ? kinds : []) });
  }
  if (columns.size === 0)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'No line of the file is an object with a key that can name a column: each row must be one.',
    );
  return [...columns.values()];
}

function findType(kinds: readonly Json[]): string {
  const filled = kinds.filter((kind) => kind !== 'NULL');
  const areAll = (...some: string[]) => filled.every((kind) => some.includes(String(kind)));
  if (filled.length === 0) return 'VARCHAR';
  if (areAll('BOOLEAN')) return 'BOOLEAN';
  if (areAll('BIGINT', 'UBIGINT')) return 'HUGEINT';
  if (areAll('BIGINT', 'UBIGINT', 'DOUBLE')) return 'DOUBLE';
  return areAll('OBJECT', 'ARRAY') ? 'JSON' : 'VARCHAR';
}

/**
 * Creates a reader that reads each line that is an object with distinct keys that all name columns. Any other line becomes a
 * row without values, so only that row fails.
 */
function createUnevenReader(path: string, columns: readonly FileColumn[]): string {
  const names = columns.map(({ name }) => quoteText(name)).join(', ');
  const structure = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  const isRow = `json_type(json) = 'OBJECT' AND len(list_distinct(json_keys(json))) = len(json_keys(json))
    AND list_has_all([${names}], json_keys(json))`;
  return `(SELECT unnest(json_transform(CASE WHEN ${isRow} THEN json END, ${quoteText(structure)})) FROM ${createLineReader(path)})`;
}

function createLineReader(path: string): string {
  return `read_ndjson_objects(${quoteText(path)})`;
}
