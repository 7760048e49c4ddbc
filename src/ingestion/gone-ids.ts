import { hasItemsAmong } from '../items/stored-items.ts';
import { type Row, type RowBatch, WarehouseError } from '../warehouse/warehouse.ts';
import type { Attempt } from './attempt.ts';
import type { Transform } from './transform.ts';

/** Ids of items, by what a change feed says of their rows. */
export interface GoneIds {
  /** Their rows are gone. */
  readonly gone: Set<string>;
  /** Their rows have come and gone, so the copy should have no such items. */
  readonly passed: Set<string>;
}

/** Gathers the ids of the items whose rows a change feed says are gone or have passed, derived as those of rows are. */
export async function* gatherGoneIds(
  batches: AsyncIterable<RowBatch>,
  transform: Transform,
  ids: GoneIds,
): AsyncGenerator<RowBatch> {
  for await (const batch of batches) {
    const textColumns = new Set(batch.textColumns ?? []);
    const gather = (rows: readonly Row[], into: Set<string>) => {
      for (const row of rows) {
        const made = transform(row, { textColumns });
        const itemId = made.ok ? made.item.itemId : made.itemId;
        if (itemId !== null) into.add(itemId);
      }
    };
    gather(batch.gone ?? [], ids.gone);
    gather(batch.passed ?? [], ids.passed);
    yield batch;
  }
}

/**
 * Checks that the copy has no items whose rows have passed. A sync that did not end, or that had a filter, may have stored them; or
 * another row has their id.
 * @throws WarehouseError CHANGES_GONE if it has some, so that all rows must be read.
 */
export async function checkPassed({ pool, task }: Attempt, { passed }: GoneIds): Promise<void> {
  const { dataSourceId, dataType } = task;
  if (dataSourceId === null || !(await hasItemsAmong(pool, { dataSourceId, dataType, itemIds: [...passed] })))
    return;
  throw new WarehouseError(
    'CHANGES_GONE',
    'The copy has items whose rows have come and gone since its last complete sync, so its change feed does not tell whether they are left.',
  );
}
