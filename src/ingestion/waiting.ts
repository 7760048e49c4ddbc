import type { Warehouse } from '../warehouse/warehouse.ts';
import type { PartitionProgress } from './partition-task.ts';

export interface ShownWaiting {
  readonly warehouse: Warehouse;
  readonly onProgress: (progress: PartitionProgress) => void;
}

/** Shows "Waiting for the warehouse" instead of other progress while a statement waits in the warehouse. */
export function showWaiting(
  warehouse: Warehouse,
  onProgress: (progress: PartitionProgress) => void,
): ShownWaiting {
  let isWaiting = false;
  let latest: PartitionProgress | null = null;

  function onWaiting(waits: boolean): void {
    isWaiting = waits;
    if (waits) onProgress(WAITING);
    else if (latest !== null) onProgress(latest);
  }

  return {
    warehouse: {
      describeTable: (table, signal) => warehouse.describeTable(table, signal, onWaiting),
      countUnreadable: (table, signal) => warehouse.countUnreadable(table, signal),
      countRows: (statement, signal) => warehouse.countRows(statement, signal, onWaiting),
      readRows: (statement, options) => warehouse.readRows(statement, { ...options, onWaiting }),
      close: () => warehouse.close(),
    },
    onProgress(progress) {
      latest = progress;
      if (!isWaiting) onProgress(progress);
    },
  };
}

const WAITING: PartitionProgress = { currentOperation: 'Waiting for the warehouse to start' };
