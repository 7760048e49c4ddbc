import { quoteName } from '../../text.ts';
import { writeResult } from '../call.ts';
import { arrayType, innerTypes, mapType, structFields, structType } from '../nested-types.ts';
import { refuseOnFolder } from '../refused.ts';
import { unify, type Written } from '../written.ts';
import { type Family, FIRST, scalars } from './family.ts';
import { requireOneType } from './items.ts';

/** Functions of maps. */
export const maps: Family = {
  ...requireOneType(scalars([['map_contains_key', 'spark_map_contains_key($m1, $2)', 'BOOLEAN']]), 'an item'),
  ...scalars([
    ['map_concat', 'spark_map_concat($m1, $m2)', FIRST],
    [
      'map_entries',
      'map_entries($m1)',
      ([map]) => {
        const [key = null, value = null] = innerTypes(map ?? null);
        return arrayType(
          structType([
            ['key', key],
            ['value', value],
          ]),
        );
      },
    ],
    ['map_keys', 'map_keys($m1)', ([map]) => arrayType(innerTypes(map ?? null)[0])],
    ['map_values', 'map_values($m1)', ([map]) => arrayType(innerTypes(map ?? null)[1])],
    [
      'map_from_arrays',
      'spark_map_from_arrays($a1, $a2)',
      ([keys, values]) => mapType(innerTypes(keys ?? null)[0], innerTypes(values ?? null)[0]),
    ],
    [
      'str_to_map',
      [
        "spark_js_str_to_map($s1, ',', ':')",
        "spark_js_str_to_map($s1, $t2, ':')",
        'spark_js_str_to_map($s1, $t2, $t3)',
      ],
      'MAP<STRING, STRING>',
      ['str_to_map($1, ,, :)', 'str_to_map($1, $2, :)', 'str_to_map($1, $2, $3)'],
    ],
  ]),
  map: (call) => {
    if (call.args.length % 2 !== 0) return refuseOnFolder('map() with a key and no value');
    const keys = call.args.filter((_, index) => index % 2 === 0);
    const values = call.args.filter((_, index) => index % 2 === 1);
    const type = mapType(unify(keys, 'map()'), unify(values, 'map()'));
    const list = (items: readonly Written[]) => `[${items.map(({ sql }) => sql).join(', ')}]`;
    return writeResult(call, type, `map(${list(keys)}, ${list(values)})`);
  },
  map_from_entries: (call) => {
    const list = call.writer.write(call.nodes[0]);
    const fields = structFields(innerTypes(list.type)[0] ?? null);
    if (fields?.length !== 2)
      return refuseOnFolder('map_from_entries() of rows whose fields are not in the statement');
    const [key, value] = fields.map(([field]) => quoteName(field));
    const sql = `spark_map_from_arrays(list_transform(${list.sql}, lambda blade_entry: blade_entry.${key}), list_transform(${list.sql}, lambda blade_entry: blade_entry.${value}))`;
    return writeResult(call, mapType(fields[0]?.[1], fields[1]?.[1]), sql);
  },
};
