import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import type { SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { structFields } from '../nested-types.ts';
import { readName } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { findColumn, isLateralAlias, isOuterColumn } from '../scope.ts';
import type { StatementWriter } from '../statement-writer.ts';
import type { Written } from '../written.ts';

/** Writes the name of a column, of a field of one, or of a parameter of a lambda. */
export function writeColumn(writer: StatementWriter, content: SyntaxNode): Written {
  const name = readName(content.name);
  const table = isObject(content.table) ? readName(content.table) : null;
  const lower = asciiLowerCase(name);
  if (table === null && writer.scope.lambdas.has(lower))
    return {
      sql: quoteName(name),
      type: writer.scope.lambdas.get(lower) ?? null,
      name: 'namedlambdavariable()',
    };
  const found = findColumn(writer.scope, table === null ? null : asciiLowerCase(table), lower);
  if (table !== null && found === undefined) {
    const struct =
      writer.scope.lambdas.get(asciiLowerCase(table)) ??
      findColumn(writer.scope, null, asciiLowerCase(table));
    const field = structFields(struct ?? null)?.find(([key]) => asciiLowerCase(key) === lower);
    if (field !== undefined) return { sql: `${quoteName(table)}.${quoteName(name)}`, type: field[1], name };
  }
  if (lower === 'grouping__id' && found === undefined)
    return refuseOnFolder('grouping__id', 'write grouping_id() with the columns');
  const sql = table === null ? quoteName(name) : `${quoteName(table)}.${quoteName(name)}`;
  if (found === undefined || found === null) writer.hasUnknownColumns = true;
  const isLateral = table === null && isLateralAlias(writer.scope, lower);
  const isOuter = isOuterColumn(writer.scope, table === null ? null : asciiLowerCase(table), lower);
  if (isOuter) writer.outerColumns += 1;
  return {
    sql,
    type: found ?? null,
    name: isOuter ? null : isLateral ? `lateralAliasReference(${name})` : name,
  };
}
