import {
  DOUBLE,
  type DuckDBConnection,
  DuckDBScalarFunction,
  type DuckDBVector,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';

/** The function that a statement asks before it makes texts or lists that may be large. */
export const ROOM_FUNCTION = 'blade_room';

/** How much of what it makes a statement may hold at once, in bytes: the engine counts it in no limit of its own. */
export const ROOM_BYTES = 1 << 24;

/**
 * Gives the instance `blade_room(name, limit, bytes)`. The engine works on some 2,048 rows at once: the function adds up
 * how many bytes another one would make for these, and lets nothing be made where they are more than the limit.
 */
export function registerRoom(connection: DuckDBConnection): void {
  connection.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: ROOM_FUNCTION,
      parameterTypes: [VARCHAR, DOUBLE, DOUBLE],
      returnType: UTINYINT,
      specialHandling: true,
      mainFunction(info, input, output) {
        const bytes = sumOf(input.getColumnVector(2), input.rowCount);
        const limit = Number(input.getColumnVector(1).getItem(0));
        if (!(bytes <= limit))
          info.setError(tooLarge(String(input.getColumnVector(0).getItem(0)), bytes, limit));
        for (let row = 0; row < input.rowCount; row += 1) output.setItem(row, 1);
        output.flush();
      },
    }),
  );
}

function sumOf(vector: DuckDBVector, rows: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row += 1) sum += Math.max(Number(vector.getItem(row) ?? 0), 0);
  return sum;
}

function tooLarge(name: string, bytes: number, limit: number): string {
  return `${name} would make ${megabytes(bytes)} of texts or lists at once, and ${megabytes(limit)} fit here: make shorter ones, or fewer.`;
}

function megabytes(bytes: number): string {
  const count = Math.min(bytes / 1e6, 1e12);
  return `${count < 10 ? count.toFixed(1) : Math.ceil(count).toLocaleString('en')} MB`;
}
