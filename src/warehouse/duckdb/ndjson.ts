import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { WarehouseError } from '../warehouse.ts';
import { type FileColumn, formatColumnTypes, type RunStatement, type UnreadableLine } from './file.ts';
import { LONG_NUMBERS_FUNCTION, REPEATED_KEY_FUNCTION } from './line-functions.ts';
import { CELL, type KeyColumn, type LineShapes, readLineShapes } from './ndjson-lines.ts';
import { type FileList, formatFiles, listFile, quoteName, quoteText } from './text.ts';
import { findTypedColumns, TYPED_COLUMN, type TypedColumn, type TypedColumns } from './text-types.ts';

/** The engine detects types recursively, and crashes the process at a depth of thousands. */
const MAX_TYPE_DEPTH = 100;

/** A file with more keys has data for keys. */
const MAX_COLUMNS = 10_000;

/** How to read the files of a table with one object per line. Each cell is what was written, whatever the others are. */
export interface NdjsonReading {
  readonly columns: readonly string[];
  /**
   * Finds which of the watched keys one of the files has, and which of those only some of its lines have.
   * @returns null if the file has no rows.
   */
  findKeys(path: string): { readonly columns: readonly string[]; readonly partial: readonly string[] } | null;
  /** Writes the SQL after FROM for some of the files, with the columns of all of them. */
  toReader(files: FileList): string;
  /** How large the text of one of the files is. */
  findBytes(path: string): number;
  /** Finds the columns that SQL takes for something else than text, from the reader of all files. */
  findTypes(run: RunStatement, reader: string): Promise<TypedColumns>;
  /** Lists the lines of one of the files that are not objects with different keys that all can name columns. */
  listUnreadable(run: RunStatement, path: string): Promise<readonly UnreadableLine[]>;
}

/**
 * Finds out how to read files with one object per line.
 * @param watched keys to find in each file by itself, in any case.
 * @throws WarehouseError STATEMENT_FAILED if no line, or hardly any, is an object; a reader throws an error of DuckDB if a
 * line is not JSON.
 */
export async function findNdjsonReading(
  paths: readonly string[],
  watched: readonly string[],
  signal: AbortSignal,
): Promise<NdjsonReading> {
  const shapes = await readLineShapes(paths, signal, watched);
  const findKeys = (path: string) => {
    const { rows = 0, counts = new Map<string, number>() } = shapes.keyCounts.get(path) ?? {};
    if (rows === 0) return null;
    return {
      columns: [...counts.keys()],
      partial: [...counts].flatMap(([key, count]) => (count < rows ? [key] : [])),
    };
  };
  const findBytes = (path: string) => shapes.bytes.get(path) ?? 0;
  // No lines, or objects without keys.
  if (shapes.columns.length === 0 && shapes.areRows)
    return {
      columns: [],
      findKeys,
      findBytes,
      toReader: (files) => `read_ndjson_objects(${formatObjects(files)})`,
      findTypes: async () => new Map(),
      listUnreadable: async () => [],
    };
  checkColumns(shapes);
  const columns = shapes.columns.map(toColumn);
  const isPlain = shapes.areRows && !shapes.hasLongNumbers && shapes.columns.every(hasOneSpelling);
  return {
    columns: columns.map(({ name }) => name),
    findKeys,
    findBytes,
    toReader: (files) =>
      isPlain
        ? `read_ndjson(${formatObjects(files)}, columns = ${formatColumnTypes(columns)})`
        : createLineReader(files, shapes, columns),
    findTypes: (run, reader) => findTypes(run, reader, shapes),
    listUnreadable: async (run, path) => (shapes.areRows ? [] : describeOtherLines(run, path, shapes)),
  };
}

function checkColumns({ columns }: LineShapes): void {
  if (columns.length === 0)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'No line of the file is an object with a key that can name a column: each row must be one, on a line of its own. An array of rows is not read.',
    );
  if (columns.length > MAX_COLUMNS)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `The lines of the file have ${columns.length} different keys, and a table can have ${MAX_COLUMNS} columns: put what varies into an object.`,
    );
}

function hasOneSpelling({ spellings }: KeyColumn): boolean {
  return spellings.length === 1;
}

function toColumn({ spellings: [name = ''], kinds }: KeyColumn): FileColumn {
  return { name, type: findType(kinds) };
}

/** Finds the type that keeps all cells as they are. */
function findType(kinds: number): string {
  switch (kinds) {
    case 0:
    case CELL.TEXT:
      return 'VARCHAR';
    case CELL.BOOLEAN:
      return 'BOOLEAN';
    case CELL.INTEGER:
      return 'BIGINT';
    case CELL.NUMBER:
    case CELL.INTEGER | CELL.NUMBER:
      return 'DOUBLE';
    default:
      return 'JSON';
  }
}

/** Finds what SQL takes columns for. */
async function findTypes(run: RunStatement, reader: string, shapes: LineShapes): Promise<TypedColumns> {
  const texts = shapes.columns.filter(({ kinds }) => kinds === CELL.TEXT);
  const times = await findTypedColumns(run, { reader, rows: null }, texts.map(toName), ['TIME']);
  const typed = new Map<string, TypedColumn>(times);
  for (const column of shapes.columns) {
    const expression =
      findType(column.kinds) === 'JSON' ? await findExpression(run, reader, shapes, column) : null;
    if (expression !== null) typed.set(asciiLowerCase(toName(column)), { kind: 'JSON', expression });
  }
  return typed;
}

function toName({ spellings: [name = ''] }: KeyColumn): string {
  return name;
}

async function findExpression(
  run: RunStatement,
  reader: string,
  { depth }: LineShapes,
  column: KeyColumn,
): Promise<string | null> {
  const { kinds } = column;
  const text = `from_json(${TYPED_COLUMN}, '"VARCHAR"')`;
  if ((kinds & ~(CELL.INTEGER | CELL.LONG_INTEGER)) === 0) return `TRY_CAST(${text} AS HUGEINT)`;
  if ((kinds & ~NUMBERS) === 0) return `TRY_CAST(${text} AS DOUBLE)`;
  if ((kinds & CELL.NESTED) === 0) return text;
  if (kinds !== CELL.NESTED || depth > MAX_TYPE_DEPTH) return null;
  const [found] = await run(
    `SELECT json_group_structure(${quoteName(toName(column))})::VARCHAR AS structure FROM ${reader}`,
  );
  const structure = String(found?.structure)
    .replaceAll('"UBIGINT"', '"BIGINT"')
    .replaceAll('"NULL"', '"VARCHAR"');
  if (structure === '"JSON"' || structure.length > MAX_STRUCTURE) return null;
  return canBeFields(JSON.parse(structure)) ? `from_json(${TYPED_COLUMN}, ${quoteText(structure)})` : null;
}

/** Keys that differ only in case cannot be the fields of one type, and the engine's bindings lose `__proto__`. */
function canBeFields(structure: unknown): boolean {
  if (typeof structure !== 'object' || structure === null) return true;
  const names = Array.isArray(structure) ? [] : Object.keys(structure).map(asciiLowerCase);
  const areDistinct = new Set(names).size === names.length && !names.includes('__proto__');
  return areDistinct && Object.values(structure).every(canBeFields);
}

const NUMBERS = CELL.INTEGER | CELL.NUMBER | CELL.LONG_INTEGER | CELL.LONG_NUMBER;

/** The longest structure of nested values that SQL takes for a type. */
const MAX_STRUCTURE = 10_000;

/** Creates a reader of the lines that are rows. */
function createLineReader(files: FileList, shapes: LineShapes, columns: readonly FileColumn[]): string {
  const spellings = Math.max(...shapes.columns.map(({ spellings: { length } }) => length));
  // The fields of a type must differ in more than case.
  const structures = Array.from({ length: spellings }, (_, index) =>
    shapes.columns.flatMap(({ spellings: names }, column) => {
      const name = names[index];
      return name === undefined ? [] : [[name, columns[column]?.type] as const];
    }),
  );
  const parts = structures.map(
    (fields, index) =>
      `json_transform(json, ${quoteText(JSON.stringify(Object.fromEntries(fields)))}) AS part_${index}`,
  );
  const cells = shapes.columns.map(({ spellings: names }) => {
    const read = names.map((name, index) => `struct_extract(part_${index}, ${quoteText(name)})`);
    return `coalesce(${read.join(', ')}) AS ${quoteName(names[0] ?? '')}`;
  });
  const condition = shapes.areRows ? '' : ` WHERE ${writeProblem(shapes)} IS NULL`;
  return `(SELECT ${cells.join(', ')} FROM (SELECT ${parts.join(', ')} FROM ${selectLines(files, shapes)}${condition}))`;
}

function selectLines(files: FileList, { hasLongNumbers }: Pick<LineShapes, 'hasLongNumbers'>): string {
  const lines = `read_ndjson_objects(${formatObjects(files)})`;
  return hasLongNumbers ? `(SELECT ${LONG_NUMBERS_FUNCTION}(json)::JSON AS json FROM ${lines})` : lines;
}

/** Formats the arguments of a function that reads objects, with buffers of the size of small files: each has its own. */
function formatObjects(files: FileList): string {
  const size = Math.max(files.bytes + 1, MIN_OBJECT_BYTES);
  const buffers = size < MAX_OBJECT_BYTES ? `, maximum_object_size = ${size}` : '';
  return `${formatFiles(files)}${buffers}`;
}

const MIN_OBJECT_BYTES = 16_384;

/** What the engine takes by default. */
const MAX_OBJECT_BYTES = 16_777_216;

/** Writes the SQL for why a line is not a row; null if it is one. */
function writeProblem({ hasRepeatedKeys }: Pick<LineShapes, 'hasRepeatedKeys'>): string {
  const repeated = `${REPEATED_KEY_FUNCTION}(json::VARCHAR)`;
  return `CASE WHEN json_type(json) <> 'OBJECT' THEN 'is not an object'
    WHEN list_contains(json_keys(json), '') THEN 'has an empty key'
    ${hasRepeatedKeys ? `WHEN ${repeated} <> '' THEN 'has the key ' || ${repeated} || ' twice'` : ''}
    WHEN len(list_filter(json_keys(json), lambda name: contains(name, chr(0)))) > 0
      THEN 'has a key with a NUL character' END`;
}

async function describeOtherLines(
  run: RunStatement,
  path: string,
  shapes: LineShapes,
): Promise<readonly UnreadableLine[]> {
  const empties = shapes.emptyLines.get(path) ?? [];
  const others = await run(
    `SELECT place, problem FROM (
      SELECT row_number() OVER () AS place, ${writeProblem(shapes)} AS problem FROM ${selectLines(listFile(path, shapes.bytes.get(path) ?? 0), { hasLongNumbers: false })}
    ) WHERE problem IS NOT NULL ORDER BY place LIMIT ${MAX_OTHER_LINES + 1}`,
  );
  let empty = 0;
  const described = others.map(({ place, problem }) => {
    // The engine does not count empty lines.
    while ((empties[empty] ?? Number.POSITIVE_INFINITY) <= Number(place) + empty) empty += 1;
    return { line: Number(place) + empty, problem: String(problem) };
  });
  const [first] = described;
  if (first !== undefined && described.length > MAX_OTHER_LINES)
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `More than ${MAX_OTHER_LINES} lines of the file are not rows: line ${first.line} ${first.problem}.`,
    );
  return described;
}

/** A file with more lines that are not rows is not a table with a few broken lines. */
const MAX_OTHER_LINES = 100_000;
