import type { Call } from '../call.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Functions that are casts, and the type that each casts to. */
const TYPES = {
  bigint: { data_type: 'big_int' },
  binary: { data_type: 'binary' },
  boolean: { data_type: 'boolean' },
  date: { data_type: 'date' },
  decimal: { data_type: 'decimal', precision: 10, scale: 0 },
  double: { data_type: 'double' },
  float: { data_type: 'float' },
  int: { data_type: 'int' },
  smallint: { data_type: 'small_int' },
  string: { data_type: 'string' },
  timestamp: { data_type: 'timestamp' },
  tinyint: { data_type: 'tiny_int' },
};

/** Casts that are written as functions. */
export const casts: Family = Object.fromEntries(
  Object.entries(TYPES).map(([name, to]) => [name, (call: Call) => writeCastCall(call, to)]),
);

function writeCastCall(call: Call, to: object): Written {
  const written = call.writer.write({ cast: { this: call.nodes[0], to } });
  return { ...written, name: call.args[0]?.name ?? null };
}
