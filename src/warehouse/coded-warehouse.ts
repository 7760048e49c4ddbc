import { isDiskFull } from '../shared/full-disk.ts';
import { isNetworkFault } from '../shared/network-fault.ts';
import { AbortError } from './abort.ts';
import {
  type ChangeFeed,
  type RowBatch,
  type TableHistory,
  type TableReader,
  type Warehouse,
  WarehouseError,
} from './warehouse.ts';

/**
 * Gives each error of a warehouse a code: a fault of the network is INTERRUPTED, and anything else, such as a value that
 * cannot be decoded, is STATEMENT_FAILED, because reading again would fail again.
 */
export function withErrorCodes(warehouse: Warehouse): Warehouse {
  const { findContents, findParts, hasRowCount, history, endStatements } = warehouse;
  return {
    ...readerWithCodes(warehouse),
    findVersion: (...given) => withCode(() => warehouse.findVersion(...given)),
    ...(findContents && { findContents: (...given) => withCode(() => findContents.apply(warehouse, given)) }),
    ...(findParts && { findParts: (...given) => withCode(() => findParts.apply(warehouse, given)) }),
    ...(hasRowCount && { hasRowCount: (...given) => withCode(() => hasRowCount.apply(warehouse, given)) }),
    ...(history && { history: historyWithCodes(history) }),
    countUnreadable: (...given) => withCode(() => warehouse.countUnreadable(...given)),
    ...(endStatements && {
      endStatements: (...given) => withCode(() => endStatements.apply(warehouse, given)),
    }),
    close: () => warehouse.close(),
  };
}

function historyWithCodes(history: TableHistory): TableHistory {
  const { listRenames, changes } = history;
  return {
    readAt: (version) => readerWithCodes(history.readAt(version)),
    describe: (version) => history.describe(version),
    findRewrite: (...given) => withCode(() => history.findRewrite(...given)),
    ...(changes && { changes: changesWithCodes(changes) }),
    ...(listRenames && { listRenames: (...given) => withCode(() => listRenames.apply(history, given)) }),
  };
}

function changesWithCodes(changes: ChangeFeed): ChangeFeed {
  return {
    isKept: (version) => changes.isKept(version),
    async readChanges(...given) {
      const { resumed, batches } = await withCode(() => changes.readChanges(...given));
      return { resumed, batches: readWithCodes(batches) };
    },
  };
}

function readerWithCodes(reader: TableReader): TableReader {
  return {
    describeTable: (...given) => withCode(() => reader.describeTable(...given)),
    countRows: (...given) => withCode(() => reader.countRows(...given)),
    async readRows(...given) {
      const { resumed, batches } = await withCode(() => reader.readRows(...given));
      return { resumed, batches: readWithCodes(batches) };
    },
  };
}

async function* readWithCodes(batches: AsyncIterable<RowBatch>): AsyncGenerator<RowBatch> {
  try {
    for await (const batch of batches) {
      const {
        size,
        textColumns = [],
        unreadable = [],
        gone = [],
        passed = [],
        fingerprint,
        position,
        kept,
      } = batch;
      yield {
        ...{ size, textColumns, unreadable, gone, passed, fingerprint, position },
        ...(kept === undefined
          ? {}
          : { kept: { load: () => withCode(() => kept.load()), release: () => kept.release() } }),
        // Not copied: a warehouse may create them on each access.
        get rows() {
          try {
            return batch.rows;
          } catch (error) {
            throw toCodedError(error);
          }
        },
      };
    }
  } catch (error) {
    throw toCodedError(error);
  }
}

async function withCode<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw toCodedError(error);
  }
}

function toCodedError(error: unknown): unknown {
  if (error instanceof WarehouseError || error instanceof AbortError || isDiskFull(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return isNetworkFault(error)
    ? new WarehouseError('INTERRUPTED', `The warehouse cannot be reached: ${message}`, { cause: error })
    : new WarehouseError('STATEMENT_FAILED', `The warehouse cannot be read: ${message}`, { cause: error });
}
