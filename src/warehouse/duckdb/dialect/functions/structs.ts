import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { getContent, getKind } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { showCall } from '../call.ts';
import { structType } from '../nested-types.ts';
import { readName } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { Written } from '../written.ts';
import type { Family } from './family.ts';

/** Functions that make structs. */
export const structs: Family = {
  struct: (call) => {
    if (call.nodes.some((node) => getKind(node) === 'star'))
      return refuseOnFolder('struct(*)', 'name the columns');
    const fields = call.nodes.map(
      (node, index) => [readFieldName(node, index), call.args[index] as Written] as const,
    );
    const names = call.nodes.map((node, index) => {
      const shown = call.args[index]?.name ?? null;
      return getKind(node) === 'alias' && shown !== null
        ? `${shown} AS ${readFieldName(node, index)}`
        : shown;
    });
    return writeStruct(fields, names.includes(null) ? null : `struct(${names.join(', ')})`);
  },
  named_struct: (call) => {
    const fields = call.args.flatMap((key, index) => {
      if (index % 2 === 1) return [];
      const value = call.args[index + 1];
      if (typeof key.literal !== 'string' || value === undefined)
        return refuseOnFolder('named_struct() with a name that is not a text in the statement');
      return [[key.literal, value] as const];
    });
    return writeStruct(fields, showCall(call));
  },
};

/** The name that a column or the alias of an argument gives to a field. */
export function readFieldName(node: unknown, index: number): string {
  if (getKind(node) === 'alias') return readName(getContent(node, 'alias').alias);
  if (getKind(node) === 'column') return readName(getContent(node, 'column').name);
  if (getKind(node) === 'dot') return readName(getContent(node, 'dot').field);
  return `col${index + 1}`;
}

/** Writes struct(…) and named_struct(…). */
function writeStruct(
  fields: readonly (readonly [name: string, value: Written])[],
  name: string | null,
): Written {
  const keys = fields.map(([key]) => asciiLowerCase(key));
  if (new Set(keys).size < keys.length) return refuseOnFolder('A struct of two fields with one name');
  if (fields.length === 0) return refuseOnFolder('A struct without fields');
  const list = fields.map(([key, value]) => `${quoteName(key)} := ${value.sql}`).join(', ');
  return {
    sql: `struct_pack(${list})`,
    type: structType(fields.map(([key, value]) => [key, value.type])),
    name,
  };
}
