import type { DuckDBConnection } from '@duckdb/node-api';
import { isObject } from '../../shared/json.ts';
import { createRecentResults } from '../../shared/recent-results.ts';
import { WarehouseError } from '../warehouse.ts';

/** A node of a statement as DuckDB reads it. */
export type TreeNode = Readonly<Record<string, unknown>>;

/** The part of a node by that name; an empty one where there is none. */
export function nodeIn(node: TreeNode, key: string): TreeNode {
  const inner = node[key];
  return isObject(inner) ? inner : {};
}

/** The parts in the list of a node by that name. */
export function listIn(node: TreeNode, key: string): readonly TreeNode[] {
  const list = node[key];
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** What the last statements were read as. The engine reads the same text several times until its rows arrive. */
const lastRead = createRecentResults<TreeNode>();

/**
 * The statement as DuckDB reads it. It gives this for SELECT alone.
 * @throws WarehouseError STATEMENT_FAILED where it is no SELECT, or none that DuckDB understands.
 */
export async function readStatement(connection: DuckDBConnection, sql: string): Promise<TreeNode> {
  const known = lastRead.get(sql);
  if (known !== undefined) return known;
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const statement = parseSerialized(String(reader.getRows()[0]?.[0]));
  lastRead.keep(sql, statement);
  return statement;
}

function parseSerialized(serialized: string): TreeNode {
  const tree = parseExactly(serialized);
  const [statement, ...others] = isObject(tree) && Array.isArray(tree.statements) ? tree.statements : [];
  if (isObject(statement) && others.length === 0) return statement;
  const isSyntaxError = isObject(tree) && tree.error_type === 'parser';
  throw new WarehouseError(
    'STATEMENT_FAILED',
    isSyntaxError
      ? `The statement cannot be understood: ${tree.error_message}`
      : 'Only a SELECT can run here.',
  );
}

/** What newer engines of JavaScript have, and the types do not know of yet. */
interface ExactJson {
  parse(
    text: string,
    revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

/** Keeps numbers that JavaScript cannot hold as they are written. */
function parseExactly(text: string): unknown {
  const json = JSON as unknown as ExactJson;
  try {
    return json.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && source !== undefined && String(value) !== source
        ? json.rawJSON(source)
        : value,
    );
  } catch {
    // The engine writes a number without end as a word that is no JSON.
    throw new WarehouseError('STATEMENT_FAILED', 'The statement holds a number that is out of range.');
  }
}
