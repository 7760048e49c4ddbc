import { compose, composeName, composeStatement } from '../sql-check/checked-statement.ts';
import { findColumn } from '../warehouse/find-column.ts';
import type { AllowedTable, ChangeRange, CheckedSql, TableColumn } from '../warehouse/warehouse.ts';
import { composeItemId } from './item-id-sql.ts';
import type { ChangedRows, CheckedPlan } from './partition-task.ts';

/** Plans to read what has changed in a table. Nobody knows how many rows that is. */
export function planChanges(
  table: AllowedTable,
  columns: readonly TableColumn[],
  identifyingColumns: readonly string[],
  from: string,
  deletesGone: boolean,
): { readonly plan: Extract<CheckedPlan, { kind: 'STATEMENT' }>; readonly totalItems: null } {
  const idColumn = findColumn(columns, identifyingColumns[0] ?? '')?.name ?? null;
  const changes: ChangedRows = { from, columns: columns.map(({ name }) => name), idColumn, deletesGone };
  const unknown = { version: null, tableVersion: null, read: null, measure: null, deletes: null };
  return {
    plan: {
      kind: 'STATEMENT',
      // What it reads, if not how.
      statement: composeStatement`SELECT * FROM ${table}`,
      ...{ watermark: null, rowCount: null, ...unknown, changes },
    },
    totalItems: null,
  };
}

/** Composes what the warehouse needs to read changes up to a version. */
export function toChangeRange({ from, columns, idColumn }: ChangedRows, to: string): ChangeRange {
  const [first, ...others] = columns.map(composeName);
  const list = others.reduce((left, right) => compose`${left}, ${right}`, first ?? compose``);
  const text = compose`TO_JSON(STRUCT(${list}))`;
  return { from, to, columns, text, key: composeKey(idColumn, text) };
}

/** Each row without an id becomes an item: see `deriveId` in transform.ts. */
function composeKey(idColumn: string | null, text: CheckedSql): CheckedSql {
  return idColumn === null ? text : compose`COALESCE(NULLIF(${composeItemId(idColumn)}, ''), ${text})`;
}
