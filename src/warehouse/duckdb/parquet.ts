import type { RunStatement } from './file.ts';
import { END_ROW, FIRST_ROW, type RowWindows } from './row-windows.ts';
import { formatFile, quotePath, quoteText } from './text.ts';

/** How to read a Parquet file. */
export interface ParquetReading {
  /** The SQL after FROM. */
  readonly reader: string;
  /** The windows that it is to be read in; null if a chunk of its rows fits in memory. */
  readonly windows: RowWindows | null;
}

/** Finds out how to read a Parquet file. */
export async function findParquetReading(run: RunStatement, path: string): Promise<ParquetReading> {
  const plain = `read_parquet(${formatFile(path)})`;
  const windows = await findWindows(run, path);
  if (windows === null) return { reader: plain, windows };
  const numbered = `read_parquet(${formatFile(path)}, file_row_number = true)`;
  const [first, end] = [FIRST_ROW, END_ROW].map((name) => `getvariable(${quoteText(name)})::BIGINT`);
  const isInside = `file_row_number >= coalesce(${first}, 0) AND file_row_number < coalesce(${end}, ${windows.rows})`;
  return {
    reader: `(SELECT * EXCLUDE (file_row_number) FROM ${numbered} WHERE ${isInside})`,
    windows,
  };
}

/** How many rows the engine reads at once. */
const CHUNK_ROWS = 2_048;

/** Rows that take more than this at once, in bytes, are read in windows: the engine has all of them in memory twice. */
const LARGE_BYTES = 400_000_000;

/** About how many bytes a window has. Each decompresses what precedes it, so fewer are faster. */
const WINDOW_BYTES = 128_000_000;

/** The most windows of a group of rows, of which each decompresses what precedes it. */
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
