import { type DuckDBConnection, DuckDBScalarFunction, VARCHAR } from '@duckdb/node-api';
import { findRepeatedKey } from '../../shared/repeated-key.ts';
import { quoteLongNumbers } from './ndjson-lines.ts';

/** The SQL function that writes numbers of a line as texts where JavaScript would change them. No statement can call it. */
export const LONG_NUMBERS_FUNCTION = 'blade_quote_long_numbers';

/** The SQL function that finds a key that an object of a line has twice; an empty text if there is none. No statement can call it. */
export const REPEATED_KEY_FUNCTION = 'blade_find_repeated_key';

/** Registers the functions that read lines of NDJSON. */
export function registerLineFunctions(connection: DuckDBConnection): void {
  register(connection, LONG_NUMBERS_FUNCTION, quoteLongNumbers);
  register(connection, REPEATED_KEY_FUNCTION, (line) => findRepeatedKey(line, true) ?? '');
}

function register(connection: DuckDBConnection, name: string, convert: (line: string) => string): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name,
      parameterTypes: [VARCHAR],
      returnType: VARCHAR,
      mainFunction(_info, input, output) {
        const lines = input.getColumnVector(0);
        for (let row = 0; row < input.rowCount; row += 1)
          output.setItem(row, convert(String(lines.getItem(row) ?? '')));
        output.flush();
      },
    }),
  );
}
