import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import { refuse } from './refusal.ts';
import {
  buildCall,
  getContent,
  getKind,
  parseStatements,
  replaceObjects,
  type SyntaxNode,
  writeNode,
} from './syntax-tree.ts';

/** A statement as it is sent, and what a parser reads in it. */
export interface GeneratedStatement {
  readonly sql: string;
  readonly statement: SyntaxNode;
}

/**
 * Writes a statement anew from its syntax tree: every name in backquotes, every text in single quotes, no comment. Refuses
 * what reads differently once it is written.
 */
export function generateStatement(statement: SyntaxNode): GeneratedStatement {
  const named = quoteNames(replaceObjects(statement, correctTrim));
  const sql = writeNode(named);
  if (!isPlain(sql))
    refuse('The query cannot be written so that every database reads the same in it: simplify it.');
  const parsed = parseStatements(sql);
  const [again, ...others] = parsed.ok ? parsed.statements : [];
  if (again === undefined || others.length > 0) refuse(unstable(sql));
  const readAgain = quoteNames(again);
  const changed = findChange(comparable(named), comparable(readAgain), named);
  if (changed !== null) refuse(unstable(textOfNode(changed)));
  if (writeNode(readAgain) !== sql) refuse(unstable(sql));
  return { sql, statement: readAgain };
}

function unstable(part: string): string {
  const shown = part.length > 60 ? `${part.slice(0, 60)}…` : part;
  return `${shown} cannot be sent as it was written: write it in another way.`;
}

/** The words of which what is sent is made: all databases split them at the same places. */
const WORDS = new RegExp(
  [
    String.raw`\s`,
    '`(?:[^`\\0]|``)+`',
    String.raw`'(?:[^'\\\0]|\\[^\0])*'`,
    // A step of a path into JSON.
    String.raw`\["[^"'\`\\\0]*"\]`,
    String.raw`[A-Za-z_]\w*`,
    String.raw`(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])`,
    '-(?!-)',
    String.raw`/(?!\*)`,
    String.raw`[()[\],.:=<>!+*%~&|^]`,
  ].join('|'),
  'y',
);

function isPlain(sql: string): boolean {
  WORDS.lastIndex = 0;
  while (WORDS.lastIndex < sql.length) if (!WORDS.test(sql)) return false;
  return true;
}

/** As a function, TRIM takes what it cuts off first; the parser expects it last. */
function correctTrim(object: SyntaxNode): SyntaxNode | null {
  const trim = getContent(object, 'trim');
  if (!isObject(trim.characters) || trim.sql_standard_syntax === true) return null;
  return { trim: { ...trim, this: trim.characters, characters: trim.this, sql_standard_syntax: true } };
}

/** What holds a name that the parser knows only without quotes. */
const UNQUOTED: ReadonlySet<string> = new Set(['windows', 'window_name', 'table_alias']);

const UNIT_FUNCTIONS: ReadonlySet<string> = new Set([
  'date_add',
  'date_diff',
  'dateadd',
  'datediff',
  'timestampadd',
  'timestampdiff',
]);
const UNIT =
  /^(?:(?:year|quarter|month|week|day|hour|minute|second|millisecond|microsecond|nanosecond)s?|dayofyear)$/i;

/** The tree with each name in quotes, so that none is taken for a word of the language. */
function quoteNames(value: unknown): SyntaxNode;
function quoteNames(value: unknown, key: string): unknown;
function quoteNames(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => quoteNames(item, key));
  if (!isObject(value)) return value;
  const isName = isIdentifier(value);
  const unit = findUnit(value);
  const entries = Object.entries(isName && !UNQUOTED.has(key) ? { ...value, quoted: true } : value);
  return Object.fromEntries(
    entries.map(([inner, item]) => {
      if (inner === 'order_by' && isOrderByAll(item)) return [inner, item];
      if (inner === 'args' && unit !== null && Array.isArray(item))
        return [inner, [unit, ...item.slice(1).map((argument) => quoteNames(argument, ''))]];
      return [inner, quoteNames(item, key === 'windows' && inner === 'name' ? key : inner)];
    }),
  );
}

/** Whether a clause is ORDER BY ALL, where ALL is a keyword and no column. */
function isOrderByAll(clause: unknown): boolean {
  const items: unknown = isObject(clause) ? clause.expressions : null;
  const [item, ...others] = Array.isArray(items) ? items : [];
  const { name, table } = getContent(isObject(item) ? item.this : null, 'column');
  if (others.length > 0 || isObject(table) || !isObject(name)) return false;
  return name.quoted === false && asciiLowerCase(String(name.name)) === 'all';
}

function isIdentifier(object: SyntaxNode): boolean {
  const isOther = 'args' in object || 'style' in object;
  return typeof object.name === 'string' && typeof object.quoted === 'boolean' && !isOther;
}

/** The first argument of a function where it is the unit of a time and not a column. */
function findUnit(content: SyntaxNode): unknown {
  if (typeof content.name !== 'string' || !UNIT_FUNCTIONS.has(asciiLowerCase(content.name))) return null;
  if (!Array.isArray(content.args) || content.args.length !== 3) return null;
  const column = getContent(content.args[0], 'column');
  const name = isObject(column.name) ? column.name : {};
  const isUnit = !isObject(column.table) && name.quoted === false && UNIT.test(String(name.name));
  return isUnit ? content.args[0] : null;
}

/** What the writer leaves out or adds without a change of meaning. */
const MEANINGLESS =
  /^(?:span|.*comments|alias_explicit_as|alias_keyword|original_name|inferred_type|double_colon_syntax|from_for_syntax|position_explicit|.*_spelling)$/;

/** The tree without what may change when it is written and read again. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isObject(value)) return value;
  const entries = Object.entries(rewritten(value)).filter(([key]) => !MEANINGLESS.test(key));
  return Object.fromEntries(
    entries.map(([key, item]) => {
      const isFunctionName = key === 'name' && typeof item === 'string' && !isIdentifier(value);
      return [key, isFunctionName ? comparableFunction(item) : comparable(item)];
    }),
  );
}

function comparableFunction(name: string): string {
  const spelled = asciiLowerCase(name);
  return spelled === 'every' ? 'bool_and' : spelled;
}

/** The object as the writer's other spelling of it reads. */
function rewritten(object: SyntaxNode): SyntaxNode {
  const kind = getKind(object);
  const content = kind === null ? {} : getContent(object, kind);
  if (kind === 'trim' && content.characters === null)
    return { trim: { ...content, sql_standard_syntax: false } };
  if (kind === 'bitwise_left_shift') return buildCall('shiftleft', [content.left, content.right]);
  if (kind === 'bitwise_right_shift') return buildCall('shiftright', [content.left, content.right]);
  if (kind === 'mod_func') return { mod: { left: content.this, right: content.expression } };
  if (kind === 'power') return buildCall('power', [content.this, content.expression]);
  if (isUnboundedText(object)) return { data_type: 'string', length: null };
  if (object.data_type === 'custom' && /^GEO(?:METRY|GRAPHY)$/i.test(String(object.name)))
    return { data_type: asciiLowerCase(String(object.name)), subtype: null, srid: null };
  if (kind === 'add' && isIntervalSum(object)) return { intervals: listIntervals(object) };
  if (kind === 'literal' && content.literal_type === 'number')
    return { literal: { ...content, value: String(content.value).replace(/^\./, '0.') } };
  if (kind === 'literal' && content.literal_type === 'date') return buildCast(content, 'DATE');
  if (kind === 'literal' && content.literal_type === 'timestamp') return buildCast(content, 'TIMESTAMP');
  const { from, joins } = object;
  if (
    isObject(from) &&
    Array.isArray(from.expressions) &&
    from.expressions.length > 1 &&
    Array.isArray(joins)
  ) {
    const [first, ...others] = from.expressions;
    const crossed = others.map((source) => ({ ...crossJoin(), this: source }));
    return { ...object, from: { ...from, expressions: [first] }, joins: [...crossed, ...joins] };
  }
  return object;
}

/** One of several units is written as a sum. */
function isIntervalSum(node: unknown): boolean {
  const { left, right } = getContent(node, 'add');
  return (
    getKind(node) === 'interval' || (getKind(node) === 'add' && isIntervalSum(left) && isIntervalSum(right))
  );
}

function listIntervals(node: unknown): unknown[] {
  const { left, right } = getContent(node, 'add');
  return getKind(node) === 'add' ? [...listIntervals(left), ...listIntervals(right)] : [node];
}

/** Whether a type is one of the other names of STRING. */
function isUnboundedText({ data_type: type, length = null }: SyntaxNode): boolean {
  return (type === 'text' || type === 'char' || type === 'var_char') && length === null;
}

function buildCast(literal: SyntaxNode, type: string): SyntaxNode {
  const cast = getContent(firstExpression(`SELECT CAST('' AS ${type})`), 'cast');
  return { cast: { ...cast, this: { literal: { ...literal, literal_type: 'string' } } } };
}

function crossJoin(): SyntaxNode {
  const { joins } = readSelect('SELECT 1 FROM a CROSS JOIN b');
  const join: unknown = Array.isArray(joins) ? joins[0] : null;
  return isObject(join) ? join : {};
}

function firstExpression(sql: string): unknown {
  const { expressions } = readSelect(sql);
  return Array.isArray(expressions) ? expressions[0] : null;
}

function readSelect(sql: string): SyntaxNode {
  const parsed = parseStatements(sql);
  return getContent(parsed.ok ? parsed.statements[0] : null, 'select');
}

/** The smallest part in which two trees differ, or null where they do not. */
function findChange(one: unknown, other: unknown, within: SyntaxNode): SyntaxNode | null {
  if (one === other) return null;
  if (Array.isArray(one) && Array.isArray(other) && one.length === other.length)
    return firstChange(
      one.map((item, index) => [item, other[index]]),
      within,
    );
  if (!isObject(one) || !isObject(other)) return within;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  const pairs = [...keys].map((key) => [one[key], other[key]] as const);
  return firstChange(pairs, getKind(one) === null ? within : one);
}

function firstChange(pairs: readonly (readonly [unknown, unknown])[], within: SyntaxNode): SyntaxNode | null {
  for (const [one, other] of pairs) {
    const change = findChange(one, other, within);
    if (change !== null) return change;
  }
  return null;
}

function textOfNode(node: SyntaxNode): string {
  try {
    return writeNode(node);
  } catch {
    return '';
  }
}
