import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { WarehouseError } from '../warehouse.ts';
import { type CsvLines, type CsvShape, readCsvLines } from './csv-lines.ts';
import { columnTypes, type FileColumn, type RunStatement } from './file.ts';
import { quoteName, quoteText } from './text.ts';

/** How a CSV file is read, and which of its lines are not. */
export interface CsvReading {
  /** What stands behind FROM. */
  readonly reader: string;
  /** Why lines are no rows: goes on after "Line ", as in "3 has 2 cells, …". */
  readonly unreadable: readonly string[];
}

/**
 * Finds out how a CSV file is read. The types are found once, over all rows, so that a column with some cells of another
 * kind is text and no statement fails at them. A line with more or fewer cells than the header is no row, nor is the last
 * one of a file that was cut within a quoted cell.
 * @param scratch a folder that the engine can read, for what is there for a moment; made where it is missing.
 * @throws an error of DuckDB, or WarehouseError STATEMENT_FAILED, where the file cannot be read as CSV.
 */
export async function csvReading(
  run: RunStatement,
  path: string,
  scratch: string,
  signal: AbortSignal,
): Promise<CsvReading> {
  const { shape, failure } = await findShape(run, path);
  const guess: CsvShape = shape ?? (await guessShape(path));
  const lines = await readCsvLines(path, guess, MOST_UNEVEN, signal);
  if (lines.openQuote !== null && !lines.openQuote.isInLastLine) throw openQuoteError(lines.openQuote.line);
  // Delimiters at the ends of some lines look like a column without a name.
  const isNamed = shape === null || shape.columns.length === lines.columns;
  if (lines.unevenCount > 0 || lines.openQuote !== null || !isNamed) {
    return readEvenLines(run, path, { guess, lines, scratch, signal });
  }
  if (shape === null) throw failure;
  return { reader: readerOf(path, shape), unreadable: [] };
}

/** A file with more uneven lines than that is no table with some broken lines. */
const MOST_UNEVEN = 100_000;

interface SniffedShape extends CsvShape {
  readonly formats: readonly string[];
  readonly columns: readonly FileColumn[];
}

/** What the engine makes of the file; a failure where it can make nothing of it, as of a few lines with an open quote. */
async function findShape(
  run: RunStatement,
  path: string,
): Promise<{ shape: SniffedShape | null; failure: unknown }> {
  let shape: SniffedShape | null = null;
  try {
    shape = await sniff(run, path, PADDED);
    const hidden = hiddenDelimiter(shape);
    if (hidden !== null) {
      shape = null;
      shape = await sniff(run, path, `${PADDED}, delim = ${quoteText(hidden)}`);
    }
    return { shape, failure: null };
  } catch (failure) {
    return { shape, failure };
  }
}

/** The shape by what stands most often in the first line between its names. */
async function guessShape(path: string): Promise<CsvShape> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const [header = ''] = buffer.toString('utf8', 0, bytesRead).split(/[\r\n]/);
    const count = (delimiter: string) => header.split(delimiter).length;
    const [delimiter = ','] = DELIMITERS.toSorted((one, other) => count(other) - count(one));
    return { delimiter, skip: 0 };
  } finally {
    await file.close();
  }
}

const DELIMITERS = [',', ';', '|', '\t'];
const HEADER_BYTES = 65_536;

interface UnevenFile {
  readonly guess: CsvShape;
  /** What the lines are by that guess. */
  readonly lines: CsvLines;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Reads the lines that are rows and tells of the others. The engine leaves out whatever it cannot read, so that it is held
 * to the number of rows that were counted.
 */
async function readEvenLines(
  run: RunStatement,
  path: string,
  { guess, lines, scratch, signal }: UnevenFile,
): Promise<CsvReading> {
  const options = `${EVEN}, delim = ${quoteText(guess.delimiter)}`;
  const shape = await sniff(run, path, options).catch(async (error: unknown) => {
    // A few lines with an open quote tell the engine nothing; without the cut one they do.
    if (lines.openQuote === null) throw error;
    return sniffBeginning(run, path, { scratch, end: lines.openQuote.offset, options });
  });
  const found = shape.skip === guess.skip ? lines : await readCsvLines(path, shape, MOST_UNEVEN, signal);
  const { columns, rows, uneven, openQuote } = found;
  if (found.unevenCount > MOST_UNEVEN) throw tooUnevenError(found);
  const reader = readerOf(path, shape, 'ignore_errors = true');
  if (shape.columns.length !== columns || (await countRows(run, reader, shape)) !== rows) {
    throw unevenError(found);
  }
  return {
    reader,
    unreadable: [
      ...uneven.map(({ line, cells }) => `${line} has ${cellsOf(cells)}, and the header ${columns}`),
      ...(openQuote === null ? [] : [`${openQuote.line} ends within a quoted cell`]),
    ],
  };
}

/** Counts the rows with all of their cells: what is not asked for is not looked at. */
async function countRows(run: RunStatement, reader: string, { columns }: SniffedShape): Promise<number> {
  const cells = columns.map(({ name }) => quoteName(name)).join(', ');
  const [counted] = await run(`SELECT count(*) FILTER (hash(${cells}) IS NOT NULL) AS total FROM ${reader}`);
  return Number(counted?.total);
}

async function sniffBeginning(
  run: RunStatement,
  path: string,
  { scratch, end, options }: { scratch: string; end: number; options: string },
): Promise<SniffedShape> {
  if (end > LONGEST_BEGINNING) throw openQuoteError(null);
  const beginning = join(scratch, `${randomUUID()}.csv`);
  await mkdir(scratch, { recursive: true });
  try {
    await pipeline(createReadStream(path, { end: end - 1 }), createWriteStream(beginning));
    return await sniff(run, beginning, options);
  } finally {
    await rm(beginning, { force: true });
  }
}

/** The engine needs help with a few lines only. */
const LONGEST_BEGINNING = 64 * 1024 * 1024;

const QUOTING = `header = true, quote = '"', escape = '"', parallel = false`;
/** Takes all lines for rows. */
const PADDED = `${QUOTING}, null_padding = true`;
/** Takes those for rows that have as many cells as most of them. */
const EVEN = `${QUOTING}, ignore_errors = true`;

async function sniff(run: RunStatement, path: string, options: string): Promise<SniffedShape> {
  const [found = {}] = await run(
    `SELECT Delimiter AS delimiter, SkipRows AS skip, DateFormat AS date_format, TimestampFormat AS timestamp_format,
      list_transform(Columns, lambda c: {'name': c.name, 'type': c.type})::JSON::VARCHAR AS columns
    FROM sniff_csv(${quoteText(path)}, ${options}, sample_size = -1)`,
  );
  const format = (option: string, value: unknown) =>
    value === null ? [] : [`${option} = ${quoteText(String(value))}`];
  return {
    delimiter: String(found.delimiter),
    skip: Number(found.skip),
    formats: [
      ...format('dateformat', found.date_format),
      ...format('timestampformat', found.timestamp_format),
    ],
    columns: JSON.parse(String(found.columns)),
  };
}

function readerOf(path: string, shape: SniffedShape, ...options: readonly string[]): string {
  const { delimiter, skip, formats, columns } = shape;
  return `read_csv(${[
    quoteText(path),
    QUOTING,
    'auto_detect = false',
    `delim = ${quoteText(delimiter)}`,
    `skip = ${skip}`,
    ...formats,
    ...options,
    `columns = ${columnTypes(columns)}`,
  ].join(', ')})`;
}

/**
 * What the names of the columns are parted by where the engine was misled by a line that it cannot part, and took all of
 * them for one name; null where it was not.
 */
function hiddenDelimiter({ columns }: SniffedShape): string | null {
  const [first, ...others] = columns.map(({ name }) => name);
  if (first === undefined || !others.every((name) => /^column\d+$/.test(name))) return null;
  return /[,;|\t]/.exec(first)?.[0] ?? null;
}

function cellsOf(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function openQuoteError(line: number | null): WarehouseError {
  const place = line === null ? 'The file' : `Line ${line} of the file`;
  return new WarehouseError(
    'STATEMENT_FAILED',
    `${place} cannot be read as CSV: a quote is opened and never closed.`,
  );
}

function tooUnevenError({ columns, unevenCount, uneven }: CsvLines): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The file cannot be read as CSV: ${unevenCount} of its lines, the first of them line ${uneven[0]?.line}, have another number of cells than the header, which has ${columns}.`,
  );
}

function unevenError({ columns, uneven: [first] }: CsvLines): WarehouseError {
  const cut =
    first === undefined ? '' : ` Line ${first.line} has ${cellsOf(first.cells)}, and the header ${columns}.`;
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The file cannot be read as CSV: some of its lines are neither rows nor only of another length.${cut}`,
  );
}
