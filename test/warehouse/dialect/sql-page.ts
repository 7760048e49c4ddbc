import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';
import { findMissingFunctions } from '../../../src/warehouse/duckdb/dialect.ts';
import type { Corpus } from './answers.ts';
import { OUTCOMES, type Outcome } from './compare.ts';

export type Counts = Readonly<Record<Outcome, number>>;

const TITLES: Readonly<Record<Corpus, string>> = {
  documented: "the examples in Spark's own documentation of the functions",
  constructs: 'casts, operators, clauses and literals',
  generated: 'the examples with null, empty, negative, huge and wrongly typed arguments',
};

const MEANINGS: Readonly<Record<Outcome, string>> = {
  same: 'same value',
  different: 'another value',
  refused: 'refused by name on the folder',
  fails: 'fails on the folder',
  'both fail': 'neither answers',
  'only the folder': 'only the folder answers',
};

/** Writes docs/sql.md. */
export function writeSqlPage(counts: ReadonlyMap<Corpus, Counts>): string {
  const corpora = [...counts];
  const rows = [
    ['', ...corpora.map(([corpus]) => TITLES[corpus])],
    ...OUTCOMES.map((outcome) => [MEANINGS[outcome], ...corpora.map(([, found]) => String(found[outcome]))]),
  ];
  const measured = (rows[0] ?? []).map((_, place) => Math.max(...rows.map((row) => row[place]?.length ?? 0)));
  const [head = '', ...lines] = rows.map(
    (row) => `| ${row.map((cell, place) => cell.padEnd(measured[place] ?? 0)).join(' | ')} |`,
  );
  const table = [head, `| ${measured.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines];
  const missing = findMissingFunctions();
  const available = [...KNOWN_FUNCTIONS].filter((name) => !missing.includes(name)).sort();
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
  return `<!-- Written by \`npm run docs:sql\`. -->

# SQL on the folder warehouse

Queries and filters are written in the Databricks dialect. After reading this page you know which of them the folder warehouse
runs, and what happens to the others.

A construct gives the value that Databricks gives, or it is refused by name before its job starts: "xpath() is not available
on the folder warehouse." What the types of columns decide on is refused when the job starts to read. Nothing that is refused
on the folder is refused on Databricks for that reason.

## How we know

Each statement below was answered by Spark 4 in ANSI mode. The folder gives the same rows, with the same keys, types and nulls.
\`npm test\` compares it with the recorded answers, and \`npm run test:spark\` compares these with Spark.

${table.join('\n')}

Of the 9,648 SELECTs in Spark's own SQL tests that read no table, or only what they make of VALUES, the folder gives 4,483 the
same value, refuses 1,587 by name, and answers 87 that Spark refuses; neither answers 3,479. Seven fail for what DuckDB cannot do,
such as some correlated sub-queries in joins. The other five have no value that Spark promises. \`npm run test:spark\` asks one in
sixteen of them of both.

May differ: the last two of 16 digits of a floating-point number, the order of rows without ORDER BY and of the items of
\`collect_set\`, and which of equally frequent values \`mode\` returns. \`approx_count_distinct\` and \`percentile_approx\` are exact on
the folder. "Only the folder answers" are forms that Databricks has and open-source Spark lacks (\`QUALIFY\`, \`WITH RECURSIVE\`,
\`try_to_date\`), and arguments that Spark refuses for their type.

## Functions of the folder

${list(available)}

## Functions that only Databricks has

${list([...missing].sort())}

They are refused for one of these reasons: DuckDB has nothing like them (XML, VARIANT, sketches, H3, ST), Spark has no function of
that name to compare with, or nobody has needed them yet.

## Also refused on the folder

- Intervals as values; an interval can be added to a date or a time.
- Texts beside other types in CASE, \`coalesce\`, VALUES and set operations: CAST one of them.
- Decimals of more than 38 digits, where Databricks would give up digits behind the point.
- Regular expressions that Java and RE2 read differently: look-around, back-references, possessive quantifiers.
- Patterns of dates with letters other than \`y M L d D H h m s S a E Q\`, and patterns that are not in the statement.
- A column whose name Databricks would make up in a way that is not known here: name it with AS.
`;
}
