import { type FileColumn, listColumns, type RunStatement } from './file.ts';
import { END_ROW, FIRST_ROW, type RowWindows } from './row-windows.ts';
import { formatFile, quoteName, quotePath, quoteText } from './text.ts';

/** How to read a Parquet file. */
export interface ParquetReading {
  /** The SQL after FROM. */
  readonly reader: string;
  readonly columns: readonly FileColumn[];
  /** The windows that it is to be read in; null if a chunk of its rows fits in memory. */
  readonly windows: RowWindows | null;
}

/** Finds out how to read a Parquet file. */
export async function findParquetReading(run: RunStatement, path: string): Promise<ParquetReading> {
  const plain = `read_parquet(${formatFile(path)})`;
  const columns = await listColumns(run, plain);
  const instants = await findOldInstants(run, path, columns);
  const selected = selectAll(columns, instants);
  const toReading = (reader: string, windows: RowWindows | null) => ({
    reader,
    columns: columns.map(({ name, type }) => ({ name, type: instants.get(name) ?? type })),
    windows,
  });
  const windows = await findWindows(run, path);
  if (windows === null)
    return toReading(instants.size === 0 ? plain : `(SELECT ${selected} FROM ${plain})`, windows);
  const numbered = `read_parquet(${formatFile(path)}, file_row_number = true)`;
  const [first, end] = [FIRST_ROW, END_ROW].map((name) => `getvariable(${quoteText(name)})::BIGINT`);
  const isInside = `file_row_number >= coalesce(${first}, 0) AND file_row_number < coalesce(${end}, ${windows.rows})`;
  return toReading(`(SELECT ${selected} FROM ${numbered} WHERE ${isInside})`, windows);
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
async function findOldInstants(
  run: RunStatement,
  path: string,
  columns: readonly FileColumn[],
): Promise<ReadonlyMap<string, string>> {
  const nodes = await run(
    `SELECT type = 'INT96' AS is_old, coalesce(num_children, 0)::INTEGER AS children FROM parquet_schema(${quotePath(path)})`,
  );
  const found = new Map<string, string>();
  if (!nodes.some(({ is_old: isOld }) => isOld === true)) return found;
  // Each node is followed by its children; the first one is the file.
  let place = 1;
  const skipNode = (): boolean => {
    const node = nodes[place];
    place += 1;
    let hasOld = node?.is_old === true;
    for (let child = 0; child < Number(node?.children ?? 0); child += 1) hasOld = skipNode() || hasOld;
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
