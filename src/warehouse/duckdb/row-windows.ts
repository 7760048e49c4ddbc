import { isObject } from '../../shared/json.ts';
import { listIn, nodeIn, type TreeNode } from './tree.ts';

/** Some rows of a table, by their numbers in its file. */
export interface RowWindow {
  readonly first: number;
  /** The number behind the last one. */
  readonly end: number;
}

/** How to read a table whose rows are so large that a chunk of them would take too much memory. */
export interface RowWindows {
  /** The number of rows in the file. */
  readonly rows: number;
  /** How many of them to read at once. */
  readonly size: number;
}

/** The variable of a connection with the first row of its window. */
export const FIRST_ROW = 'blade_first_row';

/** The variable of a connection with the row behind the last one of its window. */
export const END_ROW = 'blade_end_row';

/** Splits a table into windows, in the order of its rows. */
export function splitIntoWindows({ rows, size }: RowWindows): readonly RowWindow[] {
  return Array.from({ length: Math.max(Math.ceil(rows / size), 1) }, (_, index) => ({
    first: index * size,
    end: Math.min((index + 1) * size, rows),
  }));
}

/**
 * Whether a statement gives the rows of one table one by one, or some of them, in their order. Then it gives the same rows
 * for the whole table as for one window after the other.
 */
export function isRowByRow(statement: TreeNode): boolean {
  const node = nodeIn(statement, 'node');
  const source = nodeIn(node, 'from_table');
  const isSource =
    source.type === 'BASE_TABLE' || (source.type === 'SUBQUERY' && isRowByRow(nodeIn(source, 'subquery')));
  return (
    node.type === 'SELECT_NODE' &&
    isSource &&
    source.sample === null &&
    listIn(nodeIn(node, 'cte_map'), 'map').length === 0 &&
    [node.modifiers, node.group_expressions, node.group_sets].every(
      (list) => Array.isArray(list) && list.length === 0,
    ) &&
    node.aggregate_handling === 'STANDARD_HANDLING' &&
    [node.having, node.sample, node.qualify].every((part) => part === null) &&
    listIn(node, 'select_list').every((column) => column.class === 'STAR' || column.class === 'COLUMN_REF') &&
    !looksElsewhere(node.where_clause)
  );
}

/** Whether a part of a statement depends on other rows. */
function looksElsewhere(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(looksElsewhere);
  if (!isObject(part)) return false;
  return part.class === 'SUBQUERY' || part.class === 'WINDOW' || Object.values(part).some(looksElsewhere);
}
