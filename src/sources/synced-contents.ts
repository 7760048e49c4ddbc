import { z } from 'zod';
import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { ReadContents, SourceCopy } from '../ingestion/partition-task.ts';
import { type LevelCounts, NO_COUNTS } from '../items/level-counts.ts';

const syncedSchema = z.object({
  contents: z.string(),
  /** An INCREMENTAL sync has read only the rows from the watermark on. */
  syncType: z.enum(['FULL', 'INCREMENTAL']),
  itemChanges: z.int(),
  /** The items that it has saved or confirmed, by marking. */
  success: z.array(z.int()),
});

/** Writes what a complete sync has read, for `readSourceCopy`. */
export function toSynced(
  { contents, itemChanges }: ReadContents,
  syncType: SyncType,
  success: LevelCounts,
): Prisma.InputJsonObject {
  const synced: z.input<typeof syncedSchema> = { contents, syncType, itemChanges, success: [...success] };
  return synced;
}

/** Reads what is known of the copy of a source, for a sync of all its rows. */
export function readSourceCopy(source: DataSource, syncType: SyncType | null): SourceCopy {
  const itemChanges = Number(source.itemChanges);
  const synced = syncedSchema.safeParse(source.synced).data;
  // Without a cursor column, every sync reads all rows.
  const readsAll = syncType === 'FULL' || source.cursorColumn === null;
  const hasReadAll = synced?.syncType === 'FULL' || source.cursorColumn === null;
  if (synced === undefined || synced.itemChanges !== itemChanges || (readsAll && !hasReadAll))
    return { itemChanges, synced: null };
  const { contents, success } = synced;
  return { itemChanges, synced: { contents, success: readsAll ? success : NO_COUNTS } };
}
