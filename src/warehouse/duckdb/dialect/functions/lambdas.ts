import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { toArgument } from '../arguments.ts';
import type { Call } from '../call.ts';
import { arrayType, innerTypes, mapType } from '../nested-types.ts';
import { isPresent, readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Functions that take a lambda. */
export const lambdas: Family = {
  transform: (call) => {
    const { list, variables, body, name } = readItemLambda(call);
    const sql = `list_transform(${toArgument(call, list, 'a')}, lambda ${variables}: ${body.sql})`;
    return { sql, type: arrayType(body.type), name };
  },
  filter: (call) => {
    const { list, variables, body, name } = readItemLambda(call);
    const sql = `list_filter(${toArgument(call, list, 'a')}, lambda ${variables}: coalesce(${body.sql}, false))`;
    return { sql, type: list.type, name };
  },
  exists: (call) => writeQuantifier(call, 'spark_any_true'),
  forall: (call) => writeQuantifier(call, 'spark_all_true'),
  aggregate: writeReduce,
  reduce: writeReduce,
  zip_with: (call) => {
    const [left, right] = [call.writer.write(call.nodes[0]), call.writer.write(call.nodes[1])];
    const [one = null, other = null] = [innerTypes(left.type)[0], innerTypes(right.type)[0]];
    const { parameters, body } = call.writer.lambda(call.nodes[2], [one, other]);
    const [x = 'x', y = 'y'] = parameters;
    const replaced = replaceName(replaceName(body.sql, x, 'blade_pair[1]'), y, 'blade_pair[2]');
    const sql = `list_transform(list_zip(${left.sql}, ${right.sql}), lambda blade_pair: ${replaced})`;
    return { sql, type: arrayType(body.type), name: showLambda(call, [left, right], [[2, body]]) };
  },
  map_filter: (call) => {
    const { entries, body, map, name } = readEntryLambda(call);
    const kept = `list_filter(${entries}, lambda blade_entry: coalesce(${body.sql}, false))`;
    return { sql: `map_from_entries(${kept})`, type: map.type, name };
  },
  transform_values: (call) => {
    const { entries, body, map, name } = readEntryLambda(call);
    const sql = writeMap(entries, 'blade_entry.key', body.sql);
    return { sql, type: mapType(innerTypes(map.type)[0], body.type), name };
  },
  transform_keys: (call) => {
    const { entries, body, map, name } = readEntryLambda(call);
    const sql = writeMap(entries, body.sql, 'blade_entry.value');
    return { sql, type: mapType(body.type, innerTypes(map.type)[1]), name };
  },
};

/** Reads a call of an array and a lambda of an item and its place. */
function readItemLambda(call: Call) {
  const list = call.writer.write(call.nodes[0]);
  const { parameters, body } = call.writer.lambda(call.nodes[1], [innerTypes(list.type)[0] ?? null, 'INT']);
  const [item = '', place] = parameters;
  const name = showLambda(call, [list], [[parameters.length, body]]);
  if (place === undefined) return { list, variables: quoteName(item), body, name };
  // DuckDB counts places from 1.
  const sql = replaceName(body.sql, place, 'CAST(blade_place - 1 AS INTEGER)');
  return { list, variables: `${quoteName(item)}, blade_place`, body: { ...body, sql }, name };
}

/** Reads a call of a map and a lambda of a key and a value. */
function readEntryLambda(call: Call) {
  const map = call.writer.write(call.nodes[0]);
  const { parameters, body } = call.writer.lambda(call.nodes[1], innerTypes(map.type));
  const [key = 'k', value = 'v'] = parameters;
  const sql = replaceName(replaceName(body.sql, key, 'blade_entry.key'), value, 'blade_entry.value');
  return {
    map,
    entries: `map_entries(${toArgument(call, map, 'm')})`,
    body: { ...body, sql },
    name: showLambda(call, [map], [[2, body]]),
  };
}

function writeMap(entries: string, key: string, value: string): string {
  const list = (sql: string) => `list_transform(${entries}, lambda blade_entry: ${sql})`;
  return `spark_map_from_arrays(${list(key)}, ${list(value)})`;
}

function writeQuantifier(call: Call, macro: string): Written {
  const list = call.writer.write(call.nodes[0]);
  const { parameters, body } = call.writer.lambda(call.nodes[1], [innerTypes(list.type)[0] ?? null]);
  const sql = `${macro}(list_transform(${toArgument(call, list, 'a')}, lambda ${quoteName(parameters[0] ?? '')}: ${body.sql}))`;
  return { sql, type: 'BOOLEAN', name: showLambda(call, [list], [[1, body]]) };
}

function writeReduce(call: Call): Written {
  const [list, start] = [call.writer.write(call.nodes[0]), call.writer.write(call.nodes[1])];
  const item = innerTypes(list.type)[0] ?? null;
  // DuckDB would take the values of other rows wherever lists have different lengths.
  if (usesOtherNames(call.nodes[2]))
    return refuseOnFolder(`${call.name}() with a lambda that uses more than its parameters`);
  const merge = call.writer.lambda(call.nodes[2], [start.type, item]);
  if (start.type === null || start.type !== merge.body.type)
    return refuseOnFolder(`${call.name}() whose state changes its type`, 'CAST its start');
  const type = start.type;
  if (item !== type) return refuseOnFolder(`${call.name}() over items of another type than its start`);
  const [state = 's', value = 'x'] = merge.parameters;
  const sql = `list_reduce(${list.sql}, lambda ${quoteName(state)}, ${quoteName(value)}: ${merge.body.sql}, ${start.sql})`;
  if (call.nodes[3] === undefined) {
    const identity: Written = { sql: '', type, name: 'namedlambdavariable()' };
    return {
      sql,
      type,
      name: showLambda(
        call,
        [list, start],
        [
          [2, merge.body],
          [1, identity],
        ],
      ),
    };
  }
  const finish = call.writer.lambda(call.nodes[3], [type]);
  const finished = `list_transform([${sql}], lambda ${quoteName(finish.parameters[0] ?? '')}: ${finish.body.sql})[1]`;
  return {
    sql: finished,
    type: finish.body.type,
    name: showLambda(
      call,
      [list, start],
      [
        [2, merge.body],
        [1, finish.body],
      ],
    ),
  };
}

/** Whether a lambda uses columns, or parameters of a lambda around it. */
function usesOtherNames(node: unknown, own: ReadonlySet<string> = new Set()): boolean {
  if (Array.isArray(node)) return node.some((part) => usesOtherNames(part, own));
  if (!isObject(node)) return false;
  const { name, table } = getContent(node, 'column');
  if (name !== undefined) return !own.has(asciiLowerCase(readName(isPresent(table) ? table : name)));
  const { parameters, body } = getContent(node, 'lambda');
  if (body !== undefined) {
    const names = readObjects(parameters).map((parameter) => asciiLowerCase(readName(parameter)));
    return usesOtherNames(body, new Set([...own, ...names]));
  }
  return Object.values(node).some((part) => usesOtherNames(part, own));
}

/** The name of a call with lambdas, each with the number of its parameters. */
function showLambda(
  call: Call,
  values: readonly Written[],
  lambdas: readonly (readonly [count: number, body: Written])[],
): string | null {
  const shown = [...values, ...lambdas.map(([, body]) => body)];
  if (shown.some(({ name }) => name === null)) return null;
  const functions = lambdas.map(
    ([count, { name }]) =>
      `lambdafunction(${[name, ...Array(count).fill('namedlambdavariable()')].join(', ')})`,
  );
  return `${call.name}(${[...values.map(({ name }) => name), ...functions].join(', ')})`;
}

function replaceName(sql: string, name: string, replacement: string): string {
  return sql
    .split(/('(?:[^']|'')*')/)
    .map((part) => (part.startsWith("'") ? part : part.replaceAll(quoteName(name), replacement)))
    .join('');
}
