import { type FileColumn, formatColumnTypes, type RunStatement } from './file.ts';
import { quoteName, quoteText } from './text.ts';

const DATE = String.raw`(000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d\d\d)-\d\d-\d\d`;
/** Dates that no offset from UTC can move out of the years with four digits. */
const INNER_DATE = String.raw`(000[2-9]|00[1-9]\d|0[1-9]\d\d|[1-8]\d\d\d|9[0-8]\d\d|99[0-8]\d|999[0-8])-\d\d-\d\d`;
const TIME = String.raw`[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?`;
const OFFSET = String.raw`[+-]\d\d(:?\d\d)?`;

/** The form that all texts of a column must have to become values of a type. */
const SHAPES = {
  date: { type: 'DATE', pattern: DATE },
  time: { type: 'TIMESTAMP', pattern: DATE + TIME },
  instant: {
    type: 'TIMESTAMP WITH TIME ZONE',
    pattern: `${DATE}${TIME}Z|${INNER_DATE}${TIME}${OFFSET}`,
  },
} as const;

/**
 * Replaces detected types that would change texts: the engine reads "infinity" as a day in 1900, drops the offset of a time,
 * and writes ids in lower case. Texts within lists and objects stay texts.
 */
export async function preserveTexts(
  run: RunStatement,
  path: string,
  columns: readonly FileColumn[],
): Promise<FileColumn[]> {
  const suspected = columns.filter(({ type }) => type === 'DATE' || type === 'TIMESTAMP');
  const types = await findTypesByShape(run, path, suspected);
  return columns.map(({ name, type }) => ({ name, type: types.get(name) ?? toTextType(type) }));
}

async function findTypesByShape(
  run: RunStatement,
  path: string,
  columns: readonly FileColumn[],
): Promise<Map<string, string>> {
  if (columns.length === 0) return new Map();
  const tests = columns.flatMap(({ name }, index) =>
    Object.entries(SHAPES).map(
      ([shape, { pattern }]) =>
        `bool_and(regexp_full_match(${quoteName(name)}, ${quoteText(pattern)})) AS ${shape}_${index}`,
    ),
  );
  const texts = formatColumnTypes(columns.map(({ name }) => ({ name, type: 'VARCHAR' })));
  const [found] = await run(
    `SELECT ${tests.join(', ')} FROM read_ndjson(${quoteText(path)}, columns = ${texts})`,
  );
  return new Map(
    columns.map(({ name }, index) => {
      const fitting = Object.entries(SHAPES).find(([shape]) => found?.[`${shape}_${index}`] === true);
      return [name, fitting?.[1].type ?? 'VARCHAR'];
    }),
  );
}

/** Replaces dates, times and ids in a type by texts, but not fields with the same names. */
function toTextType(type: string): string {
  return type.replace(
    /("(?:[^"]|"")*")|\b(?:DATE|TIMESTAMP|TIME|UUID)\b(?=[,)[]|$)/g,
    (_, name) => name ?? 'VARCHAR',
  );
}
