import { appendName, type Call, showCall } from '../call.ts';
import { toText } from '../casts.ts';
import { showDirection } from '../queries/order.ts';
import { refuseOnFolder } from '../refused.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Aggregates that join texts. */
export const listAggregates: Family = {
  listagg: writeListAggregate,
  string_agg: writeListAggregate,
};

function writeListAggregate(call: Call): Written {
  const [value, separator] = call.args;
  const text = value === undefined ? refuseOnFolder(`${call.name}() without arguments`) : toText(value);
  const by = separator === undefined ? "''" : toText(separator);
  if (separator !== undefined && typeof separator.literal !== 'string')
    return refuseOnFolder(`${call.name}() with a separator that is not in the statement`);
  if (call.over !== null) return refuseOnFolder(`${call.name}() with OVER`);
  const order = call.within === null ? '' : ` ORDER BY ${call.writer.order(call.within)}`;
  if (call.isDistinct && order !== '') return refuseOnFolder(`${call.name}() with DISTINCT and an order`);
  const filter = call.filter === null ? '' : ` FILTER (WHERE ${call.filter})`;
  const sql = call.isDistinct
    ? `array_to_string(spark_distinct_in_order(list(${text})${filter}), ${by})`
    : `string_agg(${text}, ${by}${order})${filter}`;
  const shown = separator === undefined ? appendName(call, 'NULL') : showCall(call);
  return { sql, type: 'STRING', name: filter === '' ? showListAggregate(call, shown) : null };
}

function showListAggregate(call: Call, shown: string | null): string | null {
  const [order, ...others] = call.within ?? [];
  if (order === undefined || shown === null) return shown;
  const { name } = call.writer.write(order.this);
  if (others.length > 0 || name === null) return null;
  const plain = shown.replace(/^string_agg/, 'listagg');
  return `${plain} WITHIN GROUP (ORDER BY ${name} ${showDirection(order)})`;
}
