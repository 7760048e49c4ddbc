import { VARCHAR } from '@duckdb/node-api';
import { isObject } from '../../../../shared/json.ts';
import { innerTypes, structFields } from '../nested-types.ts';
import { define, type ScalarFunction } from './definition.ts';

/** Functions of JSON. */
export const json: readonly ScalarFunction[] = [
  define('get_json_object', [VARCHAR, VARCHAR], VARCHAR, readJsonPath),
  define('json_field', [VARCHAR, VARCHAR], VARCHAR, readJsonField),
  define('read_json', [VARCHAR, VARCHAR], VARCHAR, readJsonBySchema),
];

/** A number as it is written, so that none of its digits is lost. */
class WrittenNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

interface ExactJson {
  parse(
    text: string,
    revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
}

/** Parses JSON with its numbers as written; undefined where it is none. */
function parse(text: string): unknown {
  try {
    return (JSON as unknown as ExactJson).parse(text, (_key, value, { source }) =>
      typeof value === 'number' ? new WrittenNumber(source ?? String(value)) : value,
    );
  } catch {
    return undefined;
  }
}

/** Writes a value as JSON. */
function write(value: unknown): string {
  if (value instanceof WrittenNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (isObject(value))
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}:${write(inner)}`)
      .join(',')}}`;
  return JSON.stringify(value) ?? 'null';
}

/** A value as text: a text without its quotes, everything else as JSON. */
function toText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : write(value);
}

const STEP = /\.([^.[\]*]+)|\[(\d+)\]|\['([^']*)'\]/gy;

/** Reads what is at a path of JSON, as in `$.a[0]`. */
function readJsonPath(json: string, path: string): string | null {
  if (path.includes('*')) throw new Error('A path with * is not available on the folder warehouse.');
  if (!path.startsWith('$')) return null;
  let value = parse(json);
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const step = STEP.exec(path);
    if (step === null) return null;
    const [, name, index, quoted] = step;
    if (index !== undefined) value = Array.isArray(value) ? value[Number(index)] : undefined;
    else value = readKey(value, name ?? quoted ?? '');
    if (value === undefined) return null;
  }
  return toText(value);
}

function readKey(value: unknown, key: string): unknown {
  return isObject(value) && !(value instanceof WrittenNumber) && Object.hasOwn(value, key)
    ? value[key]
    : undefined;
}

/** Reads a field of a JSON object. */
function readJsonField(json: string, key: string): string | null {
  return toText(readKey(parse(json), key));
}

/** Rewrites JSON so that it has what a schema names, each of the type there; null where it has another. */
function readJsonBySchema(json: string, schema: string): string | null {
  const value = parse(json);
  const fields = structFields(schema);
  if (
    fields !== null &&
    (value === undefined || Array.isArray(value) || !isObject(value) || value instanceof WrittenNumber)
  ) {
    // A row of nulls stands for what is no object.
    return json.trim() === '' ? null : write(Object.fromEntries(fields.map(([name]) => [name, null])));
  }
  const read = convert(value, schema);
  return read === null || read === undefined ? null : write(read);
}

function convert(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  const fields = structFields(type);
  if (fields !== null) {
    if (!isObject(value) || value instanceof WrittenNumber) return null;
    return Object.fromEntries(
      fields.map(([name, field]) => [name, convert(readKey(value, name), field ?? 'STRING')]),
    );
  }
  if (type.startsWith('ARRAY'))
    return Array.isArray(value) ? value.map((item) => convert(item, innerTypes(type)[0] ?? 'STRING')) : null;
  if (type.startsWith('MAP')) {
    if (!isObject(value) || value instanceof WrittenNumber) return null;
    const item = innerTypes(type)[1] ?? 'STRING';
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, convert(inner, item)]));
  }
  if (type === 'STRING') return toText(value);
  if (type === 'BOOLEAN') return typeof value === 'boolean' ? value : null;
  if (type === 'DOUBLE') return value instanceof WrittenNumber ? value : null;
  const limit = { TINYINT: 7n, SMALLINT: 15n, INT: 31n, BIGINT: 63n }[type];
  if (limit === undefined || !(value instanceof WrittenNumber) || !/^-?\d+$/.test(value.text)) return null;
  const number = BigInt(value.text);
  return number >= -(2n ** limit) && number < 2n ** limit ? value : null;
}
