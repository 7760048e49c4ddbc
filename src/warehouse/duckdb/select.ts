import { type DuckDBConnection, type DuckDBPreparedStatement, StatementType } from '@duckdb/node-api';
import { asciiLowerCase } from '../../shared/ascii-case.ts';
import { isObject } from '../../shared/json.ts';
import { fileLikeName } from '../../sql-check/statement-rules.ts';
import { type TableName, WarehouseError } from '../warehouse.ts';
import { MACRO_NAMES } from './dialect/macros.ts';
import { SCALAR_NAMES } from './dialect/scalar-functions.ts';
import { duckDbFunctions, duckDbTableFunctions } from './functions.ts';
import { readStatement, type TreeNode } from './tree.ts';

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
  const known = new Set(tables.map(({ catalog, schema, table }) => toKey(catalog, schema, table)));
  checkPart(await readStatement(connection, sql), known, new Set());
  const prepared = await connection.prepare(sql);
  if (prepared.statementType === StatementType.SELECT) return prepared;
  prepared.destroySync();
  throw refusal();
}

function refusal(what?: string): WarehouseError {
  const reason = what === undefined ? 'Only a SELECT can run here.' : `${what} cannot be used here.`;
  return new WarehouseError('STATEMENT_FAILED', reason);
}

/** Checks a part of a statement, in which the names of a WITH can be seen that stand before it or around it. */
function checkPart(part: unknown, known: ReadonlySet<string>, visible: ReadonlySet<string>): void {
  if (Array.isArray(part)) {
    for (const item of part) checkPart(item, known, visible);
  } else if (isObject(part)) {
    checkNode(part, known, visible);
    checkWithin(part, known, visible);
  }
}

function checkWithin(node: TreeNode, known: ReadonlySet<string>, outer: ReadonlySet<string>): void {
  const visible = new Set(outer);
  for (const entry of listCtes(node)) {
    checkPart(entry.value, known, visible);
    visible.add(asciiLowerCase(String(entry.key)));
  }
  for (const [key, inner] of Object.entries(node)) {
    if (key === 'cte_map') continue;
    // A query that calls itself does so behind its UNION alone.
    const isRecursive = node.type === 'RECURSIVE_CTE_NODE' && key === 'right';
    checkPart(
      inner,
      known,
      isRecursive ? new Set([...visible, asciiLowerCase(String(node.cte_name))]) : visible,
    );
  }
}

function listCtes(node: TreeNode): readonly TreeNode[] {
  const map = isObject(node.cte_map) ? node.cte_map.map : [];
  return Array.isArray(map) ? map.filter(isObject) : [];
}

const queryKinds: ReadonlySet<unknown> = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE']);

const tableKinds: ReadonlySet<unknown> = new Set([
  ...['BASE_TABLE', 'SUBQUERY', 'JOIN', 'TABLE_FUNCTION', 'EXPRESSION_LIST', 'EMPTY', 'PIVOT'],
]);

const expressionKinds: ReadonlySet<unknown> = new Set([
  ...[
    'CONSTANT',
    'PARAMETER',
    'COLUMN_REF',
    'POSITIONAL_REFERENCE',
    'STAR',
    'COMPARISON',
    'CONJUNCTION',
    'BETWEEN',
  ],
  ...['OPERATOR', 'CASE', 'COLLATE', 'CAST', 'LAMBDA', 'SUBQUERY', 'WINDOW', 'FUNCTION'],
]);

function checkNode(node: TreeNode, known: ReadonlySet<string>, visible: ReadonlySet<string>): void {
  if (isObject(node.from_table) && !tableKinds.has(node.from_table.type)) throw refusal();
  if (isObject(node.node) && !queryKinds.has(node.node.type)) throw refusal();
  if (node.type === 'SHOW_REF') throw refusal();
  if (typeof node.class === 'string' && !expressionKinds.has(node.class))
    throw refusal('An expression of this kind');
  if (node.class === 'STAR' && node.columns === true) throw refusal('The function columns');
  // The engine casts JSON to it in as many steps within each other as it is deep, and thousands end the process.
  if (node.id === 'VARIANT') throw refusal('A cast to VARIANT');
  if (node.type === 'BASE_TABLE') {
    const [catalog, schema, table] = [node.catalog_name, node.schema_name, node.table_name].map(String);
    const isOfWith =
      !catalog && !schema && visible.has(asciiLowerCase(table ?? '')) && !fileLikeName.test(table ?? '');
    if (!isOfWith && !known.has(toKey(catalog, schema, table))) throw refusal(`The table ${table}`);
  }
  if (node.type === 'TABLE_FUNCTION') {
    const name = isObject(node.function) ? asciiLowerCase(String(node.function.function_name)) : '';
    if (!duckDbTableFunctions.has(name)) throw refusal(`The function ${name}`);
  }
  if (typeof node.function_name === 'string') checkFunction(node.function_name, node.schema, node.catalog);
}

function checkFunction(name: string, schema: unknown, catalog: unknown): void {
  const isBuiltIn = (schema === '' || schema === 'main') && catalog === '';
  if (!isBuiltIn || !isAllowed(asciiLowerCase(name))) throw refusal(`The function ${name}`);
}

const ownFunctions: ReadonlySet<string> = new Set([...MACRO_NAMES, ...SCALAR_NAMES]);

function isAllowed(name: string): boolean {
  return duckDbFunctions.has(name) || ownFunctions.has(name);
}

function toKey(...parts: readonly (string | undefined)[]): string {
  return asciiLowerCase(parts.join('.'));
}
