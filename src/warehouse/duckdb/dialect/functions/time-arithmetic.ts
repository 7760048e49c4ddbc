import { getContent } from '../../../../sql-check/syntax-tree.ts';
import { toArgument } from '../arguments.ts';
import { type Call, showCall } from '../call.ts';
import { readName } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { named, type Written } from '../written.ts';
import { type Family, scalars } from './family.ts';

/** Functions that add to times, and that measure what is between them. */
export const timeArithmetic: Family = {
  ...scalars([
    ['add_months', 'spark_add_months($D1, $i2)', 'DATE'],
    ['date_sub', '($D1 - $i2)', 'DATE'],
    ['last_day', 'last_day($D1)', 'DATE'],
    ['next_day', 'spark_next_day($D1, $t2)', 'DATE'],
    [
      'months_between',
      ['spark_months_between($T1, $T2, true)', 'spark_months_between($T1, $T2, $B3)'],
      'DOUBLE',
      ['months_between($1, $2, true)', 'months_between($1, $2, $3)'],
    ],
  ]),
  date_add: writeDateAdd,
  dateadd: writeDateAdd,
  timestampadd: writeDateAdd,
  datediff: (call) => writeDateDiff(call, 'datediff'),
  date_diff: (call) => writeDateDiff(call, 'date_diff'),
  timestampdiff: (call) => writeDateDiff(call, 'timestampdiff'),
};

function writeDateAdd(call: Call): Written {
  if (call.nodes.length === 2) {
    const [date, days] = call.args;
    return {
      sql: `(${toArgument(call, date, 'D')} + ${toArgument(call, days, 'i')})`,
      type: 'DATE',
      name: showCall(call, 'date_add'),
    };
  }
  const unit = readUnitName(call.nodes[0]) ?? refuseOnFolder(`${call.name}() with this unit`);
  const [amount, time] = [call.writer.write(call.nodes[1]), call.writer.write(call.nodes[2])];
  const step = `to_${unit}s(${toArgument(call, amount, 'i')})`;
  const isLong = /year|quarter|month|week|day/.test(unit);
  const shown = named`timestampadd(${unit.toUpperCase()}, ${amount}, ${time})`;
  if (time.type === 'DATE' && isLong)
    return {
      sql: `CAST(CAST(${time.sql} AS TIMESTAMP) + ${step} AS TIMESTAMPTZ)`,
      type: 'TIMESTAMP',
      name: shown,
    };
  if (time.type === 'TIMESTAMP_NTZ')
    return { sql: `(${time.sql} + ${step})`, type: 'TIMESTAMP_NTZ', name: shown };
  return { sql: `(${toArgument(call, time, 'T')} + ${step})`, type: 'TIMESTAMP', name: shown };
}

function writeDateDiff(call: Call, shown: string): Written {
  if (call.nodes.length === 2) {
    const [end, start] = call.args;
    return {
      sql: `CAST(datediff('day', ${toArgument(call, start, 'D')}, ${toArgument(call, end, 'D')}) AS INTEGER)`,
      type: 'INT',
      name: showCall(call, shown),
    };
  }
  const unit = readUnitName(call.nodes[0]) ?? refuseOnFolder(`${call.name}() with this unit`);
  const [start, end] = [call.writer.write(call.nodes[1]), call.writer.write(call.nodes[2])];
  const name = named`timestampdiff(${unit.toUpperCase()}, ${start}, ${end})`;
  return {
    sql: `spark_time_difference('${unit}', ${toArgument(call, start, 'T')}, ${toArgument(call, end, 'T')})`,
    type: 'BIGINT',
    name,
  };
}

function readUnitName(node: unknown): string | null {
  const { name, table } = getContent(node, 'column');
  return table == null ? (ADDED_UNITS.exec(readName(name))?.[1]?.toLowerCase() ?? null) : null;
}

const ADDED_UNITS = /^(year|quarter|month|week|day|hour|minute|second|millisecond|microsecond)s?$/i;
