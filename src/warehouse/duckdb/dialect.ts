import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { KNOWN_FUNCTIONS } from '../../sql-check/known-functions.ts';
import { parseStatements, readTokens, type SyntaxNode, type Token } from '../../sql-check/syntax-tree.ts';
import type { ParameterValue } from '../warehouse.ts';
import { FUNCTIONS } from './dialect/functions.ts';
import { readRefusal } from './dialect/refused.ts';
import type { TableTypes } from './dialect/scope.ts';
import { Writer } from './dialect/writer.ts';

/** What is known of what a statement reads. */
export interface StatementTypes {
  /** The values of its parameters; only their types matter here. */
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  /** The columns of its tables with their types, by the names of the tables in lower case. */
  readonly tables?: TableTypes;
}

/**
 * Translates a checked statement from the Databricks dialect to that of DuckDB, with parameters as `$name`, so that it gives
 * the values that Databricks gives.
 * @throws WarehouseError STATEMENT_FAILED, with the name of what is not available on the folder warehouse.
 */
export function toDuckDbSql(sql: string, types: StatementTypes = {}): string {
  return createWriter(types).query(parse(sql)).sql;
}

/**
 * Translates a checked statement on tables whose columns are described only if their types decide on how.
 * @throws as `toDuckDbSql` and `describeTables`.
 */
export async function translateOnTables(
  sql: string,
  parameters: Readonly<Record<string, ParameterValue>>,
  describeTables: () => Promise<TableTypes>,
): Promise<string> {
  const statement = parse(sql);
  const writer = createWriter({ parameters });
  try {
    const { sql: translated } = writer.query(statement);
    const dependsOnTypes = writer.hasUnknownColumns && TYPE_DEPENDENT.test(translated);
    if (!dependsOnTypes && !writer.hasUnknownNames) return translated;
  } catch (error) {
    if (!writer.hasUnknownColumns && !writer.hasUnknownNames) throw error;
  }
  return createWriter({ parameters, tables: await describeTables() }).query(statement).sql;
}

/** What is written differently, or refused, by the types of its operands. */
const TYPE_DEPENDENT =
  /\bspark_|\b(?:CASE|UNION|INTERSECT|EXCEPT|coalesce|greatest|least|sum|first|last)\b| [+-] /;

/**
 * Finds what the folder warehouse refuses in a checked statement, as far as that does not depend on its tables.
 * @returns the reason, or null.
 */
export function findFolderProblem(sql: string): string | null {
  const writer = createWriter({});
  try {
    writer.query(parse(sql));
    return null;
  } catch (error) {
    const refusal = readRefusal(error);
    return refusal !== null && (refusal.isCertain || !(writer.hasUnknownColumns || writer.hasUnknownNames))
      ? refusal.message
      : null;
  }
}

/** Finds the functions that the check accepts and the folder warehouse does not have. */
export function findMissingFunctions(): readonly string[] {
  return [...KNOWN_FUNCTIONS].filter((name) => !FUNCTIONS.has(name) && !OTHER_FORMS.has(name));
}

/** What the parser reads as something other than a call, or the writer as a table. */
const OTHER_FORMS: ReadonlySet<string> = new Set([
  ...[
    'cast',
    'try_cast',
    'explode',
    'explode_outer',
    'posexplode',
    'posexplode_outer',
    'inline',
    'inline_outer',
  ],
  ...['stack', 'json_tuple', 'range'],
]);

function createWriter({ parameters = {}, tables = new Map() }: StatementTypes): Writer {
  return new Writer(parameters, tables);
}

function parse(sql: string): SyntaxNode {
  const parsed = parseStatements(markCalls(sql));
  const statement = parsed.ok ? parsed.statements[0] : undefined;
  if (statement === undefined) throw new Error('the statement cannot be parsed');
  return statement;
}

/** Marks the name of each function, so that the parser reads all of them as plain calls. */
function markCalls(sql: string): string {
  const tokens = readTokens(sql) ?? [];
  const characters = Array.from(sql);
  for (let index = tokens.length - 2; index >= 0; index -= 1) {
    const token = tokens[index];
    if (token === undefined || !isCall(tokens, index)) continue;
    characters.splice(token.start, token.end - token.start, `spark_${asciiLowerCase(token.text)}`);
  }
  return characters.join('');
}

/** Functions with words among their arguments. */
const SPECIAL: ReadonlySet<string> = new Set(['cast', 'try_cast', 'extract', 'struct']);

function isCall(tokens: readonly Token[], index: number): boolean {
  const [before, token, open, after] = [
    tokens[index - 1],
    tokens[index],
    tokens[index + 1],
    tokens[index + 2],
  ];
  if (token === undefined || open?.kind !== 'L_PAREN' || /STRING|QUOTED|NUMBER/.test(token.kind))
    return false;
  const word = asciiLowerCase(token.text);
  if (!KNOWN_FUNCTIONS.has(word) || SPECIAL.has(word) || before?.kind === 'DOT') return false;
  const previous = asciiLowerCase(before?.text ?? '');
  switch (word) {
    case 'filter':
      return asciiLowerCase(after?.text ?? '') !== 'where';
    case 'exists':
      return !/^(?:select|with|\()$/.test(asciiLowerCase(after?.text ?? ''));
    case 'any':
    case 'some':
      return !/^(?:like|ilike|[=<>]+|!=)$/.test(previous);
    case 'like':
    case 'ilike':
    case 'rlike':
    case 'regexp':
    case 'div':
      return /^(?:select|distinct|where|and|or|not|on|when|then|else|case|by|having|qualify|[(,=<>+\-*/%])$/.test(
        previous,
      );
    case 'trim':
      return (
        !/^(?:both|leading|trailing)$/.test(asciiLowerCase(after?.text ?? '')) &&
        !holdsWord(tokens, index + 1, 'from')
      );
    case 'overlay':
      return !holdsWord(tokens, index + 1, 'placing');
    case 'position':
      return !holdsWord(tokens, index + 1, 'in');
    case 'substring':
    case 'substr':
      return !holdsWord(tokens, index + 1, 'from');
    case 'decimal':
    case 'dec':
    case 'numeric':
    case 'varchar':
    case 'char':
    case 'character':
      return !/^(?:as|<|,|:|::|\()$/.test(previous) || previous === ',' || previous === '('
        ? !isWithinType(tokens, index)
        : false;
    default:
      return true;
  }
}

/** Whether a word stands directly within the parentheses that open at a place. */
function holdsWord(tokens: readonly Token[], open: number, word: string): boolean {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (token?.kind === 'L_PAREN') depth += 1;
    if (token?.kind === 'R_PAREN') depth -= 1;
    if (depth === 0) return false;
    if (
      depth === 1 &&
      token !== undefined &&
      !/STRING|QUOTED/.test(token.kind) &&
      asciiLowerCase(token.text) === word
    )
      return true;
  }
  return false;
}

/** Whether a word is the name of a type within a CAST. */
function isWithinType(tokens: readonly Token[], index: number): boolean {
  for (let place = index - 1; place >= 0; place -= 1) {
    const text = asciiLowerCase(tokens[place]?.text ?? '');
    if (text === 'as' || text === '::') return true;
    if (text === '(' || text === ')' || text === 'select') return false;
  }
  return false;
}
