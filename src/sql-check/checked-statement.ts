import {
  type AllowedTable,
  type CheckedSql,
  type CheckedStatement,
  type PartRange,
  type SelectStatement,
  type TableName,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import { findSchemaProblem, type SchemaPattern } from './allowed-schemas.ts';
import { quoteIdentifier, quoteTable } from './quoted-name.ts';
import { fileLikeName } from './statement-rules.ts';
import { findWholeTable } from './whole-table.ts';

// Only this file and parse-statement.ts cast to what a warehouse takes.

/**
 * Returns a table as one that may be read.
 * @throws WarehouseError STATEMENT_FAILED if it is outside of the allowed schemas.
 */
export function allowTable(table: TableName, allowedSchemas: readonly SchemaPattern[]): AllowedTable {
  const { catalog, schema, table: name } = table;
  const isFile = [catalog, schema, name].some((part) => fileLikeName.test(part));
  const problem = isFile
    ? `${name} looks like a file: name a table.`
    : findSchemaProblem(table, allowedSchemas);
  if (problem !== null) throw new WarehouseError('STATEMENT_FAILED', problem);
  return { catalog, schema, table: name } as AllowedTable;
}

/**
 * Composes SQL of the program's own text and of checked parts, which needs no parser. Write what is stored as the check
 * would: the position of a read is lost if a later attempt reads another text.
 */
export function compose(
  text: TemplateStringsArray,
  ...parts: readonly (CheckedSql | AllowedTable | number)[]
): CheckedSql {
  const checked = parts.map((part) => {
    if (typeof part === 'number') return toPart(String(part));
    return 'sql' in part ? part : toPart(quoteTable(part), { tables: [part] });
  });
  return toPart(String.raw({ raw: text }, ...checked.map(({ sql }) => sql)), {
    parameters: Object.assign({}, ...checked.map(({ parameters }) => parameters)),
    tables: checked.flatMap(({ tables }) => tables),
    isRepeatable: checked.every(({ isRepeatable }) => isRepeatable),
  });
}

/** Composes a whole SELECT. */
export function composeStatement(...given: Parameters<typeof compose>): CheckedStatement {
  return { ...compose(...given), withUnreadable: false, parts: null } as CheckedStatement;
}

/**
 * Recognizes a stored statement that selects everything of a table, as those of most syncs do: that needs no parser.
 * @returns null for any other statement.
 * @throws as `allowTable`.
 */
export function recognizeStatement(
  { sql, withUnreadable = false, parts = null }: SelectStatement,
  allowedSchemas: readonly SchemaPattern[],
): CheckedStatement | null {
  const table = findWholeTable(sql);
  if (table === null) return null;
  const whole = composeStatement`SELECT * FROM ${allowTable(table, allowedSchemas)}`;
  const range = checkParts(parts);
  const statement = range === null ? whole : readParts(whole, range);
  return withUnreadable ? includeUnreadable(statement) : statement;
}

/** Adds the lines that are not rows to what a statement returns. */
export function includeUnreadable(statement: CheckedStatement): CheckedStatement {
  return { ...statement, withUnreadable: true } as CheckedStatement;
}

/** Checks stored parts. @throws Error if they are no range. */
export function checkParts(parts: PartRange | null): PartRange | null {
  if (parts === null) return null;
  const { first, end } = parts;
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || first < 0 || end <= first)
    throw new Error('the parts of a statement are no range');
  return { first, end };
}

/** Has a statement read some of the parts of its only table. */
export function readParts(statement: CheckedStatement, parts: PartRange): CheckedStatement {
  return { ...statement, parts } as CheckedStatement;
}

/** Writes a column by its name. */
export function composeName(name: string): CheckedSql {
  return toPart(quoteIdentifier(name));
}

/** Writes a type that has at most two numbers, as in `DECIMAL(5,2)`. */
export function composeType(type: string): CheckedSql {
  if (!/^[A-Z_]+(\(\d+(, ?\d+)?\))?$/.test(type)) throw new Error(`${type} is not a type with numbers`);
  return toPart(type.replace(/, ?/, ', '));
}

/** Writes a text of the program that needs no escapes. */
export function composeText(text: string): CheckedSql {
  if (/['\\\0]/.test(text)) throw new Error(`${text} needs escapes`);
  return toPart(`'${text}'`);
}

/** Writes a parameter and binds its value. */
export function bindParameter(
  name: 'low' | 'high' | 'latest' | 'mark' | 'after_bucket' | 'last_bucket' | 'white_space',
  value: string,
): CheckedSql {
  return toPart(`:${name}`, { parameters: { [name]: value } });
}

function toPart(sql: string, found: Partial<Omit<CheckedSql, 'sql'>> = {}): CheckedSql {
  return { sql, parameters: {}, tables: [], isRepeatable: true, ...found } as CheckedSql;
}
