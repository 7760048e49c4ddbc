import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';

/** A function for which DuckDB has no equal, of values that are not null. */
export interface ScalarFunction {
  readonly name: string;
  readonly takes: readonly DuckDBType[];
  readonly gives: DuckDBType;
  readonly run: (...values: never[]) => DuckDBValue;
}

/** Defines a function under the name that macros and templates call. */
export function define(
  name: string,
  takes: readonly DuckDBType[],
  gives: DuckDBType,
  run: ScalarFunction['run'],
): ScalarFunction {
  return { name: `spark_js_${name}`, takes, gives, run };
}

/** Returns what work returns, or null where it fails. */
export function orNull<Value>(work: () => Value): Value | null {
  try {
    return work();
  } catch {
    return null;
  }
}
