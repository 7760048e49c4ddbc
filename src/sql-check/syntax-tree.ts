import { ast, type Dialect, generate, parse, tokenize } from '@polyglot-sql/sdk';
import { isObject } from '../shared/json.ts';

/** A node of a parsed statement: an object whose one key is its kind, e.g. `{ select: { … } }`. */
export type SyntaxNode = Readonly<Record<string, unknown>>;

/** A word or sign of a statement; `start` and `end` are offsets in characters (code points), `end` exclusive. */
export interface Token {
  readonly kind: string;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly hasComment: boolean;
}

export type ParsedText =
  | { readonly ok: true; readonly statements: readonly SyntaxNode[] }
  | { readonly ok: false; readonly message: string; readonly line: number; readonly column: number };

export const databricks = 'databricks' as Dialect;
export const duckdb = 'duckdb' as Dialect;

/** Parses statements of the Databricks dialect; the parser's own limits on depth hold. */
export function parseStatements(sql: string): ParsedText {
  const result = parse(withReadableLimits(sql), databricks);
  if (result.success) return { ok: true, statements: result.ast as unknown as SyntaxNode[] };
  const message = result.error.replace(/^Parse error at line \d+, column \d+: /, '');
  return { ok: false, message, line: result.errorLine ?? 1, column: result.errorColumn ?? 1 };
}

/** The parser takes LIMIT for the name of a table before a parameter, unless that is in parentheses. */
function withReadableLimits(sql: string): string {
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

/** The words of a text, or null where it has a quote without an end. */
export function readTokens(sql: string, dialect: Dialect = databricks): readonly Token[] | null {
  const result = tokenize(sql, dialect);
  if (!result.success || !result.tokens) return null;
  // The declared names of the fields differ from those that arrive.
  const tokens = result.tokens as unknown as {
    token_type: string;
    text: string;
    span: { start: number; end: number };
    comments: string[];
    trailing_comments: string[];
  }[];
  return tokens.map((token) => ({
    kind: token.token_type,
    text: token.text,
    start: token.span.start,
    end: token.span.end,
    hasComment: token.comments.length > 0 || token.trailing_comments.length > 0,
  }));
}

/** Writes a node as text of the Databricks dialect. */
export function writeNode(node: SyntaxNode): string {
  const result = generate([replaceObjects(node, correctType)], databricks);
  const text = result.success ? result.sql?.[0] : undefined;
  if (text === undefined) throw new Error('A parsed statement could not be written again.');
  return text;
}

/** The kind of a node, or null where the value is no node. */
export function kindOf(value: unknown): string | null {
  return ast.isExpressionValue(value) ? (Object.keys(value)[0] ?? null) : null;
}

/** What a node holds, or an empty object where the value is no node of that kind. */
export function contentOf(value: unknown, kind: string): SyntaxNode {
  const content = isObject(value) ? value[kind] : undefined;
  return isObject(content) ? content : {};
}

/** Calls `visit` with each key and value in the tree, parents first, however deep it goes. */
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

/** A copy of the tree in which each object that `replace` answers for is what it answered. */
export function replaceObjects(value: unknown, replace: (object: SyntaxNode) => SyntaxNode | null): unknown {
  if (Array.isArray(value)) return value.map((item) => replaceObjects(item, replace));
  if (!isObject(value)) return value;
  const entries = Object.entries(replace(value) ?? value);
  return Object.fromEntries(entries.map(([key, item]) => [key, replaceObjects(item, replace)]));
}

/** The parser writes two types otherwise than Databricks reads them. */
function correctType(object: SyntaxNode): SyntaxNode | null {
  if (object.data_type === 'custom' && object.name === 'TIMESTAMPNTZ')
    return { ...object, name: 'TIMESTAMP_NTZ' };
  const literal = contentOf(object, 'literal');
  // Written as it is, it would become one without a zone.
  if (literal.literal_type === 'timestamp')
    return { cast: { ...zonedCast(), this: { literal: { ...literal, literal_type: 'string' } } } };
  return null;
}

function zonedCast(): SyntaxNode {
  const parsed = parseStatements("SELECT CAST('' AS TIMESTAMP)");
  const select = contentOf(parsed.ok ? parsed.statements[0] : null, 'select');
  return contentOf(Array.isArray(select.expressions) ? select.expressions[0] : null, 'cast');
}

/** Whether a node sums up rows anywhere within it. */
export function holdsAggregate(node: SyntaxNode): boolean {
  return ast.hasAggregates(node as unknown as Parameters<typeof ast.hasAggregates>[0]);
}
