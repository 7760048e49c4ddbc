import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { type FileColumn, listColumns, type RunStatement } from './file.ts';
import { END_ROW, FIRST_ROW, type RowWindows } from './row-windows.ts';
import { type FileList, formatFile, formatFiles, quoteName, quotePath, quoteText } from './text.ts';

/** How to read a Parquet file, and others with the same schema. */
export interface ParquetReading {
  /** Writes the SQL after FROM. */
  readonly toReader: (files: FileList) => string;
  /** Equal for files that one function can read at once; null for one that it must read alone. */
  readonly shape: string | null;
  readonly columns: readonly FileColumn[];
  /** The windows that it is to be read in; null if a chunk of its rows fits in memory. */
  readonly windows: RowWindows | null;
}

/**
 * Finds out how to read a Parquet file.
 * @param isWhole whether it is all of its table, so that it can be read in windows.
 */
export async function findParquetReading(
  run: RunStatement,
  path: string,
  isWhole: boolean,
): Promise<ParquetReading> {
  const columns = await listColumns(run, `read_parquet(${formatFile(path)})`);
  const nodes = await listSchemaNodes(run, path);
  const instants = findOldInstants(nodes, columns);
  const selected = selectAll(columns, instants);
  const toReading = (toReader: ParquetReading['toReader'], windows: RowWindows | null) => ({
    toReader,
    // The engine matches the columns of several files by their names.
    shape: areDistinct(nodes) ? JSON.stringify(columns) : null,
    columns: columns.map(({ name, type }) => ({ name, type: instants.get(name) ?? type })),
    windows,
  });
  const windows = isWhole ? await findWindows(run, path) : null;
  if (windows === null)
    return toReading((files) => {
      const plain = `read_parquet(${formatFiles(files)})`;
      return instants.size === 0 ? plain : `(SELECT ${selected} FROM ${plain})`;
    }, windows);
  const [first, end] = [FIRST_ROW, END_ROW].map((name) => `getvariable(${quoteText(name)})::BIGINT`);
  const isInside = `file_row_number >= coalesce(${first}, 0) AND file_row_number < coalesce(${end}, ${windows.rows})`;
  return toReading(
    (files) =>
      `(SELECT ${selected} FROM read_parquet(${formatFiles(files)}, file_row_number = true) WHERE ${isInside})`,
    windows,
  );
}

/**
 * Finds which files have the same schema.
 * @returns a text by the path of each file, equal for equal schemas; none for a file that is not found.
 * @throws an error of DuckDB if one of the files cannot be read.
 */
export async function findSchemaTexts(
  run: RunStatement,
  paths: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = await run(
    `SELECT file_name AS path, md5(list(node)::VARCHAR) AS text FROM (
      SELECT file_name, row(* EXCLUDE (file_name)) AS node FROM parquet_schema([${paths.map(quotePath).join(', ')}])
    ) GROUP BY file_name`,
  );
  return new Map(found.map(({ path, text }) => [String(path), String(text)]));
}

/** A field of a Parquet file. Each is followed by its children; the first one is the file. */
interface SchemaNode {
  readonly name: string;
  readonly isOld: boolean;
  readonly children: number;
}

async function listSchemaNodes(run: RunStatement, path: string): Promise<readonly SchemaNode[]> {
  const nodes = await run(
    `SELECT name, type = 'INT96' AS is_old, coalesce(num_children, 0)::INTEGER AS children FROM parquet_schema(${quotePath(path)})`,
  );
  return nodes.map(({ name, is_old: isOld, children }) => ({
    name: String(name),
    isOld: isOld === true,
    children: Number(children),
  }));
}

/** Whether the names of fields differ, in any case: the engine renames those that do not. */
function areDistinct(nodes: readonly SchemaNode[]): boolean {
  let place = 0;
  const visit = (): boolean => {
    const { children = 0 } = nodes[place] ?? {};
    place += 1;
    const names = new Set<string>();
    let areInner = true;
    for (let child = 0; child < children; child += 1) {
      names.add(asciiLowerCase(nodes[place]?.name ?? ''));
      areInner = visit() && areInner;
    }
    return areInner && names.size === children;
  };
  return visit();
}

function selectAll(columns: readonly FileColumn[], instants: ReadonlyMap<string, string>): string {
  return columns
    .map(({ name }) => {
      const type = instants.get(name);
      return type === undefined
        ? quoteName(name)
        : `CAST(${quoteName(name)} AS ${type}) AS ${quoteName(name)}`;
    })
    .join(', ');
}

/**
 * Finds the columns with times in the old form of 96 bits, which are instants, as Spark reads them: the engine takes them
 * for times without a zone.
 * @returns the types that they should have.
 */
function findOldInstants(
  nodes: readonly SchemaNode[],
  columns: readonly FileColumn[],
): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!nodes.some(({ isOld }) => isOld)) return found;
  let place = 1;
  const skipNode = (): boolean => {
    const { isOld = false, children = 0 } = nodes[place] ?? {};
    place += 1;
    let hasOld = isOld;
    for (let child = 0; child < children; child += 1) hasOld = skipNode() || hasOld;
    return hasOld;
  };
  for (const { name, type } of columns)
    if (skipNode()) found.set(name, type.replace(/TIMESTAMP(?! WITH|_)/g, 'TIMESTAMP WITH TIME ZONE'));
  return found;
}

/** How many rows the engine reads at once. */
const CHUNK_ROWS = 2_048;

/** Rows that take more than this at once, in bytes, are read in windows: the engine has all of them in memory twice. */
const LARGE_BYTES = 400_000_000;

/** About how many bytes a window has. Each decompresses what precedes it, so fewer are faster. */
const WINDOW_BYTES = 128_000_000;

/** The most windows per row group: each decompresses the rows before it. */
const MAX_WINDOWS = 32;

async function findWindows(run: RunStatement, path: string): Promise<RowWindows | null> {
  const [found = {}] = await run(
    `SELECT max(bytes / group_rows) AS row_bytes, max(group_rows) AS group_rows, sum(group_rows) AS total,
      bool_or(is_numbered) AS is_numbered
    FROM (
      SELECT sum(total_uncompressed_size) AS bytes, any_value(row_group_num_rows) AS group_rows,
        bool_or(lower(path_in_schema) = 'file_row_number') AS is_numbered
      FROM parquet_metadata(${quotePath(path)}) GROUP BY row_group_id
    ) WHERE group_rows > 0`,
  );
  const [rowBytes, groupRows, rows] = [found.row_bytes, found.group_rows, found.total].map(Number);
  if (rowBytes === undefined || groupRows === undefined || rows === undefined) return null;
  const isLarge = Math.min(CHUNK_ROWS, groupRows) * rowBytes > LARGE_BYTES;
  const size = Math.max(Math.floor(WINDOW_BYTES / rowBytes), Math.ceil(groupRows / MAX_WINDOWS), 1);
  // A column of this name would hide the number.
  return isLarge && size < CHUNK_ROWS && found.is_numbered !== true ? { rows, size } : null;
}
