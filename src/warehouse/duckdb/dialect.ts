import { transpile } from '@polyglot-sql/sdk';
import { isObject } from '../../shared/json.ts';
import {
  contentOf,
  DATABRICKS,
  DUCKDB,
  kindOf,
  parseStatements,
  readTokens,
  replaceObjects,
  type SyntaxNode,
  type Token,
  writeNode,
} from '../../sql-check/syntax-tree.ts';

const parameterMark = 'blade_parameter_';
const tryCastMark = 'blade_try_cast';
const rangeMark = 'blade_range';

/**
 * Turns one checked statement of the Databricks dialect into that of DuckDB, with its parameters as `$name`.
 * A failing `CAST` stays an error, as it is on Databricks.
 * @throws Error where the statement cannot be parsed, or holds what DuckDB has no equivalent for.
 */
export function toDuckDbSql(sql: string): string {
  const parsed = parseStatements(sql);
  const statement = parsed.ok ? parsed.statements[0] : undefined;
  if (statement === undefined) throw new Error('The statement cannot be parsed.');
  const result = transpile(writeNode(replaceObjects(statement, markNode) as SyntaxNode), DATABRICKS, DUCKDB);
  const text = result.success ? result.sql?.[0] : undefined;
  if (text === undefined) throw new Error('The statement has no equivalent in the dialect of DuckDB.');
  return rewriteTokens(text);
}

/** Changes what the translation leaves as it is, and marks what must be found again in the translated text. */
function markNode(node: SyntaxNode): SyntaxNode | null {
  const kind = kindOf(node);
  const content = kind === null ? {} : contentOf(node, kind);
  if (kind === 'parameter' && typeof content.name === 'string')
    return { parameter: { ...content, name: `${parameterMark}${content.name}` } };
  // Every CAST is translated to TRY_CAST, so that those that were one from the start need a mark.
  if (kind === 'try_cast') return callOf(tryCastMark, [{ cast: content }]);
  if (kind === 'function' && isRange(content)) return rangeTable(content.args);
  if (kind === 'subscript') return { subscript: { ...content, index: countedFromOne(content.index) } };
  return null;
}

function callOf(name: string, args: readonly SyntaxNode[]): SyntaxNode {
  return { function: { name, args, distinct: false, trailing_comments: [] } };
}

function isRange(content: SyntaxNode): boolean {
  return typeof content.name === 'string' && content.name.toLowerCase() === 'range';
}

/** Databricks counts the items of an array from 0; a key of a map that is text is left as it is. */
function countedFromOne(index: unknown): unknown {
  const literal = contentOf(index, 'literal');
  if (literal.literal_type === 'number')
    return { literal: { ...literal, value: String(Number(literal.value) + 1) } };
  if (kindOf(index) === 'literal') return index;
  const comments = { left_comments: [], operator_comments: [], trailing_comments: [] };
  const one = { literal: { literal_type: 'number', value: '1' } };
  return { add: { left: { paren: { this: index, trailing_comments: [] } }, right: one, ...comments } };
}

/** The column of a range is called `id` on Databricks. */
function rangeTable(args: unknown): SyntaxNode {
  const parsed = parseStatements(`SELECT * FROM (SELECT range AS id FROM ${rangeMark}(1))`);
  const select = contentOf(parsed.ok ? parsed.statements[0] : null, 'select');
  const from =
    isObject(select.from) && Array.isArray(select.from.expressions) ? select.from.expressions[0] : {};
  return replaceObjects(from, (node) => (node.name === rangeMark ? { ...node, args } : null)) as SyntaxNode;
}

const callsWithoutParentheses = new Set(['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME']);

function rewriteTokens(sql: string): string {
  const tokens = readTokens(sql, DUCKDB);
  if (tokens === null) throw new Error('The translated statement cannot be read.');
  const characters = Array.from(sql);
  const edits: { start: number; end: number; text: string }[] = [];
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const after = tokens[index + 1];
    const word = token.text.toUpperCase();
    if (isQuoted(token)) return;
    if (before?.text === ':' && token.text.startsWith(parameterMark)) {
      edits.push({ start: before.start, end: token.end, text: `$${token.text.slice(parameterMark.length)}` });
    } else if (word === tryCastMark.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: '' });
    } else if (word === rangeMark.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: 'range' });
    } else if (word === 'TRY_CAST' && tokens[index - 2]?.text.toUpperCase() !== tryCastMark.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: 'CAST' });
    } else if (callsWithoutParentheses.has(word) && after?.text === '(' && tokens[index + 2]?.text === ')') {
      edits.push({ start: after.start, end: tokens[index + 2]?.end ?? after.end, text: '' });
    }
  });
  for (const edit of edits.reverse()) characters.splice(edit.start, edit.end - edit.start, edit.text);
  return characters.join('');
}

function isQuoted(token: Token): boolean {
  return /STRING|QUOTED/.test(token.kind);
}
