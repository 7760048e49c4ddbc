import { getKind } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { toArgument } from '../arguments.ts';
import { type Call, readPair, showCall, writeResult } from '../call.ts';
import { arrayType, innerTypes, structType } from '../nested-types.ts';
import { refuseOnFolder } from '../refused.ts';
import { findCommonType, isInteger } from '../types.ts';
import { unify, type Written } from '../written.ts';
import { type Family, FIRST, ITEM, scalars } from './family.ts';
import { requireOneType } from './items.ts';
import { readFieldName } from './structs.ts';

/** Functions of arrays. */
export const arrays: Family = {
  ...requireOneType(
    scalars([
      ['array_append', 'spark_array_append($a1, $2)', FIRST],
      ['array_prepend', 'spark_array_prepend($a1, $2)', FIRST],
      ['array_contains', 'spark_array_contains($a1, $2)', 'BOOLEAN'],
      ['array_position', 'spark_array_position($a1, $2)', 'BIGINT'],
      ['array_remove', 'spark_array_remove($a1, $2)', FIRST],
    ]),
    'an item',
  ),
  ...requireOneType(
    scalars([
      ['array_except', 'spark_array_except($a1, $a2)', FIRST],
      ['array_intersect', 'spark_array_intersect($a1, $a2)', FIRST],
      ['array_union', 'spark_array_union($a1, $a2)', FIRST],
      ['arrays_overlap', 'spark_arrays_overlap($a1, $a2)', 'BOOLEAN'],
    ]),
    'an array',
  ),
  ...scalars([
    ['array_compact', 'spark_array_compact($a1)', FIRST],
    ['array_distinct', 'spark_array_distinct($a1)', FIRST],
    ['array_max', 'spark_array_max($a1)', ITEM],
    ['array_min', 'spark_array_min($a1)', ITEM],
    ['array_insert', 'spark_array_insert($a1, $i2, $3)', FIRST],
    ['array_repeat', 'spark_array_repeat($1, $i2)', ([item]) => arrayType(item)],
    ['array_size', 'CAST(len($a1) AS INTEGER)', 'INT'],
    ['flatten', 'spark_flatten($a1)', ITEM],
    ['get', 'spark_get($a1, $I2)', ITEM],
    ['slice', 'spark_slice($a1, $i2, $i3)', FIRST],
    [
      'sort_array',
      ['spark_sort_array($a1, true)', 'spark_sort_array($a1, $B2)'],
      FIRST,
      ['sort_array($1, true)', 'sort_array($1, $2)'],
    ],
  ]),
  array: (call) => {
    const type = unify(call.args, 'array()');
    return writeResult(call, arrayType(type), `[${call.args.map(({ sql }) => sql).join(', ')}]`);
  },
  arrays_zip: (call) => {
    const lists = call.args;
    const names = call.nodes.map((node, index) =>
      getKind(node) === 'column' ? readFieldName(node, index) : String(index),
    );
    const zipped = `list_zip(${lists.map((list) => toArgument(call, list, 'a')).join(', ')})`;
    const fields = names.map((name, index) => `${quoteName(name)} := blade_pair[${index + 1}]`).join(', ');
    const type = arrayType(
      structType(names.map((name, index) => [name, innerTypes(lists[index]?.type ?? null)[0] ?? null])),
    );
    const isMissing = lists.map(({ sql }) => `${sql} IS NULL`).join(' OR ');
    return writeResult(
      call,
      type,
      `CASE WHEN NOT (${isMissing}) THEN list_transform(${zipped}, lambda blade_pair: struct_pack(${fields})) END`,
    );
  },
  array_sort: (call) => {
    if (call.nodes.length > 1) return refuseOnFolder('array_sort() with a comparison', 'write sort_array()');
    const list = call.writer.write(call.nodes[0]);
    return {
      sql: `list_sort(${toArgument(call, list, 'a')}, 'ASC', 'NULLS LAST')`,
      type: list.type,
      name: list.name === null ? null : `array_sort(${list.name}, ${ARRAY_SORT_NAME})`,
    };
  },
  element_at: (call) => writeElement(call, 'spark_element_at'),
  try_element_at: (call) => writeElement(call, 'spark_try_element_at'),
  size: writeSize,
  cardinality: writeSize,
  sequence: (call) => {
    const [start, end] = readPair(call);
    const step = call.args[2];
    if (isInteger(start.type) && isInteger(end.type)) {
      const by =
        step === undefined ? `spark_sequence_step(${start.sql}, ${end.sql})` : toArgument(call, step, 'l');
      const type = findCommonType(start.type, end.type);
      return writeResult(call, arrayType(type), `spark_sequence(${start.sql}, ${end.sql}, ${by})`);
    }
    if (start.type === 'DATE' && end.type === 'DATE') {
      const by = step === undefined ? "(INTERVAL '1' DAY)" : step.sql;
      if (step !== undefined && step.type !== 'INTERVAL MONTH' && step.type !== 'INTERVAL DAY')
        return refuseOnFolder('sequence() of dates by this step');
      return {
        sql: `list_transform(generate_series(CAST(${start.sql} AS TIMESTAMP), CAST(${end.sql} AS TIMESTAMP), ${by}), lambda blade_day: CAST(blade_day AS DATE))`,
        type: 'ARRAY<DATE>',
        name: null,
      };
    }
    if (start.type === 'TIMESTAMP' && end.type === 'TIMESTAMP' && step?.type?.startsWith('INTERVAL'))
      return {
        sql: `generate_series(${start.sql}, ${end.sql}, ${step.sql})`,
        type: 'ARRAY<TIMESTAMP>',
        name: null,
      };
    return refuseOnFolder('sequence() of this type');
  },
};

function writeElement(call: Call, macro: string): Written {
  const [list, index] = readPair(call);
  const [first = null, second = null] = innerTypes(list.type);
  const name = showCall(call);
  if (list.type?.startsWith('MAP') === true || (list.type === null && index.type === 'STRING'))
    return { sql: `map_extract_value(${list.sql}, ${index.sql})`, type: second, name };
  if (list.type?.startsWith('ARRAY') === true || (list.type === null && isInteger(index.type)))
    return { sql: `${macro}(${list.sql}, ${toArgument(call, index, 'i')})`, type: first, name };
  return refuseOnFolder(`${call.name}() of what only a column knows`);
}

function writeSize(call: Call): Written {
  const [list] = call.args;
  const sql =
    list?.type?.startsWith('MAP') === true
      ? `cardinality(${list.sql})`
      : list?.type === 'VOID'
        ? 'CAST(NULL AS INTEGER)'
        : `spark_size(${list?.sql})`;
  return writeResult(call, 'INT', `CAST(${sql} AS INTEGER)`);
}

const ARRAY_SORT_NAME = (() => {
  const v = 'namedlambdavariable()';
  const compare = `(IF((${v} < ${v}), -1, (IF((${v} > ${v}), 1, 0))))`;
  const nulls = `(IF((${v} IS NULL), 1, (IF((${v} IS NULL), -1, ${compare}))))`;
  return `lambdafunction((IF(((${v} IS NULL) AND (${v} IS NULL)), 0, ${nulls})), ${v}, ${v})`;
})();
