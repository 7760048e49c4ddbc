import { ast, type Dialect, generate, parse, tokenize } from '@polyglot-sql/sdk';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';

/** A node of a parsed statement: an object whose only key is its kind, such as `{ select: { … } }`. */
export type SyntaxNode = Readonly<Record<string, unknown>>;

/** A word or sign of a statement. `start` and `end` are offsets in code points, `end` exclusive. */
export interface Token {
  readonly kind: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export type ParsedText =
  | { readonly ok: true; readonly statements: readonly SyntaxNode[] }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

export const DATABRICKS = 'databricks' as Dialect;
export const DUCKDB = 'duckdb' as Dialect;

/** Parses statements in the Databricks dialect, within the parser's own limits on depth. */
export function parseStatements(sql: string): ParsedText {
  const { text, isMarked } = markDistinctCalls(parenthesizeLimits(sql));
  const result = parse(text, DATABRICKS);
  if (result.success) {
    const statements = result.ast as unknown as SyntaxNode[];
    return { ok: true, statements: isMarked ? statements.map(unmarkCalls) : statements };
  }
  const message = result.error.replace(/^Parse error at line \d+, column \d+: /, '');
  return { ok: false, message, line: result.errorLine ?? 1, column: result.errorColumn ?? 1 };
}

/** Puts parameters of LIMIT in parentheses; without them, the parser takes LIMIT for the name of a table. */
function parenthesizeLimits(sql: string): string {
  if (!/limit\s*:/i.test(sql)) return sql;
  const tokens = readTokens(sql) ?? [];
  const characters = Array.from(sql);
  for (let index = tokens.length - 3; index >= 0; index -= 1) {
    const [limit, colon, name] = tokens.slice(index, index + 3);
    if (limit?.kind !== 'LIMIT' || colon?.text !== ':' || name === undefined) continue;
    characters.splice(colon.start, name.end - colon.start, `(:${name.text})`);
  }
  return characters.join('');
}

/** Aggregates with which the parser reads no DISTINCT. */
const READ_WITHOUT_DISTINCT: ReadonlySet<string> = new Set([
  ...['corr', 'covar_pop', 'covar_samp', 'kurtosis', 'approx_top_k', 'bitmap_construct_agg', 'bitmap_or_agg'],
  ...[
    'regr_avgx',
    'regr_avgy',
    'regr_count',
    'regr_intercept',
    'regr_r2',
    'regr_slope',
    'regr_sxx',
    'regr_sxy',
  ],
  'regr_syy',
]);

/** No function that the check accepts begins like this. */
const CALL_MARK = 'blade_distinct_';

/** Marks the names of aggregates so that the parser reads them as plain calls, which can have DISTINCT. */
function markDistinctCalls(sql: string): { readonly text: string; readonly isMarked: boolean } {
  if (!/\(\s*distinct\b/i.test(sql)) return { text: sql, isMarked: false };
  const tokens = readTokens(sql) ?? [];
  const characters = Array.from(sql);
  let isMarked = false;
  for (let index = tokens.length - 3; index >= 0; index -= 1) {
    const [name, open, distinct] = tokens.slice(index, index + 3);
    if (open?.kind !== 'L_PAREN' || distinct?.kind !== 'DISTINCT' || name === undefined) continue;
    if (/STRING|QUOTED/.test(name.kind) || !READ_WITHOUT_DISTINCT.has(asciiLowerCase(name.text))) continue;
    characters.splice(name.start, 0, CALL_MARK);
    isMarked = true;
  }
  return { text: characters.join(''), isMarked };
}

function unmarkCalls(statement: SyntaxNode): SyntaxNode {
  return replaceObjects(statement, (object) => {
    const name = typeof object.name === 'string' && 'args' in object ? asciiLowerCase(object.name) : '';
    return name.startsWith(CALL_MARK) ? { ...object, name: name.slice(CALL_MARK.length) } : null;
  }) as SyntaxNode;
}

/** Builds a call of a function. */
export function buildCall(name: string, args: readonly unknown[]): SyntaxNode {
  const parsed = parseStatements(`SELECT ${name}(1, 1)`);
  const { expressions } = getContent(parsed.ok ? parsed.statements[0] : null, 'select');
  const call = getContent(Array.isArray(expressions) ? expressions[0] : null, 'function');
  return { function: { ...call, args } };
}

/** Splits a text into words; null if a quote or comment does not end. */
export function readTokens(sql: string, dialect: Dialect = DATABRICKS): readonly Token[] | null {
  const result = tokenize(sql, dialect);
  if (!result.success || !result.tokens) return null;
  // The actual names of the fields differ from the declared ones.
  const tokens = result.tokens as unknown as {
    token_type: string;
    text: string;
    span: { start: number; end: number };
  }[];
  return tokens.map((token) => ({
    kind: token.token_type,
    text: token.text,
    start: token.span.start,
    end: token.span.end,
  }));
}

/** Writes a node as text in the Databricks dialect. */
export function writeNode(node: SyntaxNode): string {
  const result = generate([replaceObjects(node, correctType)], DATABRICKS);
  const text = result.success ? result.sql?.[0] : undefined;
  if (text === undefined) throw new Error('a parsed statement cannot be written again');
  return text;
}

/** Returns the kind of a node; null if the value is not a node. */
export function getKind(value: unknown): string | null {
  return ast.isExpressionValue(value) ? (Object.keys(value)[0] ?? null) : null;
}

/** Returns the content of a node; an empty object if the value is not a node of this kind. */
export function getContent(value: unknown, kind: string): SyntaxNode {
  const content = isObject(value) ? value[kind] : undefined;
  return isObject(content) ? content : {};
}

/** Calls `visit` with each key and value in a tree of any depth, parents first. */
export function visitTree(root: unknown, visit: (key: string, value: unknown) => void): void {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const current = waiting.pop();
    if (Array.isArray(current)) {
      for (const item of current) waiting.push(item);
    } else if (isObject(current)) {
      for (const [key, value] of Object.entries(current)) {
        if (value === null || value === undefined) continue;
        visit(key, value);
        if (typeof value === 'object') waiting.push(value);
      }
    }
  }
}

/** Copies a tree, with each object for which `replace` returns another replaced by that. */
export function replaceObjects(value: unknown, replace: (object: SyntaxNode) => SyntaxNode | null): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceObjects(item, replace));
  if (!isObject(value)) return value;
  const entries = Object.entries(replace(value) ?? value);
  return Object.fromEntries(entries.map(([key, item]) => [key, replaceObjects(item, replace)]));
}

/** The type names that the parser writes without underscores, and how Databricks spells them. */
const TYPE_NAMES: ReadonlyMap<unknown, string> = new Map([
  ['TIMESTAMPNTZ', 'TIMESTAMP_NTZ'],
  ['TIMESTAMPLTZ', 'TIMESTAMP_LTZ'],
]);

/** Corrects types that the parser writes differently from how Databricks reads them. */
function correctType(object: SyntaxNode): SyntaxNode | null {
  const name = object.data_type === 'custom' ? TYPE_NAMES.get(object.name) : undefined;
  if (name !== undefined) return { ...object, name };
  if (object.data_type === 'time' && object.precision === null) return { data_type: 'custom', name: 'TIME' };
  const literal = getContent(object, 'literal');
  // Unchanged, it would be written as a timestamp without a zone.
  if (literal.literal_type === 'timestamp')
    return { cast: { ...createZonedCast(), this: { literal: { ...literal, literal_type: 'string' } } } };
  return null;
}

function createZonedCast(): SyntaxNode {
  const parsed = parseStatements("SELECT CAST('' AS TIMESTAMP)");
  const select = getContent(parsed.ok ? parsed.statements[0] : null, 'select');
  return getContent(Array.isArray(select.expressions) ? select.expressions[0] : null, 'cast');
}

/** Whether a node contains an aggregate. */
export function holdsAggregate(node: SyntaxNode): boolean {
  return ast.hasAggregates(node as unknown as Parameters<typeof ast.hasAggregates>[0]);
}
