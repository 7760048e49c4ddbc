import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import type { TableName } from '../warehouse/warehouse.ts';
import { checkCondition, clauseBeside } from './filter-condition.ts';
import { type GeneratedStatement, generateStatement } from './generated-statement.ts';
import { plainText } from './plain-text.ts';
import { type Refusal, refusalOf, refuse } from './refusal.ts';
import { resolveRelations } from './relation-names.ts';
import { changingFunction, fileLikeName } from './statement-rules.ts';
import { type Findings, isQuery, readTree } from './statement-tree.ts';
import {
  callsAny,
  checkCalls,
  checkFirstWord,
  checkReading,
  checkWordsSent,
  maxStatementBytes,
  readWords,
  type Subject,
  withoutClosingSemicolon,
} from './statement-words.ts';
import { contentOf, parseStatements, readTokens, writeNode } from './syntax-tree.ts';

export type { Refusal } from './refusal.ts';
export { maxStatementBytes, maxStatementTokens } from './statement-words.ts';

export interface CheckedQuery {
  readonly ok: true;
  /** The statement, written anew from its syntax tree in the Databricks dialect: fit to be nested. */
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

/** Checks that a text is exactly one SELECT of the Databricks dialect that only reads tables by their full names. */
export function checkQuery(sql: string, maxBytes = maxStatementBytes): CheckedQuery | Refusal {
  return refusalOf(() => {
    const words = readWords(sql, 'query', maxBytes);
    const tokens = withoutClosingSemicolon(words);
    checkFirstWord(tokens);
    const parsed = parseStatements(plainText(sql, words));
    if (!parsed.ok) refuse(parseMessage('query', parsed.message, parsed.line, parsed.column));
    const [statement, ...others] = parsed.statements;
    if (statement === undefined) refuse('The query is empty: write one SELECT.');
    if (others.length > 0 || tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('Only one statement can run: remove what follows the first semicolon.');
    if (!isQuery(statement)) refuse('Only a SELECT can run here.');
    checkCalls(tokens, readTree(statement).aliases);
    checkReading(tokens);
    const resolved = resolveRelations(statement);
    const tables = checkedTables(resolved.tables);
    const generated = generateStatement(resolved.statement);
    const found = checkGenerated(generated, tables);
    return {
      ok: true,
      sql: generated.sql,
      parameterNames: found.parameterNames,
      tables,
      repeatable: !found.sampled && !callsAny(tokens, changingFunction),
    };
  });
}

/** Checks that a text is exactly one condition on the columns of one table, in the Databricks dialect. */
export function checkFilter(filter: string): CheckedFilter | Refusal {
  return refusalOf(() => {
    const tokens = readWords(filter, 'filter', maxStatementBytes);
    if (tokens.length === 0) refuse("The filter is empty: write one condition, as in priority = 'HIGH'.");
    if (tokens.some((token) => token.hasComment || token.kind === 'HINT'))
      refuse('A filter cannot hold a comment: remove it.');
    if (tokens.some((token) => token.kind === 'SEMICOLON'))
      refuse('A filter is one condition: remove the semicolon and what follows it.');
    const parsed = parseStatements(`SELECT * FROM ${FILTERED} WHERE\n${plainText(filter, tokens)}`);
    if (!parsed.ok) refuse(parseMessage('filter', parsed.message, parsed.line - 1, parsed.column));
    const [statement, ...others] = parsed.statements;
    const select = contentOf(statement, 'select');
    const where = isObject(select.where_clause) ? select.where_clause : {};
    const condition = where.this;
    if (statement === undefined || others.length > 0 || !isObject(condition))
      refuse('A filter is one condition on the columns of the table, not a query.');
    const clause = clauseBeside(select);
    if (clause !== null)
      refuse(`A filter is one condition: ${clause} cannot follow it. Remove it, or use a query job.`);
    checkCalls(tokens, new Map());
    const [parameter] = readTree(statement).parameterNames;
    if (parameter !== undefined)
      refuse(`A filter has no parameters: write the value itself instead of :${parameter}.`);
    checkCondition(condition);
    checkGenerated(generateStatement(statement), checkedTables(resolveRelations(statement).tables));
    return { ok: true, sql: `(${writeNode(condition)})` };
  });
}

/** The table that stands for that of a filter while it is checked. */
const FILTERED = 'catalog.schema.filtered';

/** Quotes a name so that it is read as a name whatever it holds, in the Databricks dialect. */
export function quoteIdentifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** The three parts of a table's name, quoted, in the Databricks dialect. */
export function qualifiedName(table: TableName): string {
  return [table.catalog, table.schema, table.table].map(quoteIdentifier).join('.');
}

function parseMessage(subject: Subject, message: string, line: number, column: number): string {
  if (/E_GUARD|call stack/.test(message))
    return `The ${subject} is too deeply nested or too long: make it simpler.`;
  return `The ${subject} cannot be understood at line ${Math.max(line, 1)}, column ${column}: ${message}`;
}

/** Checks what is sent as if somebody had written it: nothing that the writer does can get past. */
function checkGenerated({ sql, statement }: GeneratedStatement, tables: readonly TableName[]): Findings {
  const tokens = readTokens(sql) ?? refuse('The query cannot be read once it is written anew: simplify it.');
  const found = readTree(statement);
  checkCalls(tokens, found.aliases);
  checkWordsSent(tokens);
  const read = checkedTables(resolveRelations(statement).tables);
  if (JSON.stringify(read) !== JSON.stringify(tables))
    refuse('The query reads other tables once it is written anew: simplify it.');
  return found;
}

function checkedTables(named: readonly (readonly string[])[]): TableName[] {
  const tables = new Map<string, TableName>();
  for (const parts of named) {
    const [catalog, schema, table] = parts;
    if (parts.some((part) => fileLikeName.test(part)))
      refuse('Files cannot be read by a query: name a table as catalog.schema.table.');
    if (parts.length !== 3 || catalog === undefined || schema === undefined || table === undefined)
      refuse(`${parts.join('.')} is not the full name of a table: write it as catalog.schema.table.`);
    tables.set(asciiLowerCase(parts.join('.')), { catalog, schema, table });
  }
  return [...tables.values()];
}
