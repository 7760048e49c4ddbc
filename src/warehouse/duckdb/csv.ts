import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import { WarehouseError } from '../warehouse.ts';
import { type CsvLines, type CsvShape, readCsvHeader, readCsvLines } from './csv-lines.ts';
import { type FileColumn, formatColumnTypes, type RunStatement, type UnreadableLine } from './file.ts';
import { type FileList, formatFile, formatFiles, listFile, quoteName, quoteText } from './text.ts';
import { readTextFile } from './text-file.ts';

/** How to read a CSV file, and others of its shape, and which of its lines cannot be read. */
export interface CsvReading {
  /** Writes the SQL after FROM. */
  readonly toReader: (files: FileList) => string;
  /** Equal for files that one function can read at once; null for one that it must read alone. */
  readonly shape: string | null;
  /** The size of its text. */
  readonly bytes: number;
  readonly columns: readonly string[];
  /** How many of its lines are rows. */
  readonly rows: number;
  readonly unreadable: readonly UnreadableLine[];
  /** What its lines are, if the engine must still be asked for as many rows. */
  readonly unchecked: CsvLines | null;
}

/** The shapes of the files of a table that were found before, by their first lines. */
export type KnownShapes = Map<string, SniffedShape>;

/**
 * Finds out how to read a CSV file. Each cell is the text that was written, whatever the others are. A line with more or fewer cells than the header is not a row, and
 * neither is the last line of a file truncated within a quoted cell or before its last cell.
 * @param scratch a folder for temporary files that the engine can read; created if it is missing.
 * @param known files with equal headers have one shape, which is found once.
 * @returns null if the file is blank: without a header it has no columns, and so no rows.
 * @throws an error of DuckDB, or WarehouseError STATEMENT_FAILED, if the file cannot be read as CSV.
 */
export async function findCsvReading(
  run: RunStatement,
  path: string,
  { scratch, signal, known }: { scratch: string; signal: AbortSignal; known: KnownShapes },
): Promise<CsvReading | null> {
  const start = await readStart(path, HEADER_BYTES);
  if (await isBlankFile(path, start, signal)) return null;
  const firstLine = findFirstLine(start);
  const alike = firstLine === null ? undefined : known.get(firstLine);
  if (alike !== undefined) {
    const lines = await readCsvLines(path, alike, 0, signal);
    if (isWhole(lines) && lines.columns === alike.columns.length) return createReading(alike, lines);
  }
  const skip = countEmptyLines(start);
  const { shape, failure } = await findShape(run, path, skip);
  const guess: CsvShape = shape ?? { delimiter: guessDelimiter(start), skip };
  const lines = await readCsvLines(path, guess, MAX_UNEVEN_LINES, signal);
  checkNames(await readCsvHeader(path, guess, lines.header));
  if (lines.openQuote !== null && !lines.openQuote.isInLastLine)
    throw createOpenQuoteError(lines.openQuote.line);
  // Delimiters at the end of some lines look like a column without a name.
  const isNamed = shape === null || shape.columns.length === lines.columns;
  if (!isWhole(lines) || !isNamed) {
    return readEvenLines(run, path, { guess, lines, scratch, signal });
  }
  if (shape === null) throw createTextAfterQuoteError(lines) ?? failure;
  if (firstLine !== null) known.set(firstLine, shape);
  return createReading(shape, lines);
}

/** Whether a file has nothing but white space, which the engine refuses or takes for the name of a column. */
async function isBlankFile(path: string, start: Buffer, signal: AbortSignal): Promise<boolean> {
  if (!BLANK.test(withoutMark(start))) return false;
  for await (const chunk of readTextFile(path, { start: start.length, signal }))
    if (!BLANK.test(chunk.toString('latin1'))) return false;
  return true;
}

const BLANK = /^[ \t\r\n\v\f]*$/;

/** Returns the bytes at the beginning of a file as characters, without its byte order mark. */
function withoutMark(start: Buffer): string {
  return start.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '');
}

/** Whether all lines of a file are rows. */
function isWhole({ unevenCount, openQuote, lineWithoutEnd }: CsvLines): boolean {
  return unevenCount === 0 && openQuote === null && lineWithoutEnd === null;
}

function createReading(shape: SniffedShape, lines: CsvLines): CsvReading {
  return {
    toReader: (files) => createReader(files, shape, readInParts(lines)),
    shape: JSON.stringify([shape, readInParts(lines)]),
    bytes: lines.bytes,
    columns: listNames(shape),
    rows: lines.rows,
    unreadable: [],
    unchecked: lines,
  };
}

/**
 * Finds the first line of a file with its end, which tells the shape of others that begin alike; null if a quoted cell or an
 * empty line is in it.
 */
function findFirstLine(start: Buffer): string | null {
  return /^[^\r\n"]+(?:\r\n|\n|\r(?!\n))/.exec(start.toString('latin1'))?.[0] ?? null;
}

/**
 * Checks that the engine gives as many rows as there are lines in a file.
 * @throws WarehouseError STATEMENT_FAILED if it does not.
 */
export async function checkCsvRows(run: RunStatement, path: string, reading: CsvReading): Promise<void> {
  const { unchecked, toReader, bytes } = reading;
  if (unchecked === null) return;
  const [counted] = await run(`SELECT count(*) AS total FROM ${toReader(listFile(path, bytes))}`);
  if (Number(counted?.total) !== unchecked.rows) throw createUnevenError(unchecked);
}

/** Whether the engine gives as many rows as there are lines in each of several files that it reads at once. */
export async function haveCsvRows(
  run: RunStatement,
  files: FileList,
  readings: ReadonlyMap<string, CsvReading>,
): Promise<boolean> {
  const [first] = readings.values();
  if (first === undefined) return true;
  const listed = first.toReader({ ...files, pathColumn: PATH_COLUMN });
  const found = await run(
    `SELECT ${PATH_COLUMN} AS path, count(*) AS total FROM ${listed} GROUP BY ${PATH_COLUMN}`,
  );
  const totals = new Map(found.map(({ path, total }) => [String(path), Number(total)]));
  const rows = [...readings].map(([path, { unchecked }]) => (totals.get(path) ?? 0) - (unchecked?.rows ?? 0));
  return (
    rows.every((difference) => difference === 0) && [...totals.keys()].every((path) => readings.has(path))
  );
}

const PATH_COLUMN = 'blade_path';

/** @throws WarehouseError STATEMENT_FAILED for a column that is there twice: the engine would rename one of them silently. */
function checkNames(names: readonly string[]): void {
  if (names.some((name) => name.includes('\0')))
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'The header of the file has a NUL character, as in UTF-16: save the file as UTF-8.',
    );
  const places = new Map<string, number>();
  names.forEach((name, index) => {
    const other = places.get(asciiLowerCase(name));
    if (other !== undefined && name !== '')
      throw new WarehouseError(
        'STATEMENT_FAILED',
        `The header of the file names the column ${JSON.stringify(name)} twice, in its cells ${other + 1} and ${index + 1}: rename one of them.`,
      );
    places.set(asciiLowerCase(name), index);
  });
}

function listNames({ columns }: SniffedShape): readonly string[] {
  return columns.map(({ name }) => name);
}

/**
 * Returns whether to read a file in parts. Otherwise the engine keeps all of it in memory and reads 2,048 rows at once, which
 * is too much of large rows. Where cells have line ends, it cannot tell the beginning of a row in the middle of the file.
 */
function readInParts({ bytes, rows, hasLineEndsInCells }: CsvLines): string {
  const hasLargeRows = bytes / Math.max(rows, 1) > LARGE_ROW_BYTES;
  return `parallel = ${hasLargeRows && !hasLineEndsInCells}`;
}

/** Reads a small file with a buffer of its size: with the default of 32 MB each, hundreds of them exceed the memory at once. */
function sizeBuffer({ bytes }: FileList): readonly string[] {
  if (bytes > MAX_BUFFER_BYTES) return [];
  const line = Math.max(bytes, 1_000);
  return [`max_line_size = ${line}`, `buffer_size = ${line + 1}`];
}

const MAX_BUFFER_BYTES = 2_000_000;

const LARGE_ROW_BYTES = 10_000;

/** A file with more uneven lines than this is not a table with a few broken lines. */
const MAX_UNEVEN_LINES = 100_000;

interface SniffedShape extends CsvShape {
  readonly columns: readonly FileColumn[];
}

/** Lets the engine detect the shape of a file. It fails for some files, such as a few lines with an open quote. */
async function findShape(
  run: RunStatement,
  path: string,
  skip: number,
): Promise<{ shape: SniffedShape | null; failure: unknown }> {
  const options = `${PADDED}${skipLines(skip)}`;
  let shape: SniffedShape | null = null;
  try {
    shape = await sniff(run, path, options);
    const hidden = findHiddenDelimiter(shape);
    if (hidden !== null) {
      shape = null;
      shape = await sniff(run, path, `${options}, delim = ${quoteText(hidden)}`);
    }
    return { shape, failure: null };
  } catch (failure) {
    return { shape, failure };
  }
}

/** Guesses the delimiter: the most frequent one in the header. */
function guessDelimiter(start: Buffer): string {
  const [header = ''] = start
    .toString()
    .trimStart()
    .split(/[\r\n]/);
  const count = (delimiter: string) => header.split(delimiter).length;
  const [delimiter = ','] = DELIMITERS.toSorted((one, other) => count(other) - count(one));
  return delimiter;
}

/** Counts the empty lines before the header: the engine skips them to find it, but then reads it as a row. */
function countEmptyLines(start: Buffer): number {
  const [ends = ''] = /^[\r\n]*/.exec(withoutMark(start)) ?? [];
  return ends.replaceAll('\r\n', '\n').length;
}

function skipLines(skip: number): string {
  return skip === 0 ? '' : `, skip = ${skip}`;
}

async function readStart(path: string, bytes: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readTextFile(path, { end: bytes })));
}

const DELIMITERS = [',', ';', '|', '\t'];
const HEADER_BYTES = 65_536;

interface UnevenFile {
  readonly guess: CsvShape;
  /** The lines by that guess. */
  readonly lines: CsvLines;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Finds out how to read the lines that are rows, and describes the others. The engine skips what it cannot read, so its
 * number of rows must equal the counted one.
 */
async function readEvenLines(
  run: RunStatement,
  path: string,
  { guess, lines, scratch, signal }: UnevenFile,
): Promise<CsvReading> {
  const options = `${EVEN}, delim = ${quoteText(guess.delimiter)}${skipLines(guess.skip)}`;
  const shape = await sniff(run, path, options).catch(async (error: unknown) => {
    // The engine cannot detect the shape of a few lines with an open quote, but it can without the truncated one.
    if (lines.openQuote === null) throw createTextAfterQuoteError(lines) ?? error;
    return sniffBeginning(run, path, { scratch, end: lines.openQuote.offset, options });
  });
  const found = shape.skip === guess.skip ? lines : await readCsvLines(path, shape, MAX_UNEVEN_LINES, signal);
  const { columns, rows, uneven, openQuote, lineWithoutEnd } = found;
  if (found.unevenCount > MAX_UNEVEN_LINES) throw createTooUnevenError(found);
  const toReader = (files: FileList) =>
    createReader(files, shape, 'parallel = false', 'ignore_errors = true');
  const reader = toReader(listFile(path, found.bytes));
  if (shape.columns.length !== columns || (await countRows(run, reader, shape)) !== rows) {
    throw createUnevenError(found);
  }
  // The rows are in the order of the file. What is missing of the last one may be its marking.
  const isCut = lineWithoutEnd !== null;
  return {
    toReader: (files) => (isCut ? `(SELECT * FROM ${toReader(files)} LIMIT ${rows - 1})` : toReader(files)),
    rows: isCut ? rows - 1 : rows,
    shape: null,
    bytes: found.bytes,
    unchecked: null,
    columns: listNames(shape),
    unreadable: [
      ...uneven.map(({ line, cells }) => ({
        line,
        problem: `has ${describeCells(cells)}, and the header ${columns}`,
      })),
      ...(openQuote === null ? [] : [{ line: openQuote.line, problem: 'ends within a quoted cell' }]),
      ...(lineWithoutEnd === null
        ? []
        : [
            {
              line: lineWithoutEnd,
              problem: 'ends in an empty cell without a line end and may be truncated',
            },
          ]),
    ],
  };
}

/** Counts the rows by all of their cells, because the engine does not check cells that are not selected. */
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
  if (end > MAX_BEGINNING_BYTES) throw createOpenQuoteError(null);
  const beginning = join(scratch, `${randomUUID()}.csv`);
  await mkdir(scratch, { recursive: true });
  try {
    await pipeline(readTextFile(path, { end }), createWriteStream(beginning));
    return await sniff(run, beginning, options);
  } finally {
    await rm(beginning, { force: true });
  }
}

/** The engine needs this help only with small files. */
const MAX_BEGINNING_BYTES = 64 * 1024 * 1024;

const QUOTING = `header = true, quote = '"', escape = '"'`;
/** Reads all lines as rows. */
const PADDED = `${QUOTING}, parallel = false, null_padding = true`;
/** Reads as rows only lines with as many cells as most lines. */
const EVEN = `${QUOTING}, parallel = false, ignore_errors = true`;

async function sniff(run: RunStatement, path: string, options: string): Promise<SniffedShape> {
  const [found = {}] = await run(
    `SELECT Delimiter AS delimiter, SkipRows AS skip, Columns AS columns
    FROM sniff_csv(${formatFile(path)}, ${options}, all_varchar = true, sample_size = -1)`,
  );
  const columns: readonly unknown[] = Array.isArray(found.columns) ? found.columns : [];
  return {
    delimiter: String(found.delimiter),
    skip: Number(found.skip),
    columns: columns.filter(isObject).map(({ name, type }) => ({ name: String(name), type: String(type) })),
  };
}

function createReader(files: FileList, shape: SniffedShape, ...options: readonly string[]): string {
  const { delimiter, skip, columns } = shape;
  return `read_csv(${[
    formatFiles(files),
    QUOTING,
    'auto_detect = false',
    `delim = ${quoteText(delimiter)}`,
    `skip = ${skip}`,
    ...options,
    ...sizeBuffer(files),
    `columns = ${formatColumnTypes(columns)}`,
  ].join(', ')})`;
}

/**
 * Finds the delimiter of the header if the engine, misled by a line that it cannot split, took all column names for one.
 * @returns null if it did not.
 */
function findHiddenDelimiter({ columns }: SniffedShape): string | null {
  const [first, ...others] = columns.map(({ name }) => name);
  if (first === undefined || !others.every((name) => /^column\d+$/.test(name))) return null;
  return /[,;|\t]/.exec(first)?.[0] ?? null;
}

function describeCells(count: number): string {
  return count === 1 ? '1 cell' : `${count} cells`;
}

function createOpenQuoteError(line: number | null): WarehouseError {
  const place = line === null ? 'The file' : `Line ${line} of the file`;
  return new WarehouseError('STATEMENT_FAILED', `${place} cannot be read as CSV: a quote is never closed.`);
}

/** Creates an error that names the line, which the engine's does not. */
function createTextAfterQuoteError({ textAfterQuote }: CsvLines): WarehouseError | null {
  return textAfterQuote === null
    ? null
    : new WarehouseError(
        'STATEMENT_FAILED',
        `Line ${textAfterQuote} of the file cannot be read as CSV: text follows a closed quote.`,
      );
}

function createTooUnevenError({ columns, unevenCount, uneven }: CsvLines): WarehouseError {
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The file cannot be read as CSV: the header has ${columns} cells, but ${unevenCount} lines have more or fewer, starting with line ${uneven[0]?.line}.`,
  );
}

function createUnevenError({ columns, uneven: [first] }: CsvLines): WarehouseError {
  const cut =
    first === undefined
      ? ''
      : ` Line ${first.line} has ${describeCells(first.cells)}, and the header ${columns}.`;
  return new WarehouseError(
    'STATEMENT_FAILED',
    `The file cannot be read as CSV: some of its lines are not rows, for another reason than their number of cells.${cut}`,
  );
}
