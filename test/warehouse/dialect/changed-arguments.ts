import { readTokens } from '../../../src/sql-check/syntax-tree.ts';

/** What an argument is replaced by: nothing, empty, negative, huge, beyond the first plane, and of another type. */
const REPLACEMENTS = [
  ...['NULL', "''", '-1', '0', '3', '2147483648', '1.5', "'héllo 😀'", 'true', "'2'", '-2.5', 'array()'],
  ...["DATE'2020-02-29'", "TIMESTAMP'1969-12-31 23:59:59.123'", '1e300', 'CAST(NULL AS STRING)', "'null'"],
  ...["'a,b'", "X'FF'", '127Y', "'-7'", 'CAST(2.45 AS DECIMAL(10, 3))', "'1970-01-01'", "DOUBLE('NaN')"],
];

/** How many statements are made of one example. */
const CHANGES = 5;

/** Writes other calls of the functions in an example, each with one of its literals replaced. */
export function changeArguments(sql: string): readonly string[] {
  const tokens = readTokens(sql) ?? [];
  const characters = Array.from(sql);
  const literals = tokens.filter(
    ({ kind }, index) =>
      (kind === 'STRING' || kind === 'NUMBER') &&
      isArgument(tokens[index - 1]?.text, tokens[index + 1]?.text),
  );
  if (literals.length === 0) return [];
  const seed = hash(sql);
  return Array.from({ length: CHANGES }, (_, change) => {
    const literal = literals[(seed + change) % literals.length];
    const replacement = REPLACEMENTS[(seed * 7 + change * 5) % REPLACEMENTS.length] ?? 'NULL';
    if (literal === undefined) return sql;
    return [...characters.slice(0, literal.start), replacement, ...characters.slice(literal.end)].join('');
  });
}

function isArgument(before = '', after = ''): boolean {
  return /^[(,]$/.test(before) && /^[),]$/.test(after);
}

function hash(text: string): number {
  let value = 7;
  for (const character of text) value = (value * 31 + (character.codePointAt(0) ?? 0)) % 1_000_003;
  return value;
}
