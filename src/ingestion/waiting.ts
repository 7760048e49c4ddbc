import type { Warehouse } from '../warehouse/warehouse.ts';

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

  return {
    warehouse: {
      describeTable: (table, signal) => warehouse.describeTable(table, signal, onWaiting),
      findVersion: (tables, signal) => warehouse.findVersion(tables, signal),
      countUnreadable: (table, signal) => warehouse.countUnreadable(table, signal),
      countRows: (statement, signal) => warehouse.countRows(statement, signal, onWaiting),
      readRows: (statement, options) => warehouse.readRows(statement, { ...options, onWaiting }),
      close: () => warehouse.close(),
    },
    onOperation(operation) {
      latest = operation;
      if (!isWaiting) onOperation(operation);
    },
  };
}
