import { asciiLowerCase, asciiUpperCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import type { TableName } from '../warehouse/warehouse.ts';
import { knownFunctions, wordsBeforeParentheses, wordsOfTheSession } from './known-functions.ts';
import {
  booleanFunction,
  changingFunction,
  fileLikeName,
  forbiddenFunction,
  forbiddenKindPrefix,
  forbiddenKinds,
  tableFunctions,
} from './statement-rules.ts';
import {
  contentOf,
  holdsAggregate,
  kindOf,
  parseStatements,
  readTokens,
  type SyntaxNode,
  type Token,
  visitTree,
  writeNode,
} from './syntax-tree.ts';

/** The longest statement or filter that is taken, in bytes of UTF-8. */
export const maxStatementBytes = 100_000;

/** The most words and signs that are taken: parsing more would hold everybody up for more than some tenths of a second. */
export const maxStatementTokens = 10_000;

export interface CheckedQuery {
  readonly ok: true;
  /** The statement as it was written, without comments and without a closing semicolon: fit to be nested. */
  readonly sql: string;
  /** Each named parameter once, without its colon, sorted. */
  readonly parameterNames: readonly string[];
  /** Each table it reads once, in the order of appearance. */
  readonly tables: readonly TableName[];
  /** False where it calls a function that gives another result each time, such as `rand()` or `now()`. */
  readonly repeatable: boolean;
}

export interface CheckedFilter {
  readonly ok: true;
  /** The condition, written anew in the Databricks dialect and in parentheses: fit to stand anywhere a condition can. */
  readonly sql: string;
}

export interface Refusal {
  readonly ok: false;
  /** What is wrong and what would be right, for the person who wrote it. */
  readonly message: string;
}

/** Checks that a text is exactly one SELECT of the Databricks dialect that only reads tables by their full names. */
export function checkQuery(sql: string, maxBytes = maxStatementBytes): CheckedQuery | Refusal {
  return refusalOf(() => {
    const tokens = withoutClosingSemicolon(tokensOf(sql, 'query', maxBytes));
    checkFirstWord(tokens);
    const parsed = parseStatements(sql);
    if (!parsed.ok) refuse(parseMessage('query', parsed.message, parsed.line, parsed.column));
    const [statement, ...others] = parsed.statements;
    if (statement === undefined) refuse('The query is empty: write one SELECT.');
    if (others.length > 0 || tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('Only one statement can run: remove what follows the first semicolon.');
    if (!isQuery(statement)) refuse('Only a SELECT can run here.');
    const found = readTree(statement);
    checkCalls(tokens, found.aliases);
    return {
      ok: true,
      sql: textOf(sql, tokens),
      parameterNames: found.parameterNames,
      tables: found.tables,
      repeatable: !found.sampled && !callsAny(tokens, changingFunction),
    };
  });
}

/** Checks that a text is exactly one condition on the columns of one table, in the Databricks dialect. */
export function checkFilter(filter: string): CheckedFilter | Refusal {
  return refusalOf(() => {
    const tokens = tokensOf(filter, 'filter', maxStatementBytes);
    if (tokens.length === 0) refuse("The filter is empty: write one condition, as in priority = 'HIGH'.");
    if (tokens.some((token) => token.hasComment || token.kind === 'HINT'))
      refuse('A filter cannot hold a comment: remove it.');
    if (tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('A filter is one condition: remove the semicolon and what follows it.');
    const parsed = parseStatements(`SELECT * FROM catalog.schema.filtered WHERE\n${filter}`);
    if (!parsed.ok) refuse(parseMessage('filter', parsed.message, parsed.line - 1, parsed.column));
    const select = contentOf(parsed.statements[0], 'select');
    const where = isObject(select.where_clause) ? select.where_clause : {};
    const condition = where.this;
    if (parsed.statements.length !== 1 || !isObject(condition))
      refuse('A filter is one condition on the columns of the table, not a query.');
    const clause = clauseBeside(select);
    if (clause !== null)
      refuse(`A filter is one condition: ${clause} cannot follow it. Remove it, or use a query job.`);
    checkCalls(tokens, new Map());
    const found = readTree(parsed.statements[0] ?? {});
    if (found.parameterNames.length > 0)
      refuse(`A filter has no parameters: write the value itself instead of :${found.parameterNames[0]}.`);
    visitTree(condition, refuseInFilter);
    if (holdsAggregate(condition))
      refuse('A filter looks at one row at a time: use a query job to count or sum up.');
    checkCondition(condition);
    return { ok: true, sql: `(${writeNode(condition)})` };
  });
}

/** Quotes a name so that it is read as a name whatever it holds, in the Databricks dialect. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** The three parts of a table's name, quoted, in the Databricks dialect. */
export function qualifiedName(table: TableName): string {
  return [table.catalog, table.schema, table.table].map(quoteIdentifier).join('.');
}

class RefusalError extends Error {}

function refuse(message: string): never {
  throw new RefusalError(message);
}

function refusalOf<Checked>(check: () => Checked): Checked | Refusal {
  try {
    return check();
  } catch (error) {
    if (error instanceof RefusalError) return { ok: false, message: error.message };
    throw error;
  }
}

type Subject = 'query' | 'filter';

function parseMessage(subject: Subject, message: string, line: number, column: number): string {
  if (/E_GUARD|call stack/.test(message))
    return `The ${subject} is too deeply nested or too long: make it simpler.`;
  return `The ${subject} cannot be understood at line ${Math.max(line, 1)}, column ${column}: ${message}`;
}

function tokensOf(sql: string, subject: Subject, maxBytes: number): readonly Token[] {
  if (Buffer.byteLength(sql) > maxBytes) refuse(`The ${subject} is longer than ${maxBytes / 1000} kB.`);
  // A NUL ends a text for some engines, so that they would run another statement than the one checked.
  if (sql.includes('\0')) refuse(`The ${subject} holds a NUL character: remove it.`);
  const tokens = readTokens(sql);
  if (tokens === null) refuse(`The ${subject} has a quote or a comment that does not end.`);
  if (tokens.length > maxStatementTokens * Math.max(1, maxBytes / maxStatementBytes))
    refuse(`The ${subject} has more than ${maxStatementTokens.toLocaleString('en')} words and signs.`);
  for (const token of tokens) {
    if (token.kind === 'PARAMETER' || token.kind === 'DOLLAR' || token.kind === 'AT_AT' || token.text === '?')
      refuseParameter(subject);
    if (token.kind === 'VAR' && token.text.startsWith('@')) refuseParameter(subject);
  }
  return tokens;
}

function refuseParameter(subject: Subject): never {
  refuse(
    subject === 'query'
      ? 'Parameters are written by name with a colon, as in :low. Marks such as ?, $1 and @name are not known.'
      : 'A filter has no parameters: write the value itself.',
  );
}

function withoutClosingSemicolon(tokens: readonly Token[]): readonly Token[] {
  return tokens.at(-1)?.kind === 'SEMICOLON' ? tokens.slice(0, -1) : tokens;
}

function checkFirstWord(tokens: readonly Token[]): void {
  const first = tokens.find((token) => token.text !== '(');
  if (first === undefined) refuse('The query is empty: write one SELECT.');
  const word = asciiUpperCase(first.text);
  if (word !== 'SELECT' && word !== 'WITH')
    refuse(
      /^[A-Z]+$/.test(word) && word.length <= 20
        ? `Only a SELECT can run here: the query starts with ${word}.`
        : 'Only a SELECT can run here.',
    );
}

/** Puts the words back together: each as it was written, a comment between two of them turned into a space. */
function textOf(sql: string, tokens: readonly Token[]): string {
  const characters = Array.from(sql);
  let text = '';
  let end = tokens[0]?.start ?? 0;
  for (const token of tokens) {
    const between = characters.slice(end, token.start).join('');
    text += /^\s*$/.test(between) ? between : ' ';
    text += characters.slice(token.start, token.end).join('');
    end = token.end;
  }
  return text;
}

const queryKinds: ReadonlySet<string> = new Set(['select', 'union', 'intersect', 'except']);

function isQuery(node: unknown): boolean {
  const kind = kindOf(node);
  if (kind === 'subquery' || kind === 'paren') return isQuery(contentOf(node, kind).this);
  return kind !== null && queryKinds.has(kind);
}

function callsAny(tokens: readonly Token[], functions: RegExp): boolean {
  return tokens.some(
    (token, index) =>
      functions.test(token.text) &&
      token.kind !== 'STRING' &&
      (tokens[index + 1]?.text === '(' || /^(current_|local)/i.test(token.text)),
  );
}

/**
 * Refuses every call of a function that is not known to compute from its arguments alone. It goes by what stands before a
 * parenthesis, so that no way of parsing a call can hide it.
 * @param aliases how often the statement gives each name, in lower case, to a table together with names for its columns.
 */
function checkCalls(tokens: readonly Token[], aliases: ReadonlyMap<string, number>): void {
  const unmet = new Map(aliases);
  tokens.forEach((token, index) => {
    const before = tokens[index - 1];
    const isQuoted = token.kind === 'QUOTED_IDENTIFIER';
    const word = asciiLowerCase(token.text);
    if (tokens[index + 1]?.kind !== 'L_PAREN') {
      if (isQuoted || before?.kind === 'DOT' || before?.kind === 'AS' || token.kind === 'STRING') return;
      if (wordsOfTheSession.has(word))
        refuse(
          `${token.text} tells of the session: for a column of that name write it with its table or in backquotes.`,
        );
      return;
    }
    if (token.kind === 'STRING' || token.kind === 'NUMBER') return;
    // A sign, such as an operator, calls nothing; a name may hold any letter.
    if (!isQuoted && !/[\p{L}_$]/u.test(word)) return;
    if (before?.kind === 'DOT')
      refuse(
        `The function ${token.text} cannot be used here: only functions that are built in can, and only by their name.`,
      );
    if (knownFunctions.has(word) || (!isQuoted && wordsBeforeParentheses.has(word))) return;
    const times = unmet.get(word) ?? 0;
    if (times > 0 && isListOfNames(tokens, index + 1) && !forbiddenFunction.test(word)) {
      unmet.set(word, times - 1);
      return;
    }
    refuse(
      `The function ${token.text} cannot be used here: only functions that compute from their arguments can.`,
    );
  });
}

/** Whether names alone, with commas between them, stand in the parentheses that open at the place. */
function isListOfNames(tokens: readonly Token[], open: number): boolean {
  for (let index = open + 1; ; index += 2) {
    const [name, after] = [tokens[index], tokens[index + 1]];
    if (name?.kind !== 'VAR' && name?.kind !== 'QUOTED_IDENTIFIER' && !/^[a-z_]\w*$/i.test(name?.text ?? ''))
      return false;
    if (name?.kind === 'STRING') return false;
    if (after?.kind === 'R_PAREN') return true;
    if (after?.kind !== 'COMMA') return false;
  }
}

interface Findings {
  readonly parameterNames: string[];
  readonly tables: TableName[];
  /** How often each name, in lower case, is given to a table or sub-query together with names for its columns. */
  readonly aliases: ReadonlyMap<string, number>;
  sampled: boolean;
}

function readTree(statement: SyntaxNode): Findings {
  const parameters = new Set<string>();
  const aliases = new Map<string, number>();
  const addAlias = (alias: unknown) => aliases.set(aliasOf(alias), (aliases.get(aliasOf(alias)) ?? 0) + 1);
  let sampled = false;
  visitTree(statement, (key, value) => {
    if (isObject(value) && (forbiddenKinds.has(key) || forbiddenKindPrefix.test(key)))
      refuse('Only a SELECT that reads can run here: it may not write, lock, change settings or run code.');
    if (key === 'locks' && Array.isArray(value) && value.length > 0)
      refuse('A query may not lock rows: remove FOR UPDATE or FOR SHARE.');
    if (key === 'placeholder' || key === 'session_parameter') refuseParameter('query');
    if (key === 'parameter' && isObject(value)) parameters.add(parameterName(value));
    if (key === 'table_sample' || key === 'sample') sampled = true;
    if (key === 'ctes' && Array.isArray(value)) {
      for (const cte of value.map(contentOfWith)) {
        checkWith(cte);
        if (Array.isArray(cte.columns) && cte.columns.length > 0) addAlias(cte.alias);
      }
    }
    if (isObject(value) && Array.isArray(value.column_aliases) && value.column_aliases.length > 0)
      addAlias(value.alias);
    // A field of that name holds a node; a node of that kind holds the query in `this`.
    if (key === 'subquery' && isObject(value) && value.this !== undefined) checkNested(value.this);
    checkSources(key, value);
  });
  const named: NamedTable[] = [];
  collectTables(statement, new Set(), named);
  named.sort((left, right) => left.position - right.position);
  return { parameterNames: [...parameters].sort(), tables: tablesOf(named), aliases, sampled };
}

function aliasOf(alias: unknown): string {
  return asciiLowerCase(typeof alias === 'string' ? alias : textOfName(alias));
}

function parameterName(parameter: SyntaxNode): string {
  const name = parameter.name;
  if (parameter.style !== 'Colon' || typeof name !== 'string' || parameter.quoted === true)
    refuseParameter('query');
  if (!/^[A-Za-z_]\w{0,62}$/.test(name))
    refuse('The name of a parameter is letters, digits and underscores, as in :low.');
  return name;
}

/** What a WITH clause says of one name. */
function contentOfWith(cte: unknown): SyntaxNode {
  if (kindOf(cte) === 'cte') return contentOf(cte, 'cte');
  return isObject(cte) ? cte : {};
}

function checkWith(cte: SyntaxNode): void {
  if (!isQuery(cte.this) && kindOf(cte.this) !== 'values')
    refuse('Only a SELECT can stand in a WITH clause.');
}

function checkNested(inner: unknown): void {
  if (isQuery(inner) || kindOf(inner) === 'values') return;
  checkSource(inner);
}

/** Checks what stands where a table stands: in FROM, in a join, in LATERAL. */
function checkSources(key: string, value: unknown): void {
  if (key === 'from' && isObject(value) && Array.isArray(value.expressions)) {
    for (const source of value.expressions) checkSource(source);
  } else if ((key === 'joins' || key === 'lateral_views') && Array.isArray(value)) {
    for (const item of value) checkSource(isObject(item) ? item.this : item);
  } else if (key === 'lateral' && isObject(value)) {
    checkSource(value.this);
  }
}

const sourceKinds: ReadonlySet<string> = new Set([
  ...['table', 'values', 'subquery', 'unnest', 'explode', 'explode_outer', 'generate_series', 'sequence'],
  ...queryKinds,
]);
const sourceWrappers: ReadonlySet<string> = new Set([
  ...[
    'alias',
    'paren',
    'pivot',
    'unpivot',
    'lateral',
    'table_sample',
    'pivot_alias',
    'table_alias',
    'joined_table',
  ],
]);

function checkSource(source: unknown): void {
  const kind = kindOf(source);
  if (kind === null) refuse('A query reads only tables, sub-queries and a few functions such as explode.');
  const content = contentOf(source, kind);
  if (sourceKinds.has(kind)) return;
  if (sourceWrappers.has(kind)) {
    checkSource(kind === 'joined_table' ? content.left : content.this);
    return;
  }
  const name = typeof content.name === 'string' ? content.name : kind;
  if (kind !== 'function' || !tableFunctions.has(asciiLowerCase(name)))
    refuse(`${name} cannot stand where a table stands: name a table as catalog.schema.table.`);
}

interface NamedTable {
  readonly parts: readonly string[];
  readonly position: number;
}

/**
 * Collects the tables that are named, without the names that a WITH clause gives where these can be seen: elsewhere the
 * same name is that of a table in whatever schema the session is in.
 */
function collectTables(value: unknown, withNames: ReadonlySet<string>, found: NamedTable[]): void {
  if (Array.isArray(value)) {
    for (const item of value) collectTables(item, withNames, found);
    return;
  }
  if (!isObject(value)) return;
  const visible = isObject(value.with) ? collectOfWith(value.with, withNames, found) : withNames;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'with' || inner === null || typeof inner !== 'object') continue;
    if (key === 'table' && isObject(inner) && isObject(inner.name)) {
      const { parts, position } = tableParts(inner);
      const isOfWith = parts.length === 1 && visible.has(asciiLowerCase(parts.join('')));
      if (!isOfWith) found.push({ parts, position });
    }
    collectTables(inner, visible, found);
  }
}

/** @returns the names that can be seen behind the WITH clause. */
function collectOfWith(
  clause: SyntaxNode,
  withNames: ReadonlySet<string>,
  found: NamedTable[],
): ReadonlySet<string> {
  const visible = new Set(withNames);
  for (const cte of Array.isArray(clause.ctes) ? clause.ctes : []) {
    const content = contentOfWith(cte);
    const name = aliasOf(content.alias);
    // Only with RECURSIVE does a query see its own name.
    const within = clause.recursive === true ? new Set([...visible, name]) : new Set(visible);
    collectTables(content, within, found);
    visible.add(name);
  }
  return visible;
}

function tableParts(table: SyntaxNode): NamedTable {
  const names = [table.catalog, table.schema, table.name];
  // The parser joins a fourth part to the third with a dot; a quoted name may hold one.
  const parts = names
    .flatMap((name) =>
      isObject(name) && name.quoted === true ? [textOfName(name)] : textOfName(name).split('.'),
    )
    .filter((part) => part !== '');
  const span = isObject(table.name) && isObject(table.name.span) ? table.name.span.start : 0;
  return { parts, position: typeof span === 'number' ? span : 0 };
}

function textOfName(identifier: unknown): string {
  if (!isObject(identifier)) return '';
  return typeof identifier.name === 'string' ? identifier.name : textOfName(identifier.this);
}

function tablesOf(named: readonly NamedTable[]): TableName[] {
  const tables = new Map<string, TableName>();
  for (const { parts } of named) {
    const [catalog, schema, table] = parts;
    if (parts.some((part) => fileLikeName.test(part)))
      refuse('Files cannot be read by a query: name a table as catalog.schema.table.');
    if (parts.length !== 3 || catalog === undefined || schema === undefined || table === undefined)
      refuse(`${parts.join('.')} is not the full name of a table: write it as catalog.schema.table.`);
    tables.set(asciiLowerCase(parts.join('.')), { catalog, schema, table });
  }
  return [...tables.values()];
}

/** The name of the first clause that stands beside the WHERE that we wrote ourselves. */
function clauseBeside(select: SyntaxNode): string | null {
  const own = new Set(['expressions', 'from', 'where_clause']);
  for (const [key, value] of Object.entries(select)) {
    if (own.has(key) || value === null || value === false) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    return key.replaceAll('_', ' ').toUpperCase();
  }
  return null;
}

function refuseInFilter(key: string, value: unknown): void {
  if (!isObject(value)) return;
  if (queryKinds.has(key) || key === 'subquery' || key === 'exists')
    refuse('A filter cannot hold a query of its own: use a query job for that.');
  if (key === 'window_function') refuse('A filter cannot use a window function: use a query job for that.');
}

const conditionKinds: ReadonlySet<string> = new Set([
  ...['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'null_safe_eq', 'null_safe_neq', 'like', 'i_like', 'similar_to'],
  ...['regexp_like', 'regexp_i_like', 'in', 'between', 'is_null', 'is_true', 'is_false', 'is', 'is_nan'],
  ...['is_inf', 'starts_with', 'ends_with', 'contains', 'array_contains', 'array_overlaps', 'equal_null'],
  ...['map_contains_key', 'array_any', 'array_all', 'any', 'all', 'xor'],
]);

/** Refuses what is neither true nor false. */
function checkCondition(node: unknown): void {
  const kind = kindOf(node) ?? '';
  const within = conditionsWithin(kind, contentOf(node, kind));
  if (within === null) refuseCondition(node, kind);
  for (const condition of within) checkCondition(condition);
}

/** What must be conditions for the node to be one, or null where it can be none. */
function conditionsWithin(kind: string, content: SyntaxNode): readonly unknown[] | null {
  if (conditionKinds.has(kind) || kind === 'boolean') return [];
  if (kind === 'paren' || kind === 'not') return [content.this];
  if (kind === 'and' || kind === 'or') return [content.left, content.right];
  if (kind === 'function' && booleanFunction.test(String(content.name))) return [];
  if (kind === 'cast' || kind === 'try_cast' || kind === 'safe_cast')
    return isObject(content.to) && content.to.data_type === 'boolean' ? [] : null;
  if (kind === 'if_func') return [content.true_value, content.false_value].filter(isPresent);
  if (kind === 'coalesce' && Array.isArray(content.expressions)) return content.expressions;
  if (kind === 'case' && Array.isArray(content.whens)) {
    const results = content.whens.map((branch) => (Array.isArray(branch) ? branch[1] : null));
    return [...results, content.else_].filter(isPresent);
  }
  return null;
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function refuseCondition(node: unknown, kind: string): never {
  const text = isObject(node) && kind !== '' ? writeNode(node) : '';
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  if (kind === 'column')
    refuse(`${shown} is not a condition: compare it, as in ${shown} = 'HIGH' or ${shown} IS NOT NULL.`);
  refuse(`${shown} is not a condition: write a comparison, as in priority = 'HIGH' AND quantity > 10.`);
}
