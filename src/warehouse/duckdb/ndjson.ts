import type { Json } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { WarehouseError } from '../warehouse.ts';
import { columnTypes, type FileColumn, type RunStatement } from './file.ts';
import { readLineShapes } from './ndjson-lines.ts';
import { keepTexts } from './ndjson-texts.ts';
import { quoteText } from './text.ts';

/** The engine finds types in as many steps within each other as values have, and one of thousands ends the process. */
const DEEPEST_TYPE = 100;

/**
 * What stands behind FROM to read a file of one object a line. The types are found once, over all lines, so that a
 * column with some cells of another kind is text and no statement fails at them.
 * @throws an error of DuckDB where a line is no JSON; WarehouseError STATEMENT_FAILED where none is an object.
 */
export async function ndjsonReader(run: RunStatement, path: string, signal: AbortSignal): Promise<string> {
  const { depth, areObjects } = await readLineShapes(path, signal);
  if (areObjects && depth <= DEEPEST_TYPE) {
    const columns = await detectColumns(run, path);
    if (await areKeys(run, path, columns)) return readerOf(path, await keepTexts(run, path, columns));
  }
  return unevenReader(path, await columnsOfObjects(run, path));
}

function readerOf(path: string, columns: readonly FileColumn[]): string {
  return `read_ndjson(${quoteText(path)}, columns = ${columnTypes(columns)})`;
}

async function detectColumns(run: RunStatement, path: string): Promise<FileColumn[]> {
  const described = await run(
    `SELECT column_name AS name, column_type AS type
    FROM (DESCRIBE SELECT * FROM read_ndjson(${quoteText(path)}, sample_size = -1))`,
  );
  return described.map(({ name, type }) => ({
    name: String(name),
    // JSON is what cells of several kinds have in common; as text, those that are text are not put in quotes.
    type: type === 'JSON' ? 'VARCHAR' : String(type),
  }));
}

/**
 * Whether each column has the name of its key. The engine renames an empty key (C3), and one that is another's but for its
 * case (id_1), and would then read nothing where the column stands.
 */
async function areKeys(run: RunStatement, path: string, columns: readonly FileColumn[]): Promise<boolean> {
  if (columns.some(({ name }) => name.includes('\0'))) return false;
  const suspected = columns.filter(({ name }) => /^C\d+$|_\d+$/.test(name));
  if (suspected.length === 0) return true;
  const found = await run(`SELECT DISTINCT unnest(json_keys(json)) AS name FROM ${linesOf(path)}`);
  const keys = new Set(found.map(({ name }) => name));
  return suspected.every(({ name }) => keys.has(name));
}

/** The columns of the lines that are objects by what their cells are, without a look into those that are nested. */
async function columnsOfObjects(run: RunStatement, path: string): Promise<FileColumn[]> {
  const found = await run(
    `SELECT cell.key AS name, list(DISTINCT cell.type) AS kinds
    FROM (SELECT json, row_number() OVER () AS line FROM ${linesOf(path)} WHERE json_type(json) = 'OBJECT') AS lines,
      json_each(lines.json) AS cell
    GROUP BY cell.key ORDER BY min(lines.line), min(cell.id)`,
  );
  const columns = new Map<string, FileColumn>();
  for (const { name, kinds } of found) {
    const key = String(name);
    if (key === '' || key.includes('\0') || columns.has(asciiLowerCase(key))) continue;
    columns.set(asciiLowerCase(key), { name: key, type: typeOf(Array.isArray(kinds) ? kinds : []) });
  }
  if (columns.size === 0)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'No line of the file is an object with a key that can name a column.',
    );
  return [...columns.values()];
}

function typeOf(kinds: readonly Json[]): string {
  const filled = kinds.filter((kind) => kind !== 'NULL');
  const areAll = (...some: string[]) => filled.every((kind) => some.includes(String(kind)));
  if (filled.length === 0) return 'VARCHAR';
  if (areAll('BOOLEAN')) return 'BOOLEAN';
  if (areAll('BIGINT', 'UBIGINT')) return 'HUGEINT';
  if (areAll('BIGINT', 'UBIGINT', 'DOUBLE')) return 'DOUBLE';
  return areAll('OBJECT', 'ARRAY') ? 'JSON' : 'VARCHAR';
}

/**
 * Reads each line that is an object, none of whose keys is there twice or is no name of a column; any other line is a row
 * without a single value, so that it fails alone.
 */
function unevenReader(path: string, columns: readonly FileColumn[]): string {
  const names = columns.map(({ name }) => quoteText(name)).join(', ');
  const structure = JSON.stringify(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
  const isRow = `json_type(json) = 'OBJECT' AND len(list_distinct(json_keys(json))) = len(json_keys(json))
    AND list_has_all([${names}], json_keys(json))`;
  return `(SELECT unnest(json_transform(CASE WHEN ${isRow} THEN json END, ${quoteText(structure)})) FROM ${linesOf(path)})`;
}

function linesOf(path: string): string {
  return `read_ndjson_objects(${quoteText(path)})`;
}
