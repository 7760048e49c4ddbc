import { transpile } from '@polyglot-sql/sdk';
import { isObject } from '../../shared/json.ts';
import {
  DATABRICKS,
  DUCKDB,
  getContent,
  getKind,
  parseStatements,
  readTokens,
  replaceObjects,
  type SyntaxNode,
  type Token,
  writeNode,
} from '../../sql-check/syntax-tree.ts';

const PARAMETER_MARK = 'blade_parameter_';
const TRY_CAST_MARK = 'blade_try_cast';
const RANGE_MARK = 'blade_range';

/**
 * Translates a checked statement from the Databricks dialect to that of DuckDB, with parameters as `$name`. A failing `CAST`
 * stays an error, as on Databricks.
 * @throws Error if the statement cannot be parsed or translated.
 */
export function toDuckDbSql(sql: string): string {
  const parsed = parseStatements(sql);
  const statement = parsed.ok ? parsed.statements[0] : undefined;
  if (statement === undefined) throw new Error('the statement cannot be parsed');
  const result = transpile(writeNode(replaceObjects(statement, markNode) as SyntaxNode), DATABRICKS, DUCKDB);
  const text = result.success ? result.sql?.[0] : undefined;
  if (text === undefined) throw new Error('the statement has no equivalent in the dialect of DuckDB');
  return rewriteTokens(text);
}

/** Changes what the translator does not, and marks what must be found again in the translated text. */
function markNode(node: SyntaxNode): SyntaxNode | null {
  const kind = getKind(node);
  const content = kind === null ? {} : getContent(node, kind);
  if (kind === 'parameter' && typeof content.name === 'string')
    return { parameter: { ...content, name: `${PARAMETER_MARK}${content.name}` } };
  // The translator turns every CAST into TRY_CAST, so original TRY_CASTs need a mark.
  if (kind === 'try_cast') return createCall(TRY_CAST_MARK, [{ cast: content }]);
  if (kind === 'function' && isRange(content)) return createRangeTable(content.args);
  if (kind === 'subscript') return { subscript: { ...content, index: addOne(content.index) } };
  return null;
}

function createCall(name: string, args: readonly SyntaxNode[]): SyntaxNode {
  return { function: { name, args, distinct: false, trailing_comments: [] } };
}

function isRange(content: SyntaxNode): boolean {
  return typeof content.name === 'string' && content.name.toLowerCase() === 'range';
}

/** Adds one to an array index, which Databricks counts from 0. Leaves text keys of a map unchanged. */
function addOne(index: unknown): unknown {
  const literal = getContent(index, 'literal');
  if (literal.literal_type === 'number')
    return { literal: { ...literal, value: String(Number(literal.value) + 1) } };
  if (getKind(index) === 'literal') return index;
  const comments = { left_comments: [], operator_comments: [], trailing_comments: [] };
  const one = { literal: { literal_type: 'number', value: '1' } };
  return { add: { left: { paren: { this: index, trailing_comments: [] } }, right: one, ...comments } };
}

/** Creates a range whose column is named `id`, as on Databricks. */
function createRangeTable(args: unknown): SyntaxNode {
  const parsed = parseStatements(`SELECT * FROM (SELECT range AS id FROM ${RANGE_MARK}(1))`);
  const select = getContent(parsed.ok ? parsed.statements[0] : null, 'select');
  const from =
    isObject(select.from) && Array.isArray(select.from.expressions) ? select.from.expressions[0] : {};
  return replaceObjects(from, (node) => (node.name === RANGE_MARK ? { ...node, args } : null)) as SyntaxNode;
}

const CALLS_WITHOUT_PARENTHESES = new Set(['CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME']);

function rewriteTokens(sql: string): string {
  const tokens = readTokens(sql, DUCKDB);
  if (tokens === null) throw new Error('the translated statement cannot be read');
  const characters = Array.from(sql);
  const edits: { start: number; end: number; text: string }[] = [];
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const after = tokens[index + 1];
    const word = token.text.toUpperCase();
    if (isQuoted(token)) return;
    if (before?.text === ':' && token.text.startsWith(PARAMETER_MARK)) {
      edits.push({
        start: before.start,
        end: token.end,
        text: `$${token.text.slice(PARAMETER_MARK.length)}`,
      });
    } else if (word === TRY_CAST_MARK.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: '' });
    } else if (word === RANGE_MARK.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: 'range' });
    } else if (word === 'TRY_CAST' && tokens[index - 2]?.text.toUpperCase() !== TRY_CAST_MARK.toUpperCase()) {
      edits.push({ start: token.start, end: token.end, text: 'CAST' });
    } else if (
      CALLS_WITHOUT_PARENTHESES.has(word) &&
      after?.text === '(' &&
      tokens[index + 2]?.text === ')'
    ) {
      edits.push({ start: after.start, end: tokens[index + 2]?.end ?? after.end, text: '' });
    }
  });
  for (const edit of edits.reverse()) characters.splice(edit.start, edit.end - edit.start, edit.text);
  return characters.join('');
}

function isQuoted(token: Token): boolean {
  return /STRING|QUOTED/.test(token.kind);
}
