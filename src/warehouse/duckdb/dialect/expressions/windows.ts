import { isObject } from '../../../../shared/json.ts';
import type { SyntaxNode } from '../../../../sql-check/syntax-tree.ts';
import { quoteName } from '../../text.ts';
import { isPresent, readList, readName, readObjects } from '../nodes.ts';
import { showDirection } from '../queries/order.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import type { WrittenWindow } from '../written.ts';

/** Writes the parts of a window: PARTITION BY, ORDER BY and its frame. */
export function writeWindow(writer: StatementWriter, spec: SyntaxNode): WrittenWindow {
  const window = isObject(spec.window_name) ? quoteName(readName(spec.window_name)) : '';
  const partition = readList(spec.partition_by).map((item) => writer.write(item));
  const order = readObjects(spec.order_by);
  if (window !== '' && (partition.length > 0 || order.length > 0 || isObject(spec.frame)))
    refuseOnFolder('A named window with more than its name in parentheses');
  const sql = [
    window,
    partition.length === 0 ? '' : `PARTITION BY ${partition.map((item) => item.sql).join(', ')}`,
    order.length === 0 ? '' : `ORDER BY ${writer.order(order)}`,
    isObject(spec.frame) ? writeFrame(writer, spec.frame) : '',
  ];
  const shown = [
    partition.length === 0 ? '' : `PARTITION BY ${partition.map(({ name }) => name).join(', ')}`,
    order.length === 0 ? '' : `ORDER BY ${order.map((item) => showOrder(writer, item)).join(', ')}`,
  ];
  const isNamed = window === '' && !isObject(spec.frame) && partition.every(({ name }) => name !== null);
  return {
    // In parentheses, DuckDB would copy the window, which it cannot if that has a frame.
    sql: window === '' ? `(${sql.filter((part) => part !== '').join(' ')})` : window,
    name: isNamed ? shown.filter((part) => part !== '').join(' ') : null,
    isOrdered: order.length > 0,
  };
}

function showOrder(writer: StatementWriter, item: SyntaxNode): string {
  const { name } = writer.write(item.this);
  return `${name ?? ''} ${showDirection(item)}`;
}

function writeFrame(writer: StatementWriter, frame: SyntaxNode): string {
  if (isPresent(frame.exclude)) refuseOnFolder('EXCLUDE in a window');
  const [start, end] = [
    writeBound(writer, frame.start),
    isPresent(frame.end) ? writeBound(writer, frame.end) : null,
  ];
  const kind = String(frame.kind).toUpperCase();
  return end === null ? `${kind} ${start}` : `${kind} BETWEEN ${start} AND ${end}`;
}

function writeBound(writer: StatementWriter, bound: unknown): string {
  const word = {
    CurrentRow: 'CURRENT ROW',
    UnboundedPreceding: 'UNBOUNDED PRECEDING',
    UnboundedFollowing: 'UNBOUNDED FOLLOWING',
  }[String(bound)];
  if (word !== undefined) return word;
  if (isObject(bound) && 'Preceding' in bound) return `${writer.write(bound.Preceding).sql} PRECEDING`;
  if (isObject(bound) && 'Following' in bound) return `${writer.write(bound.Following).sql} FOLLOWING`;
  return refuseOnFolder('A window of this form');
}
