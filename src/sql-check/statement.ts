import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import { createRecentResults } from '../shared/recent-results.ts';
import type { TableName } from '../warehouse/warehouse.ts';
import { checkCondition, findExtraClause } from './filter-condition.ts';
import { type GeneratedStatement, generateStatement } from './generated-statement.ts';
import { toPlainText } from './plain-text.ts';
import { catchRefusal, type Refusal, refuse } from './refusal.ts';
import { resolveRelations } from './relation-names.ts';
import { findUnreadConstruct } from './respelling.ts';
import { CHANGING_FUNCTION, fileLikeName } from './statement-rules.ts';
import { type Findings, isQuery, readTree } from './statement-tree.ts';
import {
  callsAny,
  checkCalls,
  checkFirstWord,
  checkReading,
  checkWordsSent,
  dropClosingSemicolon,
  MAX_STATEMENT_BYTES,
  readWords,
  type Subject,
} from './statement-words.ts';
import { getContent, type ParsedText, parseStatements, readTokens } from './syntax-tree.ts';
import { restoreShifts } from './unsigned-shift.ts';

export type { Refusal } from './refusal.ts';
export {
  MAX_STATEMENT_BYTES,
  MAX_STATEMENT_TOKENS,
} from './statement-words.ts';

export interface CheckedQuery {
  readonly ok: true;
  /** The statement, generated from its syntax tree in the Databricks dialect; it can be nested in another. */
  readonly sql: string;
  /** The distinct named parameters without colons, sorted. */
  readonly parameterNames: readonly string[];
  /** The distinct tables it reads, in order of appearance. */
  readonly tables: readonly TableName[];
  /** False if it samples, or calls a function whose result changes each time, such as `rand()` or `now()`. */
  readonly isRepeatable: boolean;
}

export interface CheckedFilter {
  readonly ok: true;
  /** The condition, generated in the Databricks dialect, in parentheses. */
  readonly sql: string;
  /** False if it calls a function whose result changes each time. */
  readonly isRepeatable: boolean;
}

/** Checks that a text is exactly one SELECT in the Databricks dialect that only reads tables, by their full names. */
export function checkQuery(sql: string, maxBytes = MAX_STATEMENT_BYTES): CheckedQuery | Refusal {
  // What is kept is far shorter than any limit.
  const known = checkedLast.get(sql);
  if (known !== undefined) return known;
  const checked = checkNewQuery(sql, maxBytes);
  checkedLast.keep(sql, checked);
  return checked;
}

/** People send the same query again and again, and each is checked when it is sent and again before it runs. */
const checkedLast = createRecentResults<CheckedQuery | Refusal>();

function checkNewQuery(sql: string, maxBytes: number): CheckedQuery | Refusal {
  return catchRefusal(() => {
    const words = readWords(sql, 'query', maxBytes);
    const tokens = dropClosingSemicolon(words.tokens);
    const unread = findUnreadConstruct(tokens);
    if (unread !== null) refuse(unread);
    checkFirstWord(tokens);
    const parsed = parsePlainText(toPlainText(words.text, words.tokens));
    if (!parsed.ok) refuse(describeParseError('query', parsed.message, parsed.line, parsed.column));
    const [statement, ...others] = parsed.statements;
    if (statement === undefined) refuse('The query is empty: write one SELECT.');
    if (others.length > 0 || tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('Only one statement can run: remove what follows the first semicolon.');
    if (!isQuery(statement)) refuse('Only a SELECT can run here.');
    checkCalls(tokens, readTree(statement).aliases);
    checkReading(tokens);
    const resolved = resolveRelations(statement);
    const tables = toTables(resolved.tables);
    const generated = generateStatement(resolved.statement);
    const found = checkGenerated(generated, tables);
    return {
      ok: true,
      sql: generated.sql,
      parameterNames: found.parameterNames,
      tables,
      isRepeatable: !found.isSampled && !callsAny(tokens, CHANGING_FUNCTION),
    };
  });
}

/** Checks that a text is exactly one condition on the columns of one table, in the Databricks dialect. */
export function checkFilter(filter: string): CheckedFilter | Refusal {
  return catchRefusal(() => {
    const { tokens, text, hasComments } = readWords(filter, 'filter', MAX_STATEMENT_BYTES);
    if (tokens.length === 0) refuse("The filter is empty: write one condition, as in priority = 'HIGH'.");
    if (hasComments) refuse('A filter cannot contain a comment: remove it.');
    if (tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('A filter must be one condition: remove the semicolon and what follows it.');
    const unread = findUnreadConstruct(tokens);
    if (unread !== null) refuse(unread);
    const parsed = parsePlainText(`${BEFORE_FILTER}\n${toPlainText(text, tokens)}`);
    if (!parsed.ok) refuse(describeParseError('filter', parsed.message, parsed.line - 1, parsed.column));
    const [statement, ...others] = parsed.statements;
    const select = getContent(statement, 'select');
    const where = isObject(select.where_clause) ? select.where_clause : {};
    const condition = where.this;
    if (statement === undefined || others.length > 0 || !isObject(condition))
      refuse('A filter must be one condition on the columns of the table, not a query.');
    const clause = findExtraClause(select);
    if (clause !== null) refuse(`A filter must be one condition: remove ${clause}, or use a query job.`);
    checkCalls(tokens, new Map());
    const [parameter] = readTree(statement).parameterNames;
    if (parameter !== undefined)
      refuse(`A filter cannot have parameters: write the value itself instead of :${parameter}.`);
    checkCondition(condition);
    const generated = generateStatement(statement);
    checkGenerated(generated, toTables(resolveRelations(statement).tables));
    if (!generated.sql.startsWith(BEFORE_FILTER)) refuse('The filter cannot be read again: simplify it.');
    const sql = `(${generated.sql.slice(BEFORE_FILTER.length)})`;
    return { ok: true, sql, isRepeatable: !callsAny(tokens, CHANGING_FUNCTION) };
  });
}

/** Parses a statement that is spelled as the parser reads it. */
function parsePlainText(text: string): ParsedText {
  const parsed = parseStatements(text);
  return parsed.ok ? { ...parsed, statements: parsed.statements.map(restoreShifts) } : parsed;
}

/** The SELECT that a checked filter stands for, of a table that is only a placeholder. */
export function selectFiltered(filter: string): string {
  return `${BEFORE_FILTER}${filter}`;
}

/** What precedes a filter during the check, as the generator writes it; the table is a placeholder. */
const BEFORE_FILTER = 'SELECT * FROM `catalog`.`schema`.`filtered` WHERE ';

function describeParseError(subject: Subject, message: string, line: number, column: number): string {
  if (/E_GUARD|call stack/.test(message))
    return `The ${subject} is too deeply nested or too long: simplify it.`;
  return `The ${subject} cannot be understood at line ${Math.max(line, 1)}, column ${column}: ${message}`;
}

/** Checks the generated statement as if a person had written it, so that the generator cannot bypass the check. */
function checkGenerated({ sql, statement }: GeneratedStatement, tables: readonly TableName[]): Findings {
  const tokens = readTokens(sql) ?? refuse('The generated query cannot be read again: simplify the query.');
  const found = readTree(statement);
  checkCalls(tokens, found.aliases);
  checkWordsSent(tokens);
  const read = toTables(resolveRelations(statement).tables);
  if (JSON.stringify(read) !== JSON.stringify(tables))
    refuse('The generated query reads other tables: simplify the query.');
  return found;
}

function toTables(named: readonly (readonly string[])[]): TableName[] {
  const tables = new Map<string, TableName>();
  for (const parts of named) {
    const [catalog, schema, table] = parts;
    if (parts.some((part) => fileLikeName.test(part)))
      refuse('A query cannot read files: name a table as catalog.schema.table.');
    if (parts.length !== 3 || catalog === undefined || schema === undefined || table === undefined)
      refuse(`${parts.join('.')} is not the full name of a table: write it as catalog.schema.table.`);
    tables.set(asciiLowerCase(parts.join('.')), { catalog, schema, table });
  }
  return [...tables.values()];
}
