import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { getContent, getKind } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { innerTypes, structFields } from '../nested-types.ts';
import { readList } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { isInteger, type KnownType } from '../types.ts';
import { type ExpressionWriter, unify, type Written } from '../written.ts';

/** A function that returns rows, as a SELECT with the names and types of its columns. */
export interface Generator {
  readonly sql: string;
  readonly names: readonly string[];
  readonly types: readonly KnownType[];
}

/** Writes a function that returns rows; null for any other expression. */
export function writeGenerator(writer: ExpressionWriter, node: unknown): Generator | null {
  const call = readCall(node);
  if (call === null) return null;
  const args = call.args.map((argument) => {
    const given = getContent(argument, 'named_argument');
    return 'value' in given ? given.value : argument;
  });
  if (REFUSED.has(call.name)) return refuseOnFolder(`${call.name}()`);
  return GENERATORS.get(call.name)?.({ name: call.name, args, writer }) ?? null;
}

/** The columns of a generator under the names that they are given, or else its own. */
export function nameOutputs(
  { names, types }: Generator,
  given: readonly string[],
  what: string,
): { readonly names: readonly string[]; readonly columns: Map<string, KnownType> } {
  const outputs = given.length === 0 ? names : given;
  if (outputs.length !== names.length) refuseOnFolder(`${what} with other names than it has columns`);
  const columns = new Map(outputs.map((name, index) => [asciiLowerCase(name), types[index] ?? null]));
  return { names: outputs, columns };
}

interface GeneratorCall {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly writer: ExpressionWriter;
}

const GENERATORS: ReadonlyMap<string, (call: GeneratorCall) => Generator | null> = new Map([
  ['explode', (call) => writeExplode(call, false)],
  ['explode_outer', (call) => writeExplode(call, true)],
  ['posexplode', (call) => writePosExplode(call, 'spark_list')],
  ['posexplode_outer', (call) => writePosExplode(call, 'spark_list_or_null')],
  ['inline', (call) => writeInline(call, 'spark_list')],
  ['inline_outer', (call) => writeInline(call, 'spark_list_or_null')],
  ['stack', writeStack],
  ['json_tuple', writeJsonTuple],
  ['range', writeRange],
]);

const REFUSED: ReadonlySet<string> = new Set([
  'variant_explode',
  'variant_explode_outer',
  'unnest',
  'generate_series',
]);

function writeExplode({ name, args, writer }: GeneratorCall, isOuter: boolean): Generator {
  const { sql, type } = writer.write(args[0]);
  if (type?.startsWith('MAP') === true) {
    const [key = null, value = null] = innerTypes(type);
    return {
      sql: isOuter
        ? `SELECT blade_entry.key, blade_entry.value FROM (SELECT unnest(CASE WHEN coalesce(cardinality(${sql}), 0) = 0 THEN [NULL] ELSE map_entries(${sql}) END) AS blade_entry)`
        : `SELECT unnest(map_keys(${sql})), unnest(map_values(${sql}))`,
      names: ['key', 'value'],
      types: [key, value],
    };
  }
  if (type !== null && !type.startsWith('ARRAY')) refuseOnFolder(`${name} of ${type}`);
  return {
    sql: `SELECT unnest(${isOuter ? 'spark_list_or_null' : 'spark_list'}(${sql}))`,
    names: ['col'],
    types: [innerTypes(type)[0] ?? null],
  };
}

function writePosExplode({ name, args, writer }: GeneratorCall, macro: string): Generator {
  const { sql, type } = writer.write(args[0]);
  if (type?.startsWith('MAP') === true) return refuseOnFolder(`${name} of a map`);
  const place = `generate_subscripts(${macro}(${sql}), 1) - 1`;
  const shown =
    macro === 'spark_list' ? place : `CASE WHEN coalesce(len(${sql}), 0) = 0 THEN NULL ELSE ${place} END`;
  return {
    sql: `SELECT * FROM (SELECT ${shown}, unnest(${macro}(${sql})))`,
    names: ['pos', 'col'],
    types: ['INT', innerTypes(type)[0] ?? null],
  };
}

function writeInline({ args, writer }: GeneratorCall, macro: string): Generator {
  const { sql, type } = writer.write(args[0]);
  const fields = structFields(innerTypes(type)[0] ?? null);
  if (fields === null) return refuseOnFolder('inline() of rows whose fields are not in the statement');
  const columns = fields.map(([name]) => `blade_row.${quoteName(name)}`).join(', ');
  return {
    sql: `SELECT ${columns} FROM (SELECT unnest(${macro}(${sql})) AS blade_row)`,
    names: fields.map(([name]) => name),
    types: fields.map(([, type]) => type),
  };
}

function writeStack({ args, writer }: GeneratorCall): Generator {
  const [count, ...values] = args.map((argument) => writer.write(argument));
  const rows = count?.literal;
  if (typeof rows !== 'number' || rows < 1) return refuseOnFolder('stack() with such a number of rows');
  const width = Math.ceil(values.length / rows);
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: width }, (_, column) => values[row * width + column] ?? NULL),
  );
  const types = Array.from({ length: width }, (_, column) =>
    unify(
      lines.map((line) => line[column] ?? NULL),
      'A column of stack()',
    ),
  );
  return {
    sql: `SELECT * FROM (VALUES ${lines.map((line) => `(${line.map(({ sql }) => sql).join(', ')})`).join(', ')})`,
    names: types.map((_, index) => `col${index}`),
    types,
  };
}

const NULL: Written = { sql: 'NULL', type: 'VOID', name: null };

function writeJsonTuple({ args, writer }: GeneratorCall): Generator | null {
  const [json, ...keys] = args.map((argument) => writer.write(argument));
  if (json === undefined) return null;
  return {
    sql: `SELECT ${keys.map((key) => `spark_json_field(${json.sql}, ${key.sql})`).join(', ')}`,
    names: keys.map((_, index) => `c${index}`),
    types: keys.map(() => 'STRING'),
  };
}

function writeRange({ args, writer }: GeneratorCall): Generator {
  const numbers = args.map((argument) => writer.write(argument));
  if (numbers.some(({ type }) => type !== null && !isInteger(type)))
    return refuseOnFolder('range() of this type');
  if (numbers.length > 3) return refuseOnFolder('range() with a number of partitions');
  return {
    sql: `SELECT range FROM range(${numbers.map(({ sql }) => `CAST(${sql} AS BIGINT)`).join(', ')})`,
    names: ['id'],
    types: ['BIGINT'],
  };
}

/** Reads a plain call; its name in lower case, as people know it. */
function readCall(node: unknown): { readonly name: string; readonly args: readonly unknown[] } | null {
  const kind = getKind(node);
  if (kind === 'explode') return { name: 'explode', args: [getContent(node, kind).this] };
  if (kind !== 'function') return null;
  const { name, args } = getContent(node, kind);
  if (typeof name !== 'string') return null;
  return { name: asciiLowerCase(name).replace(/^spark_/, ''), args: readList(args) };
}
