import type { DuckDBConnection } from '@duckdb/node-api';
import { isObject } from '../../shared/json.ts';
import { WarehouseError } from '../warehouse.ts';
import { readStatement, type TreeNode } from './tree.ts';

/**
 * A statement as DuckDB writes it.
 * @throws WarehouseError STATEMENT_FAILED where DuckDB would not read the same again.
 */
export async function writeStatement(connection: DuckDBConnection, statement: TreeNode): Promise<string> {
  const serialized = JSON.stringify({ error: false, statements: [statement] });
  const reader = await connection.runAndReadAll('SELECT json_deserialize_sql($1::JSON)', [serialized]);
  const sql = String(reader.getRows()[0]?.[0]);
  if (!isSameTree(await readStatement(connection, sql), statement))
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'The statement cannot be written again as it was read: simplify it.',
    );
  return sql;
}

function isSameTree(one: unknown, other: unknown): boolean {
  const [left, right] = [unwrapValues(one), unwrapValues(other)];
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => isSameTree(item, right[index]));
  if (!isObject(left) || !isObject(right)) return left === right;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every(
    (key) => DERIVED.has(key) || isSameTree(inOrder(key, left[key]), inOrder(key, right[key])),
  );
}

/** DuckDB does not keep the order of replaced columns. */
function inOrder(key: string, value: unknown): unknown {
  if (key !== 'replace_list' || !Array.isArray(value)) return value;
  const readKey = (entry: unknown) => (isObject(entry) ? String(entry.key) : '');
  return value.toSorted((left, right) => (readKey(left) < readKey(right) ? -1 : 1));
}

/** Where words stand, and in which order parameters are met. */
const DERIVED: ReadonlySet<string> = new Set(['query_location', 'named_param_map']);

/** Each time that DuckDB writes VALUES, it puts them into one more sub-query. */
function unwrapValues(value: unknown): unknown {
  if (!isObject(value) || value.type !== 'SUBQUERY' || value.alias !== VALUES_ALIAS) return value;
  const query = isObject(value.subquery) && isObject(value.subquery.node) ? value.subquery.node : {};
  const source = query.from_table;
  return isObject(source) && source.alias === VALUES_ALIAS ? unwrapValues(source) : value;
}

const VALUES_ALIAS = 'valueslist';

/** Reads what the engine calls a column that is this expression. */
export async function readColumnName(connection: DuckDBConnection, expression: TreeNode): Promise<string> {
  const select = await readStatement(connection, 'SELECT 1');
  const node = isObject(select.node) ? { ...select.node, select_list: [expression] } : {};
  const sql = await writeStatement(connection, { ...select, node });
  return sql.replace(/^SELECT /, '');
}
