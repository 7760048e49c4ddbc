import {
  DOUBLE,
  type DuckDBConnection,
  DuckDBScalarFunction,
  type DuckDBVector,
  INTEGER,
  UTINYINT,
  VARCHAR,
} from '@duckdb/node-api';

/** The SQL function that a statement calls before it creates texts or lists that may be large. */
export const ROOM_FUNCTION = 'blade_room';

/** The SQL function that a statement calls before work that may take long. */
export const TIME_FUNCTION = 'blade_time';

/** How much new text and lists a statement may hold at once, in bytes; the engine's memory limit does not count them. */
export const ROOM_BYTES = 1 << 24;

/** How much of its input a statement may copy at once, in bytes. */
export const COPY_BYTES = 1 << 28;

/** How long a statement may work without a pause in which it can be interrupted, in nanoseconds. */
export const PAUSE_NANOSECONDS = 4e9;

/** The running statements of this thread by number, each with the signal that ends it. */
const running = new Map<number, AbortSignal>();
let lastStatement = 0;

/** Registers a statement and returns its number. Until it is released, its calls fail once the signal is aborted. */
export function admitStatement(signal: AbortSignal): number {
  lastStatement = (lastStatement % MAX_NUMBER) + 1;
  running.set(lastStatement, signal);
  return lastStatement;
}

const MAX_NUMBER = 2 ** 31 - 1;

export function releaseStatement(statement: number): void {
  running.delete(statement);
}

/**
 * Registers `blade_room(name, limit, bytes, statement)` and `blade_time(name, limit, nanoseconds, statement)`. The engine
 * works on about 2,048 rows at once. The functions add up what a call would create or take for these rows, and fail if that
 * exceeds the limit or if the statement must end. The engine checks for an interrupt only between rows, not between the
 * items of a list.
 */
export function registerRoom(connection: DuckDBConnection): void {
  connection.registerScalarFunction(createQuestion(ROOM_FUNCTION, tooLarge));
  connection.registerScalarFunction(createQuestion(TIME_FUNCTION, tooSlow));
}

function createQuestion(
  name: string,
  refuse: (call: string, sum: number, limit: number) => string,
): DuckDBScalarFunction {
  return DuckDBScalarFunction.create({
    name,
    parameterTypes: [VARCHAR, DOUBLE, DOUBLE, INTEGER],
    returnType: UTINYINT,
    specialHandling: true,
    mainFunction(info, input, output) {
      const sum = sumRows(input.getColumnVector(2), input.rowCount);
      const limit = Number(input.getColumnVector(1).getItem(0));
      const statement = Number(input.getColumnVector(3).getItem(0));
      if (running.get(statement)?.aborted === true) info.setError('The statement was ended.');
      else if (!(sum <= limit))
        info.setError(refuse(String(input.getColumnVector(0).getItem(0)), sum, limit));
      for (let row = 0; row < input.rowCount; row += 1) output.setItem(row, 1);
      output.flush();
    },
  });
}

function sumRows(vector: DuckDBVector, rows: number): number {
  let sum = 0;
  for (let row = 0; row < rows; row += 1) sum += Math.max(Number(vector.getItem(row) ?? 0), 0);
  return sum;
}

function tooLarge(call: string, bytes: number, limit: number): string {
  return `${call} would make ${megabytes(bytes)} of texts or lists at once, and ${megabytes(limit)} fit here: make shorter ones, or fewer.`;
}

function megabytes(bytes: number): string {
  const count = Math.min(bytes / 1e6, 1e12);
  return `${count < 10 ? count.toFixed(1) : Math.ceil(count).toLocaleString('en')} MB`;
}

function tooSlow(call: string, nanoseconds: number, limit: number): string {
  return `${call} may work for ${seconds(nanoseconds)} without a pause, and ${seconds(limit)} are allowed: give it shorter texts, patterns or lists.`;
}

function seconds(nanoseconds: number): string {
  const count = Math.ceil(Math.min(nanoseconds / 1e9, 1e12));
  return Number.isNaN(count) ? 'very long' : `${count.toLocaleString('en')} seconds`;
}
