import { type DuckDBConnection, DuckDBScalarFunction } from '@duckdb/node-api';
import { bits } from './scalar-functions/bits.ts';
import type { ScalarFunction } from './scalar-functions/definition.ts';
import { digits } from './scalar-functions/digits.ts';
import { hashes } from './scalar-functions/hashes.ts';
import { json } from './scalar-functions/json.ts';
import { numbers } from './scalar-functions/numbers.ts';
import { texts } from './scalar-functions/texts.ts';
import { urls } from './scalar-functions/urls.ts';

const FAMILIES = [numbers, bits, texts, urls, digits, json, hashes];

const BY_NAME: ReadonlyMap<string, ScalarFunction> = new Map(
  FAMILIES.flat().map((definition) => [definition.name, definition]),
);

/** The names of these functions, which translated statements call. */
export const SCALAR_NAMES: readonly string[] = [...BY_NAME.keys()];

/** Creates one of the functions for which DuckDB has no equal; nothing where there is none of that name. */
export function registerScalarFunction(connection: DuckDBConnection, wanted: string): void {
  const definition = BY_NAME.get(wanted);
  if (definition === undefined) return;
  const { name, takes, gives, run } = definition;
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: takes,
      returnType: gives,
      mainFunction(_info, input, output) {
        const columns = takes.map((_, index) => input.getColumnVector(index));
        for (let row = 0; row < input.rowCount; row += 1) {
          const values = columns.map((column) => column.getItem(row));
          output.setItem(row, values.includes(null) ? null : run(...(values as never[])));
        }
        output.flush();
      },
    }),
  );
}
