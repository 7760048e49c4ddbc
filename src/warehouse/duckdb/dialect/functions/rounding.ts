import { toArgument } from '../arguments.ts';
import { appendName, type Call, showCall } from '../call.ts';
import { refuseOnFolder } from '../refused.ts';
import { isDecimal, isInteger, readDecimal } from '../types.ts';
import type { Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that round numbers. */
export const rounding: Family = {
  ...scalars([['rint', 'round_even($d1, 0)', 'DOUBLE']]),
  ceil: (call) => writeRounding(call, 'ceil'),
  ceiling: (call) => writeRounding(call, 'ceil'),
  floor: (call) => writeRounding(call, 'floor'),
  round: (call) => writeRound(call, 'spark_round'),
  bround: (call) => writeRound(call, 'spark_bround'),
};

function writeRounding(call: Call, word: 'ceil' | 'floor'): Written {
  const [value, scale] = call.args;
  const type = value?.type ?? null;
  if (scale !== undefined) {
    if (!isDecimal(type) || typeof scale.literal !== 'number' || value === undefined)
      return refuseOnFolder(`${word}() to a number of digits, of this type`);
    const [precision, digits] = readDecimal(type ?? '');
    const kept = Math.min(Math.max(scale.literal, 0), digits);
    const wanted = `DECIMAL(${Math.max(precision - digits + kept + 1, 1, -scale.literal + 1)},${kept})`;
    const power = 10 ** Math.abs(scale.literal);
    const shift = (sql: string, sign: string) => `${sql} ${sign} ${power}`;
    const sql =
      scale.literal >= digits
        ? value.sql
        : scale.literal >= 0
          ? shift(`${word}(${shift(value.sql, '*')})`, '/')
          : shift(`${word}(${shift(value.sql, '/')})`, '*');
    return { sql: `CAST(${sql} AS ${wanted})`, type: wanted, name: showCall(call, word) };
  }
  const name = showCall(call, word.toUpperCase());
  const sql = `${word}(${toArgument(call, value, 'n')})`;
  if (isDecimal(type)) {
    const [precision, digits] = readDecimal(type ?? '');
    const result = `DECIMAL(${precision - digits + 1},0)`;
    return { sql: `CAST(${sql} AS ${result})`, type: result, name };
  }
  if (type === null) return { sql: `spark_${word}(${value?.sql})`, type: null, name };
  const isExact = isInteger(type);
  return { sql: isExact ? `CAST(${sql} AS BIGINT)` : `spark_whole(${sql})`, type: 'BIGINT', name };
}

function writeRound(call: Call, macro: string): Written {
  const [value, scale] = call.args;
  const type = value?.type ?? null;
  const digits = scale === undefined ? 0 : scale.literal;
  if (value === undefined || typeof digits !== 'number')
    return refuseOnFolder(`${call.name}() to a number of digits that is not in the statement`);
  const name = scale === undefined ? appendName(call, '0') : showCall(call);
  if (isDecimal(type)) {
    const [precision, places] = readDecimal(type ?? '');
    const kept = Math.min(Math.max(digits, 0), places);
    const result = `DECIMAL(${Math.min(38, Math.max(precision - places + kept + 1, 1))},${kept})`;
    if (digits < 0 || (macro === 'spark_bround' && precision > 15))
      return refuseOnFolder(`${call.name}() of DECIMAL to this number of digits`);
    const sql = macro === 'spark_bround' ? `round_even(CAST(${value.sql} AS DOUBLE), ${digits})` : value.sql;
    return { sql: `CAST(${sql} AS ${result})`, type: result, name };
  }
  if (isInteger(type)) {
    const word = macro === 'spark_round' ? 'round' : 'round_even';
    return {
      sql:
        digits >= 0
          ? value.sql
          : `CAST(spark_${word}_whole(${value.sql}, ${digits}) AS ${type === 'INT' ? 'INTEGER' : type})`,
      type,
      name,
    };
  }
  if (type === null && macro === 'spark_round')
    return { sql: `spark_round_any(${value.sql}, ${digits})`, type: null, name };
  return { sql: `spark_js_${call.name}(${toArgument(call, value, 'd')}, ${digits})`, type: 'DOUBLE', name };
}
