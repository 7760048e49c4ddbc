import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import { fileLikeName, forbiddenFunction } from '../../sql-check/statement-rules.ts';
import { visitTree } from '../../sql-check/syntax-tree.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';

/**
 * Prepares a statement of the DuckDB dialect where DuckDB itself takes it for one SELECT of these tables. A wall of its
 * own behind the check of the Databricks statement: whatever that parser may have overlooked, this one is the engine's.
 * The engine could write within its folder by COPY, which is no SELECT, and read any file there by a function or by a
 * file's name in the place of a table, none of which is let through.
 * @throws WarehouseError STATEMENT_FAILED where it is anything else.
 */
export async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
  tables: readonly TableName[],
): Promise<DuckDBPreparedStatement> {
  checkTree(await syntaxTreeOf(connection, sql), tables);
  const prepared = await connection.prepare(sql);
  if (prepared.statementType === StatementType.SELECT) return prepared;
  prepared.destroySync();
  throw refusal();
}

function refusal(what?: string): WarehouseError {
  const reason = what === undefined ? 'Only a SELECT can run here.' : `${what} cannot be used here.`;
  return new WarehouseError('STATEMENT_FAILED', reason);
}

/** The statement as DuckDB reads it. It gives this for SELECT alone. */
async function syntaxTreeOf(connection: DuckDBConnection, sql: string): Promise<unknown> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const tree: unknown = JSON.parse(String(reader.getRows()[0]?.[0] ?? 'null'));
  if (!isObject(tree) || !Array.isArray(tree.statements) || tree.statements.length !== 1) {
    const isSyntaxError = isObject(tree) && tree.error_type === 'parser';
    throw isSyntaxError
      ? new WarehouseError('STATEMENT_FAILED', `The statement cannot be understood: ${tree.error_message}`)
      : refusal();
  }
  return tree.statements;
}

function checkTree(statements: unknown, tables: readonly TableName[]): void {
  const known = new Set(tables.map(({ catalog, schema, table }) => keyOf(catalog, schema, table)));
  const withNames = new Set<unknown>();
  visitTree(statements, (key, value) => {
    if (key === 'cte_map' && isObject(value) && Array.isArray(value.map))
      for (const entry of value.map)
        withNames.add(isObject(entry) ? asciiLowerCase(String(entry.key)) : null);
    // A query that calls itself bears its name in the node.
    if (key === 'cte_name') withNames.add(asciiLowerCase(String(value)));
  });
  visitTree({ root: statements }, (_key, value) => {
    for (const node of Array.isArray(value) ? value : [value])
      if (isObject(node)) checkNode(node, known, withNames);
  });
}

const calledAsTable: ReadonlySet<string> = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
]);

const tableKinds: ReadonlySet<unknown> = new Set([
  ...['BASE_TABLE', 'SUBQUERY', 'JOIN', 'TABLE_FUNCTION', 'EXPRESSION_LIST', 'CTE', 'EMPTY', 'PIVOT'],
]);

function checkNode(
  node: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  withNames: ReadonlySet<unknown>,
): void {
  if (isObject(node.from_table) && !tableKinds.has(node.from_table.type)) throw refusal();
  if (node.type === 'SHOW_REF') throw refusal();
  // The engine casts JSON to it in as many steps within each other as it is deep, and thousands end the process.
  if (node.id === 'VARIANT') throw refusal('A cast to VARIANT');
  if (node.type === 'BASE_TABLE') {
    const [catalog, schema, table] = [node.catalog_name, node.schema_name, node.table_name].map(String);
    const isOfWith =
      !catalog && !schema && withNames.has(asciiLowerCase(table ?? '')) && !fileLikeName.test(table ?? '');
    if (!isOfWith && !known.has(keyOf(catalog, schema, table))) throw refusal(`The table ${table}`);
  }
  if (node.type === 'TABLE_FUNCTION') {
    const name = isObject(node.function) ? asciiLowerCase(String(node.function.function_name)) : '';
    if (!calledAsTable.has(name)) throw refusal(`The function ${name}`);
  }
  if (typeof node.function_name === 'string' && forbiddenFunction.test(node.function_name))
    throw refusal(`The function ${node.function_name}`);
}

function keyOf(...parts: readonly (string | undefined)[]): string {
  return asciiLowerCase(parts.join('.'));
}
