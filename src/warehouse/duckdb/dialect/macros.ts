import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { aggregates } from './macros/aggregates.ts';
import { arrays } from './macros/arrays.ts';
import { casts } from './macros/casts.ts';
import { json } from './macros/json.ts';
import { maps } from './macros/maps.ts';
import { numbers } from './macros/numbers.ts';
import { strings } from './macros/strings.ts';
import { times } from './macros/times.ts';
import { registerScalarFunction } from './scalar-functions.ts';

const FAMILIES = [casts, numbers, strings, times, arrays, maps, json, aggregates];

const macros = new Map<string, string>();
for (const family of FAMILIES) {
  for (const statement of family.replace(/^--.*$/gm, '').split(/;\s*$/m)) {
    const name = /CREATE MACRO (\w+)/.exec(statement)?.[1];
    if (name !== undefined) macros.set(name, statement.trim());
  }
}

/** The macros that the translated statements call. */
export const MACRO_NAMES: readonly string[] = [...macros.keys()];

const created = new WeakMap<DuckDBInstance, Map<string, Promise<void>>>();

/**
 * Creates the macros that a statement calls, for all connections of the instance. To create all of them would take longer than
 * most statements.
 */
export async function createCalledMacros(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  sql: string,
): Promise<void> {
  const known = created.get(instance) ?? new Map<string, Promise<void>>();
  created.set(instance, known);
  await createCalled(connection, sql, known);
}

async function createCalled(
  connection: DuckDBConnection,
  sql: string,
  known: Map<string, Promise<void>>,
): Promise<void> {
  for (const [name] of sql.matchAll(/\bspark_\w+/g)) {
    const creating = known.get(name) ?? create(connection, name, known);
    known.set(name, creating);
    await creating;
  }
}

async function create(
  connection: DuckDBConnection,
  name: string,
  known: Map<string, Promise<void>>,
): Promise<void> {
  const statement = macros.get(name);
  if (statement === undefined) {
    registerScalarFunction(connection, name);
    return;
  }
  await createCalled(connection, statement.replace(/^CREATE MACRO \w+/, ''), known);
  await connection.run(statement);
}
