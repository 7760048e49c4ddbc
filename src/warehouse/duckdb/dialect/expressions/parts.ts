import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName, quoteText } from '../../text.ts';
import { arrayType, innerTypes, structFields } from '../nested-types.ts';
import { readName } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import { isInteger, type KnownType } from '../types.ts';
import { named, type Written } from '../written.ts';

/** Writes a field after a point. */
export function writeField(writer: StatementWriter, content: SyntaxNode): Written {
  const inner = writer.write(content.this);
  const name = readName(content.field);
  if (inner.type === 'VARIANT') return { sql: `${inner.sql}.${quoteName(name)}`, type: 'VARIANT', name };
  const findField = (type: KnownType) =>
    structFields(type)?.find(([key]) => asciiLowerCase(key) === asciiLowerCase(name));
  if (inner.type?.startsWith('ARRAY') === true) {
    const item = findField(innerTypes(inner.type)[0] ?? null);
    if (item === undefined)
      return refuseOnFolder('A field of the items of an array that only a column knows');
    const sql = `list_transform(${inner.sql}, lambda blade_field: struct_extract(blade_field, ${quoteText(name)}))`;
    return { sql, type: arrayType(item[1]), name: null };
  }
  if (inner.type?.startsWith('MAP') === true)
    return refuseOnFolder('A key of a map after a point', "write m['key']");
  const isReference = getKind(content.this) === 'column' || getKind(content.this) === 'dot';
  const sql = isReference
    ? `${inner.sql}.${quoteName(name)}`
    : `struct_extract(${inner.sql}, ${quoteText(name)})`;
  return { sql, type: findField(inner.type)?.[1] ?? null, name: isReference ? name : null };
}

/** Writes an item by its index or key. */
export function writeSubscript(writer: StatementWriter, content: SyntaxNode): Written {
  const [list, index] = [writer.write(content.this), writer.write(content.index)];
  const name = named`${list}[${index}]`;
  const [first = null, second = null] = innerTypes(list.type);
  if (list.type?.startsWith('MAP') === true || (list.type === null && index.type === 'STRING'))
    return { sql: `map_extract_value(${list.sql}, ${index.sql})`, type: second, name };
  if (list.type?.startsWith('ARRAY') === true || (list.type === null && isInteger(index.type)))
    return { sql: `spark_item(${list.sql}, ${index.sql})`, type: first, name };
  if (list.type === 'VARIANT') {
    const place = isInteger(index.type) ? `${index.sql} + 1` : index.sql;
    return { sql: `${list.sql}[${place}]`, type: 'VARIANT', name };
  }
  return refuseOnFolder(
    'An item by an index whose type only its column knows',
    'write element_at() or a number',
  );
}

/** Writes a path into JSON, as in `json:a.b`. */
export function writeJsonPath(writer: StatementWriter, content: SyntaxNode): Written {
  const json = writer.write(content.this);
  const path = getContent(content.expression, 'literal').value;
  if (typeof path !== 'string') return refuseOnFolder('A path of this form');
  const full = path.startsWith('[') ? `$${path}` : `$.${path}`;
  const last = /(\w+)(?:\[[^\]]*\])?$/.exec(path)?.[1] ?? null;
  return { sql: `json_extract_string(${json.sql}, ${quoteText(full)})`, type: 'STRING', name: last };
}
