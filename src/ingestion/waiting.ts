import type { TableReader, Warehouse } from '../warehouse/warehouse.ts';

/** Called with what is being done now, as text to show. */
export type OnOperation = (operation: string) => void;

export interface ShownWaiting {
  readonly warehouse: Warehouse;
  readonly onOperation: OnOperation;
}

/** Shows "Waiting for the warehouse" instead of other progress while a statement waits in the warehouse. */
export function showWaiting(warehouse: Warehouse, onOperation: OnOperation): ShownWaiting {
  let isWaiting = false;
  let latest: string | null = null;

  function onWaiting(waits: boolean): void {
    isWaiting = waits;
    if (waits) onOperation('Waiting for the warehouse to start');
    else if (latest !== null) onOperation(latest);
  }

  const toShown = (reader: TableReader): TableReader => ({
    describeTable: (table, signal) => reader.describeTable(table, signal, onWaiting),
    countRows: (statement, signal) => reader.countRows(statement, signal, onWaiting),
    readRows: (statement, options) => reader.readRows(statement, { ...options, onWaiting }),
  });
  const { findContents, hasRowCount, history } = warehouse;
  return {
    warehouse: {
      ...toShown(warehouse),
      findVersion: (tables, signal) => warehouse.findVersion(tables, signal, onWaiting),
      ...(findContents && {
        findContents: (tables, signal) => findContents.call(warehouse, tables, signal, onWaiting),
      }),
      ...(hasRowCount && { hasRowCount: hasRowCount.bind(warehouse) }),
      ...(history && {
        history: {
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
      if (!isWaiting) onOperation(operation);
    },
  };
}
