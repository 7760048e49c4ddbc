import { KNOWN_FUNCTIONS } from '../../../src/sql-check/known-functions.ts';
import { duckDbFunctions } from '../../../src/warehouse/duckdb/functions.ts';
import { everydayCalls, everydayExpressions } from './everyday-calls.ts';

/** The kind of value that an argument takes. */
export type ArgumentKind = 'text' | 'number' | 'list' | 'map' | 'object' | 'time' | 'truth' | 'other';

/** The columns of the only row of `blade.field.odd`, each with DuckDB's expression of its value. */
export const columns: Readonly<Record<string, { readonly kind: ArgumentKind; readonly value: string }>> = {
  t: { kind: 'text', value: "'ab,c'" },
  u: { kind: 'text', value: "'b'" },
  t2: { kind: 'text', value: "'2024-01-31'" },
  t3: { kind: 'text', value: "'12'" },
  j: { kind: 'text', value: `'{"a":1}'` },
  n: { kind: 'number', value: '3::BIGINT' },
  i: { kind: 'number', value: '5::INTEGER' },
  x: { kind: 'number', value: '1.5::DOUBLE' },
  l: { kind: 'list', value: '[1, 2, 3]::BIGINT[]' },
  s: { kind: 'list', value: "['a', 'b', 'c']" },
  m: { kind: 'map', value: "map(['a'], ['b'])" },
  o: { kind: 'object', value: "{'a': 1, 'b': 'x'}" },
  d: { kind: 'time', value: "DATE '2024-01-31'" },
  ts: { kind: 'time', value: "TIMESTAMP '2024-01-31 10:00:00'" },
  b: { kind: 'truth', value: 'true' },
  large: { kind: 'text', value: "repeat('a', 1_000_000)" },
  deep: { kind: 'text', value: "repeat('[', 100_000) || repeat(']', 100_000)" },
  deep_object: { kind: 'text', value: `repeat('{"a":', 50_000) || '1' || repeat('}', 50_000)` },
  wild: { kind: 'text', value: "repeat('%_', 20_000) || 'b'" },
  pattern: { kind: 'text', value: "'((a{1,10}){1,10}){1,10}|(a*)*b|a'" },
  greatest_int: { kind: 'number', value: '2_147_483_647::INTEGER' },
  greatest_bigint: { kind: 'number', value: '9_223_372_036_854_775_807' },
  endless: { kind: 'number', value: "'infinity'::DOUBLE" },
  long: { kind: 'list', value: 'range(300_000)' },
  long_texts: { kind: 'list', value: "list_transform(range(20_000), lambda x: repeat('a', 50) || x)" },
  nested: { kind: 'list', value: `${'['.repeat(8)}1${']'.repeat(8)}` },
  many_keys: { kind: 'map', value: 'map(range(10_000), range(10_000))' },
  wide: { kind: 'object', value: `{'a': repeat('a', 1_000_000), 'b': range(100_000)}` },
  last_day: { kind: 'time', value: "DATE '5881580-07-10'" },
  last_time: { kind: 'time', value: "TIMESTAMP '294247-01-10 04:00:54'" },
  endless_time: { kind: 'time', value: "'-infinity'::TIMESTAMP" },
};

/** The values that replace an argument of each kind; the first ones also replace all arguments at once. */
const hostile: Readonly<Record<ArgumentKind, readonly string[]>> = {
  text: ['large', "repeat('a', 15000000)", 'wild', 'deep', 'pattern'],
  number: ['greatest_int', 'greatest_bigint', '-1', 'NULL', 'endless'],
  list: ['long', 'long_texts', 'nested', 'NULL'],
  map: ['many_keys', 'NULL'],
  object: ['wide', 'NULL'],
  time: ['last_day', 'last_time', 'endless_time', 'NULL'],
  truth: ['NULL'],
  other: [],
};

/** Every function, operator and cast that the check accepts, with hostile arguments instead of everyday ones. */
export function hostileStatements(): string[] {
  const calls = [...everydayCalls, ...everydayExpressions].flatMap(hostileVersions);
  const everyday = new Set(everydayCalls.map((call) => call.split('(')[0]));
  const others = [...KNOWN_FUNCTIONS].filter((name) => !everyday.has(name));
  const unknown = others.flatMap((name) =>
    [['large'], ['large', 'greatest_int'], ['long', 'long'], ['deep', '-1', 'large']].map(
      (args) => `${name}(${args.join(', ')})`,
    ),
  );
  return [...new Set([...calls, ...unknown])].map((call) => `SELECT ${call} AS v FROM blade.field.odd`);
}

/** Calls whose result is large only because of a constant, of a column `v` of short texts. */
const MULTIPLIED_BY_CONSTANTS = [
  ...["rpad(v, 1000000, ' ')", "lpad(v, 1000000, 'ab')", 'rpad(v, 4000000)', 'repeat(v, 100000)'],
  ...["replace(v, 'a', repeat('b', 100000))", "concat(v, repeat('b', 1000000))", "v || repeat('b', 1000000)"],
  ...["printf('%1000000s', v)", "printf(concat(repeat('x', 1000000), '%s'), v)", 'concat(v, space(1000000))'],
  ...["regexp_replace(v, 'a', repeat('b', 100000))", "translate(v, 'a', repeat('b', 100000))"],
  ...["overlay(v PLACING repeat('b', 1000000) FROM 1)", "concat_ws(repeat('-', 1000000), v, v)"],
  ...[
    "coalesce(nullif(v, v), repeat('b', 1000000))",
    "if(v = 'x', v, repeat('b', 1000000))",
    "to_json(array(v, repeat('b', 1000000)))",
  ],
  ...[
    "array_join(array(v, v), repeat('-', 1000000))",
    'hex(rpad(v, 1000000))',
    'url_encode(rpad(v, 500000))',
    'upper(rpad(v, 1000000))',
  ],
  ...[
    'mask(rpad(v, 1000000))',
    "base64(encode(rpad(v, 1000000, ' '), 'utf-8'))",
    "decode(encode(rpad(v, 1000000), 'utf-8'), 'utf-8')",
    'reverse(rpad(v, 1000000))',
  ],
];

/** Aggregates and windows with states of gigabytes, which the engine's memory limit does not count. */
export const LARGE_STATES: readonly string[] = [
  'SELECT count(DISTINCT id) OVER (ORDER BY id) AS v FROM range(6000000)',
  'SELECT mode(id) AS v FROM range(100000000)',
  'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY id) AS v FROM range(600000000)',
  'SELECT median(id) AS m, mode(id % 100) AS v FROM range(600000000)',
];

/** Queries that multiply rows, recur, nest deeply or search with hostile patterns. */
export const hostileQueries: readonly string[] = [
  'SELECT large FROM blade.field.odd, range(100000)',
  'SELECT upper(large) AS v FROM blade.field.odd, range(100000)',
  'SELECT length(large || id) AS v FROM blade.field.odd, range(100000)',
  "SELECT length(v || id) AS n FROM (SELECT repeat('x', 8000000) AS v), range(100000)",
  "SELECT length((SELECT repeat('x', 8000000)) || id) AS v FROM range(100000)",
  ...MULTIPLIED_BY_CONSTANTS.map(
    (call) =>
      `SELECT sum(length(${call})) AS v FROM (SELECT concat(t, id) AS v FROM blade.field.odd, range(5000))`,
  ),
  'SELECT to_json(long) AS v FROM blade.field.odd, range(100000)',
  'SELECT (SELECT max(long) FROM blade.field.odd) AS v FROM range(100000)',
  'SELECT first_value(large) OVER (ORDER BY id) || id AS v FROM blade.field.odd, range(10000)',
  'SELECT explode(long) AS e, large FROM blade.field.odd',
  'SELECT length(large || e) AS v FROM (SELECT explode(long) AS e, large FROM blade.field.odd)',
  'SELECT size(filter(long, v -> md5(large || v) = 0)) AS v FROM blade.field.odd',
  'SELECT size(filter(long, v -> levenshtein(large, t) = v)) AS v FROM blade.field.odd',
  'SELECT size(array_except(long, long)) AS v FROM blade.field.odd',
  'SELECT size(filter(long, v -> size(filter(long, w -> v = w)) > 1)) AS v FROM blade.field.odd',
  'SELECT size(collect_list(large) OVER (ORDER BY id)) AS v FROM blade.field.odd, range(10000)',
  "SELECT length(listagg(t, ',') OVER (ORDER BY id)) AS v FROM blade.field.odd, range(20000)",
  "WITH RECURSIVE r AS (SELECT 1 AS n, 'x' AS v UNION ALL SELECT n + 1, v || v FROM r WHERE n < 60) SELECT max(length(v)) AS v FROM r",
  "WITH RECURSIVE r AS (SELECT 1 AS n, 'x' AS v UNION ALL SELECT n + 1, concat(v, repeat('y', 1000000)) FROM r WHERE n < 100000) SELECT max(length(v)) AS v FROM r",
  "WITH RECURSIVE r AS (SELECT 1 AS n, repeat('x', 800000) AS v UNION ALL SELECT n + 1, repeat('y', 800000) FROM r WHERE n < 100000) SELECT * FROM r",
  `SELECT from_json('[]', '${'['.repeat(20_000)}"INT"${']'.repeat(20_000)}') AS v`,
  `SELECT from_json('[]', '${'['.repeat(99)}"INT"${']'.repeat(99)}') AS v`,
  `SELECT from_json(deep, '["JSON"]') AS v FROM blade.field.odd`,
  `SELECT CAST('[]' AS ${'ARRAY<'.repeat(150)}INT${'>'.repeat(150)}) AS v`,
  `SELECT ${'array('.repeat(150)}1${')'.repeat(150)} AS v`,
  `SELECT CAST(parse_json(deep) AS ARRAY<STRING>) AS v FROM blade.field.odd`,
  `SELECT parse_json(deep_object):a${'.a'.repeat(500)} AS v FROM blade.field.odd`,
  ...['t', 'large', 'wild', 'pattern', 'deep'].flatMap((text) =>
    ['wild', 'pattern', "concat('%', large, '_%')", "repeat('\\\\pL', 100000)"].flatMap((pattern) =>
      ['LIKE', 'ILIKE', 'RLIKE', 'NOT ILIKE'].map(
        (operator) => `SELECT ${text} ${operator} ${pattern} AS v FROM blade.field.odd`,
      ),
    ),
  ),
  "SELECT printf('%1000000000s', t) AS v FROM blade.field.odd",
  "SELECT printf('%.1000000000f', x) AS v FROM blade.field.odd",
];

/** The call with each argument made hostile, and with all of them. */
function hostileVersions(call: string): string[] {
  const args = readArguments(call);
  const versions = args.flatMap((argument) =>
    hostile[argument.kind].map((value) => replaceArguments(call, [{ ...argument, value }])),
  );
  const all = [0, 1, 2, 3].map((variant) =>
    replaceArguments(
      call,
      args.map((argument) => ({
        ...argument,
        value: hostile[argument.kind][variant] ?? hostile[argument.kind][0],
      })),
    ),
  );
  if (args.length === 0) return [call];
  return args.length > 1 ? [...versions, ...all] : versions;
}

interface Argument {
  readonly start: number;
  readonly end: number;
  readonly kind: ArgumentKind;
}

/** The columns and constants in a call. */
function readArguments(call: string): Argument[] {
  const found = call.matchAll(/'[^']*'|\b\d+(?:\.\d+)?\b|\b[a-z]\w*\b(?!\s*[(])/g);
  return [...found].flatMap((match) => {
    const [text] = match;
    const kind = classify(text);
    return kind === 'other' ? [] : [{ start: match.index, end: match.index + text.length, kind }];
  });
}

function classify(text: string): ArgumentKind {
  if (text.startsWith("'")) return 'text';
  if (/^\d/.test(text)) return 'number';
  return columns[text]?.kind ?? 'other';
}

function replaceArguments(
  call: string,
  args: readonly (Argument & { readonly value: string | undefined })[],
): string {
  return args.toReversed().reduce((text, { start, end, value }) => {
    return value === undefined ? text : text.slice(0, start) + value + text.slice(end);
  }, call);
}

/** A signature of a function of DuckDB, as `duckdb_functions()` has it. */
export interface Signature {
  readonly name: string;
  readonly types: readonly string[];
}

/** Every function that DuckDB may be asked for, with hostile arguments of the types that it takes. */
export function hostileEngineStatements(signatures: readonly Signature[]): string[] {
  const statements = signatures
    .filter(({ name }) => duckDbFunctions.has(name) && name !== 'error')
    .flatMap(({ name, types }) => {
      const kinds = types.map(classifyType);
      return [0, 1, 2, 3, 4].map((variant) => {
        const args = kinds.map((kind, index) => {
          const values = hostile[kind];
          return values[(variant + index) % Math.max(values.length, 1)] ?? 'lambda v: v IS NULL';
        });
        return `SELECT "${name}"(${args.join(', ')}) AS v FROM blade.field.odd`;
      });
    });
  return [...new Set(statements)];
}

function classifyType(type: string): ArgumentKind {
  if (type === 'LAMBDA') return 'other';
  if (/\]$/.test(type)) return 'list';
  if (/^MAP/.test(type)) return 'map';
  if (/^STRUCT/.test(type)) return 'object';
  if (/INT|DOUBLE|FLOAT|DECIMAL|NUMERIC/.test(type) && type !== 'INTERVAL') return 'number';
  if (/DATE|TIME/.test(type)) return 'time';
  if (type === 'BOOLEAN') return 'truth';
  return 'text';
}
