import type { TableReader, Warehouse } from '../warehouse/warehouse.ts';

/** Called with what is being done now, as text to show. */
export type OnOperation = (operation: string) => void;

export interface ShownWaiting {
  readonly warehouse: Warehouse;
  readonly onOperation: OnOperation;
  /** Called when the catalog does not do its work, with what it does instead; with null when it does it again. */
  readonly onCatalogFault: (fault: string | null) => void;
}

/**
 * Shows what is waited for instead of other progress while a statement waits in the warehouse, or uploads for the catalog; and
 * how far a statement is in the warehouse, beside it.
 */
export function showWaiting(warehouse: Warehouse, onOperation: OnOperation): ShownWaiting {
  let statement: string | null = null;
  let detail: string | null = null;
  let uploads: string | null = null;
  let latest: string | null = null;

  function showLatest(): void {
    const operation = uploads ?? statement ?? latest;
    if (operation === null) return;
    onOperation(operation === latest && detail !== null ? `${operation} (${detail})` : operation);
  }

  function onWaiting(waiting: boolean | string): void {
    statement = waiting === true ? 'Waiting for the warehouse to start' : null;
    detail = typeof waiting === 'string' ? waiting : null;
    showLatest();
  }

  const toShown = (reader: TableReader): TableReader => ({
    describeTable: (table, signal) => reader.describeTable(table, signal, onWaiting),
    countRows: (statement, signal) => reader.countRows(statement, signal, onWaiting),
    readRows: (statement, options) => reader.readRows(statement, { ...options, onWaiting }),
  });
  const { findContents, findParts, hasRowCount, history } = warehouse;
  const { listRenames, changes } = history ?? {};
  return {
    warehouse: {
      ...toShown(warehouse),
      findVersion: (tables, signal) => warehouse.findVersion(tables, signal, onWaiting),
      ...(findContents && {
        findContents: (tables, signal) => findContents.call(warehouse, tables, signal, onWaiting),
      }),
      ...(findParts && { findParts: findParts.bind(warehouse) }),
      ...(hasRowCount && { hasRowCount: hasRowCount.bind(warehouse) }),
      ...(history && {
        history: {
          ...(listRenames && {
            listRenames: (from, to, signal) => listRenames.call(history, from, to, signal, onWaiting),
          }),
          ...(changes && {
            changes: {
              isKept: (version) => changes.isKept(version),
              readChanges: (table, range, options) =>
                changes.readChanges(table, range, { ...options, onWaiting }),
            },
          }),
          readAt: (version) => toShown(history.readAt(version)),
          describe: (version) => history.describe(version),
          findRewrite: (from, to, signal) => history.findRewrite(from, to, signal, onWaiting),
        },
      }),
      countUnreadable: (table, signal) => warehouse.countUnreadable(table, signal),
      close: () => warehouse.close(),
    },
    onOperation(operation) {
      latest = operation;
      if (uploads === null && statement === null) showLatest();
    },
    onCatalogFault(fault) {
      uploads = fault === null ? null : `Waiting for the catalog, which ${fault}`;
      showLatest();
    },
  };
}
