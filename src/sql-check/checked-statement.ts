import {
  type AllowedTable,
  type CheckedSql,
  type CheckedStatement,
  type ParameterValue,
  type SelectStatement,
  type TableName,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import { findSchemaProblem, type SchemaPattern } from './allowed-schemas.ts';
import { quoteIdentifier, quoteTable } from './quoted-name.ts';
import { checkFilter, checkQuery, MAX_STATEMENT_BYTES } from './statement.ts';
import { fileLikeName } from './statement-rules.ts';

// Only this file casts to what a warehouse takes.

/**
 * Parses a statement of people or of the database, and refuses all but one SELECT on allowed tables.
 * @throws WarehouseError STATEMENT_FAILED if it is refused.
 */
export function parseStatement(
  { sql, parameters, withUnreadable = false }: SelectStatement,
  allowedSchemas: readonly SchemaPattern[],
): CheckedStatement {
  // Statements that we compose around filters are a little longer.
  const checked = checkQuery(sql, 3 * MAX_STATEMENT_BYTES);
  if (!checked.ok) throw new WarehouseError('STATEMENT_FAILED', checked.message);
  const part = toPart(checked.sql, {
    parameters: pickParameters(checked.parameterNames, parameters),
    tables: checked.tables.map((table) => allowTable(table, allowedSchemas)),
    isRepeatable: checked.isRepeatable,
  });
  return { ...part, withUnreadable } as CheckedStatement;
}

/**
 * Parses the filter of a sync: one condition.
 * @throws WarehouseError STATEMENT_FAILED if it is refused.
 */
export function parseFilter(filter: string): CheckedSql {
  const checked = checkFilter(filter);
  if (!checked.ok)
    throw new WarehouseError('STATEMENT_FAILED', `the filter is no longer accepted: ${checked.message}`);
  return toPart(checked.sql, { isRepeatable: checked.isRepeatable });
}

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
  return { ...compose(...given), withUnreadable: false } as CheckedStatement;
}

/** Adds the lines that are not rows to what a statement returns. */
export function includeUnreadable(statement: CheckedStatement): CheckedStatement {
  return { ...statement, withUnreadable: true } as CheckedStatement;
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

/**
 * Picks the value of each parameter that a statement names.
 * @throws WarehouseError STATEMENT_FAILED if one has no value.
 */
function pickParameters(
  names: readonly string[],
  parameters: Readonly<Record<string, ParameterValue>>,
): Readonly<Record<string, ParameterValue>> {
  return Object.fromEntries(
    names.map((name) => {
      const value = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
      if (value === undefined)
        throw new WarehouseError('STATEMENT_FAILED', `The parameter :${name} has no value.`);
      return [name, value];
    }),
  );
}
