import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { writeCall } from '../calls.ts';
import { isPresent, readList, readName } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter, WrittenSource } from '../statement-writer.ts';
import type { Written } from '../written.ts';

/** Writes a PIVOT as an aggregation. @param source what it reads. */
export function writePivot(
  writer: StatementWriter,
  content: SyntaxNode,
  source: WrittenSource,
): WrittenSource {
  const [field] = readList(content.fields);
  const membership = getContent(field, 'in');
  const name = readName(getContent(membership.this, 'column').name);
  if (name === '' || readList(content.fields).length !== 1 || isPresent(content.unpivot))
    refuseOnFolder('PIVOT of this form');
  const columns = source.sources[0]?.columns ?? null;
  if (columns === null) return refuseOnFolder('PIVOT of a table', 'select its columns in a sub-query first');
  return writer.inside(source.sources, () => {
    const used = new Set([asciiLowerCase(name)]);
    const calls = readList(content.expressions);
    for (const call of calls) for (const column of listColumns(call)) used.add(asciiLowerCase(column));
    const groups = [...columns.keys()].filter((column) => !used.has(column));
    const values = readList(membership.expressions).map((value) => {
      const alias = getContent(value, 'pivot_alias');
      const written = writer.write('this' in alias ? alias.this : value);
      const given = readName(getContent(alias.alias, 'column').name) || readName(alias.alias);
      return {
        written,
        label: given === '' ? nameValue(written) : given,
      };
    });
    const outputs = values.flatMap(({ written, label }) =>
      calls.map((call) => {
        const alias = getContent(call, 'alias');
        const inner = 'this' in alias ? alias.this : call;
        const filtered = writeFiltered(
          writer,
          inner,
          `${quoteName(name)} IS NOT DISTINCT FROM ${written.sql}`,
        );
        const suffix =
          readName(alias.alias) ||
          writer.write(inner).name ||
          refuseOnFolder('PIVOT of such an aggregate without a name', 'name it with AS');
        return { filtered, label: calls.length === 1 ? label : `${label}_${suffix}` };
      }),
    );
    const list = [
      ...groups.map((group) => quoteName(group)),
      ...outputs.map(({ filtered, label }) => `${filtered.sql} AS ${quoteName(label)}`),
    ];
    const by = groups.length === 0 ? '' : ` GROUP BY ${groups.map(quoteName).join(', ')}`;
    const types = new Map([
      ...groups.map((group) => [group, columns.get(group) ?? null] as const),
      ...outputs.map(({ filtered, label }) => [asciiLowerCase(label), filtered.type] as const),
    ]);
    const alias = readName(content.alias) || 'blade_pivot';
    return {
      sql: `(SELECT ${list.join(', ')} FROM ${source.sql}${by}) AS ${quoteName(alias)}`,
      sources: [{ alias, columns: types }],
    };
  });
}

/** The column that Databricks names after a value. */
function nameValue({ name, literal }: Written): string {
  if (literal === undefined || name === null)
    return refuseOnFolder('PIVOT of such a value without a name', 'name it with AS');
  return name;
}

/** Writes an aggregate over those of its rows for which a condition is true. */
function writeFiltered(writer: StatementWriter, node: unknown, condition: string): Written {
  return writeCall(writer, node, { condition }) ?? refuseOnFolder('An aggregate of this form');
}

/** The names of all columns in a part of the syntax tree. */
function listColumns(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(listColumns);
  if (!isObject(node)) return [];
  const { name } = getContent(node, 'column');
  return [...(isObject(name) ? [readName(name)] : []), ...Object.values(node).flatMap(listColumns)];
}
