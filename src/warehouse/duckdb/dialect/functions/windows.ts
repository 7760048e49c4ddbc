import { toArgument } from '../arguments.ts';
import { type Call, RANGE, showCall, showWindow } from '../call.ts';
import { refuseOnFolder } from '../refused.ts';
import { unify, type Written } from '../written.ts';
import { type Family, windows } from './family.ts';

/** Functions of windows. */
export const windowFunctions: Family = {
  ...windows([
    ['row_number', 'row_number()', 'INT'],
    ['rank', 'rank()', 'INT', 'RANK()'],
    ['dense_rank', 'dense_rank()', 'INT', 'DENSE_RANK()'],
    ['percent_rank', 'percent_rank()', 'DOUBLE', 'PERCENT_RANK()'],
    ['ntile', 'ntile($i1)', 'INT'],
  ]),
  ...windows([['cume_dist', 'cume_dist()', 'DOUBLE']], RANGE),
  lag: (call) => writeShift(call, 'lag'),
  lead: (call) => writeShift(call, 'lead'),
  nth_value: (call) => {
    if (call.over === null) return refuseOnFolder('nth_value() without OVER');
    const nulls = call.ignoresNulls ? ' IGNORE NULLS' : '';
    return {
      sql: `nth_value(${call.args[0]?.sql}, ${toArgument(call, call.args[1], 'i')}${nulls}) OVER ${call.over}`,
      type: call.args[0]?.type ?? null,
      name: call.ignoresNulls ? null : showWindow(call, showCall(call), null),
    };
  },
};

function writeShift(call: Call, word: 'lag' | 'lead'): Written {
  if (call.over === null) return refuseOnFolder(`${word}() without OVER`);
  const [value, offset, otherwise] = call.args;
  const parts = [
    value?.sql,
    ...(offset === undefined ? [] : [toArgument(call, offset, 'i')]),
    ...(otherwise === undefined ? [] : [otherwise.sql]),
  ];
  const nulls = call.ignoresNulls ? ' IGNORE NULLS' : '';
  if (otherwise !== undefined && value !== undefined) unify([value, otherwise], `${word}()`);
  return {
    sql: `${word}(${parts.join(', ')}${nulls}) OVER ${call.over}`,
    type: value?.type ?? null,
    name: showShift(call, word),
  };
}

function showShift(call: Call, word: 'lag' | 'lead'): string | null {
  const [value, offset, otherwise] = call.args;
  const count = offset === undefined ? 1 : offset.literal;
  if (typeof count !== 'number' || call.ignoresNulls || value?.name == null) return null;
  const place = word === 'lag' ? -count : count;
  const name = `${word}(${value.name}, ${count}, ${otherwise === undefined ? 'NULL' : otherwise.name})`;
  return showWindow(call, name, `ROWS BETWEEN ${place} FOLLOWING AND ${place} FOLLOWING`);
}
