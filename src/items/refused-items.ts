import type { Pool } from 'pg';
import type { RowItem } from '../data-types/blade-item.ts';
import { isDataError } from '../database/database-error.ts';
import type { LeasedWriter } from '../database/partition-lease.ts';
import type { SaveBatch } from './item-batches.ts';
import { NO_COUNTS } from './level-counts.ts';
import { createSaveStatement } from './save-statement.ts';
import { findReadIds, type SeenIds } from './seen-ids.ts';

/** An item that the database refuses to store. */
export interface RefusedItem {
  readonly item: RowItem;
  readonly message: string;
}

/** What a search for refused items uses: probes go through connections of the pool. */
export interface RefusedItemSearch {
  readonly pool: Pool;
  readonly writer: Pick<LeasedWriter, 'writeOn'>;
  readonly seenIds: SeenIds;
}

/** Finds the items that the database refuses, by halving. Each probe is rolled back. */
export async function findRefusedItems(
  search: RefusedItemSearch,
  batch: SaveBatch,
  items: readonly RowItem[] = batch.items,
): Promise<readonly RefusedItem[]> {
  const refusal = await probe(search, { ...batch, items, errors: [] });
  if (refusal === null) return [];
  const [only] = items;
  if (items.length === 1 && only !== undefined) return [{ item: only, message: refusal }];
  const middle = items.length >> 1;
  return [
    ...(await findRefusedItems(search, batch, items.slice(0, middle))),
    ...(await findRefusedItems(search, batch, items.slice(middle))),
  ];
}

/** Tries to save a batch. @returns why the database refuses it; null if it does not. */
async function probe({ pool, writer, seenIds }: RefusedItemSearch, batch: SaveBatch): Promise<string | null> {
  const client = await pool.connect();
  // Without a listener, a lost connection would end the thread. The running statement rejects in any case.
  const ignore = () => {};
  client.on('error', ignore);
  try {
    await client.query('begin');
    const { text, values } = createSaveStatement(
      batch,
      batch.items,
      NO_COUNTS,
      findReadIds(seenIds, batch, false),
    );
    await writer.writeOn(client, text, values);
    return null;
  } catch (error) {
    if (!isDataError(error)) throw error;
    return error.message;
  } finally {
    await client.query('rollback').then(
      () => client.release(),
      (error) => client.release(error),
    );
    client.off('error', ignore);
  }
}
