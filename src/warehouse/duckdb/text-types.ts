import { asciiLowerCase } from '../../shared/ascii-case.ts';
import type { RunStatement } from './file.ts';
import { quoteName, quoteText } from './text.ts';

/** A column of texts that SQL takes for something else wherever it compares, orders or calculates. */
export interface TypedColumn {
  readonly kind: 'NUMBER' | 'BOOLEAN' | 'TIME' | 'JSON';
  /** The SQL for its values, of a column that is called `TYPED_COLUMN`. */
  readonly expression: string;
}

/** Typed columns by their names in lower case. */
export type TypedColumns = ReadonlyMap<string, TypedColumn>;

/** Stands for the column in the expression of a typed column. */
export const TYPED_COLUMN = 'blade_column';

const DATE = String.raw`(000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d\d\d)-\d\d-\d\d`;
/** Dates that no offset from UTC can move out of the years with four digits. */
const INNER_DATE = String.raw`(000[2-9]|00[1-9]\d|0[1-9]\d\d|[1-8]\d\d\d|9[0-8]\d\d|99[0-8]\d|999[0-8])-\d\d-\d\d`;
const HOURS = String.raw`[T ]([01]\d|2[0-3]):[0-5]\d`;
const SECONDS = String.raw`:[0-5]\d(\.\d{1,9})?`;
const TIME = `${HOURS}(${SECONDS})?`;
const OFFSET = String.raw`(Z|[+-]\d\d(:?\d\d)?)`;
const FULL_INSTANT = `${DATE}(${TIME})?|${DATE}${HOURS}${SECONDS}Z|${INNER_DATE}${HOURS}${SECONDS}${OFFSET}`;

const cast = (type: string) => `TRY_CAST(${TYPED_COLUMN} AS ${type})`;

/**
 * The forms that all texts of a column must have to count as values of a type, the narrowest first. Each pattern means the same
 * in JavaScript and in the engine.
 */
const SHAPES: readonly (TypedColumn & { readonly pattern: string })[] = [
  { kind: 'NUMBER', pattern: String.raw` *[+-]?\d{1,18} *`, expression: cast('BIGINT') },
  { kind: 'NUMBER', pattern: String.raw` *[+-]?\d{1,38} *`, expression: cast('HUGEINT') },
  {
    kind: 'NUMBER',
    pattern: String.raw` *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *`,
    expression: cast('DOUBLE'),
  },
  { kind: 'BOOLEAN', pattern: '(?i:true|false)', expression: cast('BOOLEAN') },
  { kind: 'TIME', pattern: DATE, expression: cast('DATE') },
  { kind: 'TIME', pattern: `${DATE}(${TIME})?`, expression: cast('TIMESTAMP') },
  { kind: 'TIME', pattern: FULL_INSTANT, expression: cast('TIMESTAMPTZ') },
  {
    kind: 'TIME',
    pattern: `${FULL_INSTANT}|${INNER_DATE}${TIME}${OFFSET}`,
    // The engine reads no offset behind minutes.
    expression: `TRY_CAST(regexp_replace(${TYPED_COLUMN}, '^(.{10}.\\d\\d:\\d\\d)([Z+-])', '\\1:00\\2') AS TIMESTAMPTZ)`,
  },
];

/** How many rows show which types a column can have. */
const SAMPLE_ROWS = 2_048;

/** How many rows already show of most columns that they have none of the types. */
const FIRST_ROWS = 20;

const TESTS = SHAPES.map((shape) => ({ ...shape, test: new RegExp(`^(?:${shape.pattern})$`) }));

/** The rows whose texts have types. */
interface TypedRows {
  /** The SQL after FROM. */
  readonly reader: string;
  /** How many there are; null if that is not known. */
  readonly rows: number | null;
}

/** Finds the columns whose texts all are numbers, dates and times, or truth values. Everything else counts as text. */
export async function findTypedColumns(
  run: RunStatement,
  { reader, rows }: TypedRows,
  names: readonly string[],
  kinds: readonly TypedColumn['kind'][] = ['NUMBER', 'BOOLEAN', 'TIME'],
): Promise<TypedColumns> {
  if (names.length === 0) return new Map();
  const first = await run(`SELECT * FROM ${reader} LIMIT ${FIRST_ROWS}`);
  const canBe = (name: string, test: RegExp) =>
    first.every((row) => {
      const text = Object.hasOwn(row, name) ? row[name] : null;
      return typeof text !== 'string' || test.test(text);
    });
  const all = names.map((name) => ({
    name,
    shapes: TESTS.filter(({ kind, test }) => kinds.includes(kind) && canBe(name, test)),
  }));
  const sampled = (await isSmall(run, { reader, rows }))
    ? all
    : await findFitting(run, `(SELECT * FROM ${reader} LIMIT ${SAMPLE_ROWS})`, all);
  const fitting = await findFitting(run, reader, sampled);
  return new Map(
    fitting.flatMap(({ name, shapes: [first], isEmpty }) =>
      first === undefined || isEmpty
        ? []
        : [[asciiLowerCase(name), { kind: first.kind, expression: first.expression }]],
    ),
  );
}

/** Whether a sample would be all rows. */
async function isSmall(run: RunStatement, { reader, rows }: TypedRows): Promise<boolean> {
  if (rows !== null) return rows <= SAMPLE_ROWS;
  const [counted] = await run(
    `SELECT count(*) AS total FROM (SELECT * FROM ${reader} LIMIT ${SAMPLE_ROWS + 1})`,
  );
  return Number(counted?.total) <= SAMPLE_ROWS;
}

interface Candidate {
  readonly name: string;
  readonly shapes: typeof SHAPES;
}

/**
 * Finds which of the forms all texts of each column have. An empty column has each of them. Columns with the same candidates are
 * tested together, as values of one: an expression for each of thousands of columns would take gigabytes.
 */
async function findFitting(
  run: RunStatement,
  reader: string,
  candidates: readonly Candidate[],
): Promise<readonly (Candidate & { readonly isEmpty: boolean })[]> {
  const open = candidates.filter(({ shapes }) => shapes.length > 0);
  const found: (Candidate & { readonly isEmpty: boolean })[] = [];
  for (const columns of Map.groupBy(open, ({ shapes }) =>
    shapes.map(({ pattern }) => pattern).join('\n'),
  ).values()) {
    const shapes = columns[0]?.shapes ?? [];
    const tests = shapes.map(({ pattern, expression }, shape) => {
      const value = expression.replaceAll(TYPED_COLUMN, 'written');
      return `bool_and(regexp_full_match(written, ${quoteText(pattern)}) AND (${value}) IS NOT NULL) AS fits_${shape}`;
    });
    const texts = listTexts(
      reader,
      columns.map(({ name }) => quoteName(name)),
    );
    const results = await run(`SELECT place, ${tests.join(', ')} FROM (${texts}) GROUP BY place`);
    const fits = new Map(results.map((result) => [String(result.place), result]));
    columns.forEach(({ name }, place) => {
      const result = fits.get(`p${place}`);
      found.push({
        name,
        shapes: shapes.filter((_, shape) => result?.[`fits_${shape}`] !== false),
        isEmpty: result === undefined,
      });
    });
  }
  return found;
}

/** Writes the SQL for the texts of columns, each with the place of its column: `p0` for the first. */
function listTexts(reader: string, columns: readonly string[]): string {
  const [only, ...others] = columns;
  if (others.length === 0)
    return `SELECT 'p0' AS place, ${only} AS written FROM ${reader} WHERE ${only} IS NOT NULL`;
  const places = columns.map((column, place) => `${column} AS p${place}`);
  return `UNPIVOT (SELECT ${places.join(', ')} FROM ${reader}) ON COLUMNS(*) INTO NAME place VALUE written`;
}
