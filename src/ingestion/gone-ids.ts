import type { RowBatch } from '../warehouse/warehouse.ts';
import type { Transform } from './transform.ts';

/** Gathers the ids of the items whose rows a change feed says are gone, derived as those of rows are. */
export async function* gatherGoneIds(
  batches: AsyncIterable<RowBatch>,
  transform: Transform,
  onGone: (itemId: string) => void,
): AsyncGenerator<RowBatch> {
  for await (const batch of batches) {
    const textColumns = new Set(batch.textColumns ?? []);
    for (const row of batch.gone ?? []) {
      const made = transform(row, { textColumns });
      const itemId = made.ok ? made.item.itemId : made.itemId;
      if (itemId !== null) onGone(itemId);
    }
    yield batch;
  }
}
