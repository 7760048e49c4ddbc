import { getContent, getKind } from '../../../../sql-check/syntax-tree.ts';
import { isNested } from '../arguments.ts';
import { type Call, writeResult } from '../call.ts';
import { arrayType } from '../nested-types.ts';
import { isPresent } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { writeAggregate } from '../templates.ts';
import { isDecimal, isFloating, isInteger, isTime, readDecimal } from '../types.ts';
import type { Written } from '../written.ts';
import { aggregates, type Family, FIRST } from './family.ts';

/** Aggregates. */
export const aggregateFunctions: Family = {
  ...aggregates([
    ['any some bool_or', 'bool_or($B1)', 'BOOLEAN'],
    ['bool_and every', 'bool_and($B1)', 'BOOLEAN', 'bool_and'],
    ['approx_count_distinct', 'count(DISTINCT $1)', 'BIGINT'],
    [
      'array_agg collect_list',
      'coalesce({list($1)|$1 IS NOT NULL}, [])',
      ([item]) => arrayType(item),
      'collect_list',
    ],
    ['min', 'min($1)', FIRST],
    ['max', 'max($1)', FIRST],
    ['min_by', 'arg_min_null($1, $2)', FIRST],
    ['max_by', 'arg_max_null($1, $2)', FIRST],
    ['mode', 'mode($1)', FIRST],
    ['bit_and', 'bit_and($1)', FIRST],
    ['bit_or', 'bit_or($1)', FIRST],
    ['bit_xor', 'bit_xor($1)', FIRST],
    ['count_if', 'CAST({count_if($B1)} AS BIGINT)', 'BIGINT'],
    ['grouping', 'CAST(grouping($1) AS TINYINT)', 'TINYINT'],
  ]),
  count: (call) => {
    const { writer, name: word, isDistinct, ignoresNulls, within, filter, over, window } = call;
    const star = call.nodes.length === 1 ? call.nodes[0] : null;
    const isWhole = getKind(star) === 'star' && !isPresent(getContent(star, 'star').table);
    if (isWhole && !isDistinct) {
      const rest = { writer, name: word, isDistinct, ignoresNulls, within, filter, over, window };
      return {
        ...writeAggregate({ ...rest, nodes: [], args: [] }, '{count(*)}', 'BIGINT'),
        name: over === null && filter === null ? 'count(1)' : null,
      };
    }
    if (call.args.length === 1) return writeAggregate(call, '{count($1)}', 'BIGINT');
    const values = call.args.map(({ sql }) => sql);
    const present = values.map((value) => `${value} IS NOT NULL`).join(' AND ');
    return writeAggregate(
      call,
      call.isDistinct ? `{count((${values.join(', ')}))|${present}}` : `{count(1)|${present}}`,
      'BIGINT',
    );
  },
  sum: writeSum,
  try_sum: (call) => {
    const kind = getKind(call.nodes[0]);
    if ((kind !== 'column' && kind !== 'literal') || !isInteger(call.args[0]?.type ?? null))
      return refuseOnFolder('try_sum() of this type', 'write sum()');
    return writeAggregate(call, 'TRY_CAST({sum($1)} AS BIGINT)', 'BIGINT');
  },
  avg: writeAverage,
  mean: writeAverage,
  try_avg: writeAverage,
  first: (call) => writeFirst(call, 'first'),
  first_value: (call) => writeFirst(call, 'first'),
  any_value: (call) => writeFirst(call, 'first'),
  last: (call) => writeFirst(call, 'last'),
  last_value: (call) => writeFirst(call, 'last'),
  collect_set: (call) =>
    writeAggregate(
      { ...call, isDistinct: false },
      'coalesce(spark_distinct_in_order({list($1)|$1 IS NOT NULL}), [])',
      ([item]) => arrayType(item),
    ),
  grouping_id: (call) => {
    if (call.args.length === 0) return refuseOnFolder('grouping_id() without columns', 'name them');
    return writeResult(
      call,
      'BIGINT',
      `CAST(grouping(${call.args.map(({ sql }) => sql).join(', ')}) AS BIGINT)`,
    );
  },
};

function writeSum(call: Call): Written {
  const [value] = call.args;
  const type = value?.type ?? null;
  if (isTime(type) || type === 'BOOLEAN' || type === 'BINARY' || isNested(type))
    return refuseOnFolder(`sum() of ${type}`);
  if (isInteger(type)) return writeAggregate(call, 'CAST({sum($1)} AS BIGINT)', 'BIGINT');
  if (type === 'VOID') return writeAggregate(call, '{sum(CAST($1 AS DOUBLE))}', 'DOUBLE');
  if (isFloating(type) || type === 'STRING') return writeAggregate(call, '{sum($d1)}', 'DOUBLE');
  if (isDecimal(type)) {
    const [precision, scale] = readDecimal(type ?? '');
    const result = `DECIMAL(${Math.min(38, precision + 10)},${scale})`;
    return writeAggregate(call, `CAST({sum($1)} AS ${result})`, result);
  }
  return writeAggregate(call, '{sum($1)}', null);
}

function writeAverage(call: Call): Written {
  const [value] = call.args;
  const type = value?.type ?? null;
  if (isTime(type) || type === 'BOOLEAN' || type === 'BINARY' || isNested(type))
    return refuseOnFolder(`${call.name}() of ${type}`);
  if (isDecimal(type)) {
    const [precision, scale] = readDecimal(type ?? '');
    if (precision + 4 > 38 || precision > 28)
      return refuseOnFolder(`${call.name}() of so many digits`, 'CAST it to DOUBLE');
    const result = `DECIMAL(${precision + 4},${scale + 4})`;
    return writeAggregate(
      call,
      `CAST(spark_divide_decimal({sum($1)}, CAST({count($1)} AS DECIMAL(20,0)), 10000, ${scale + 4}) AS ${result})`,
      result,
    );
  }
  if (type === null) return writeAggregate(call, '{avg(spark_average_of($1))}', 'DOUBLE');
  return writeAggregate(call, '{avg($d1)}', 'DOUBLE');
}

function writeFirst(call: Call, word: 'first' | 'last'): Written {
  const [value, ignored] = call.args;
  const ignores = call.ignoresNulls || String(ignored?.name) === 'true';
  if (ignored !== undefined && !/^(true|false)$/.test(String(ignored.name)))
    return refuseOnFolder(`${call.name}() with such a second argument`);
  const shown =
    value?.name == null
      ? null
      : `${ignores && call.name.endsWith('_value') && call.name !== 'any_value' ? word : call.name}(${value.name})`;
  if (call.over !== null)
    return {
      sql: `${word}_value(${value?.sql}${ignores ? ' IGNORE NULLS' : ''}) OVER ${call.over}`,
      type: call.args[0]?.type ?? null,
      name: null,
    };
  const plain: Call = { ...call, ignoresNulls: false };
  const written = writeAggregate(plain, ignores ? `{${word}($1)|$1 IS NOT NULL}` : `{${word}($1)}`, FIRST);
  return { ...written, name: call.filter === null ? shown : null };
}
