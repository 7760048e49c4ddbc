import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { isPresent, readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';

/** ORDER BY, LIMIT and OFFSET. */
export function writeTail(writer: StatementWriter, content: SyntaxNode): string {
  for (const key of ['sort_by', 'cluster_by', 'distribute_by', 'fetch', 'top'])
    if (isObject(content[key])) refuseOnFolder(key.replaceAll('_', ' ').toUpperCase());
  const order = isObject(content.order_by) ? writeOrder(writer, content.order_by.expressions) : '';
  const limit = unwrapLimit(content.limit);
  const offset = unwrapLimit(content.offset);
  return [
    order === '' ? '' : ` ORDER BY ${order}`,
    limit === null ? '' : ` LIMIT ${writer.write(limit).sql}`,
    offset === null ? '' : ` OFFSET ${writer.write(offset).sql}`,
  ].join('');
}

/** Writes what follows ORDER BY. */
export function writeOrder(writer: StatementWriter, items: unknown): string {
  return readObjects(items)
    .map((item) => writeOrderItem(writer, item))
    .join(', ');
}

function writeOrderItem(writer: StatementWriter, item: SyntaxNode): string {
  const { name, table } = getContent(item.this, 'column');
  const isQuoted = isObject(name) && name.quoted === true;
  if (table == null && !isQuoted && asciiLowerCase(readName(name)) === 'all')
    refuseOnFolder('ORDER BY ALL', 'name the columns');
  return `${writer.write(item.this).sql} ${showDirection(item)}`;
}

/** The direction of an item of ORDER BY, and where it puts nulls. */
export function showDirection(item: SyntaxNode): string {
  const isDescending = item.desc === true;
  const nullsFirst = typeof item.nulls_first === 'boolean' ? item.nulls_first : !isDescending;
  return `${isDescending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
}

function unwrapLimit(limit: unknown): unknown {
  if (!isPresent(limit)) return null;
  return isObject(limit) && 'this' in limit && getKind(limit) === null ? limit.this : limit;
}
