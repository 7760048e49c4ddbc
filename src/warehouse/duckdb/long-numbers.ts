import { type DuckDBConnection, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import { quoteLongNumbers } from './ndjson-lines.ts';

/** The SQL function that writes numbers of a line as texts where JavaScript would change them. No statement can call it. */
export const LONG_NUMBERS_FUNCTION = 'blade_quote_long_numbers';

export function registerLongNumbers(connection: DuckDBConnection): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: LONG_NUMBERS_FUNCTION,
      parameterTypes: [VARCHAR],
      returnType: VARCHAR,
      mainFunction(_info, input, output) {
        const lines = input.getColumnVector(0);
        for (let row = 0; row < input.rowCount; row += 1)
          output.setItem(row, quoteLongNumbers(String(lines.getItem(row) ?? '')));
        output.flush();
      },
    }),
  );
}
