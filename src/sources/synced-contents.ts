import { z } from 'zod';
import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { ReadContents, SourceCopy } from '../ingestion/partition-task.ts';
import { type LevelCounts, NO_COUNTS } from '../items/level-counts.ts';

const driftBasisSchema = z.object({
  /** The rows of the table that share the id of another. */
  sharedRows: z.int(),
  /** The most rows that can be missing in the copy because they failed. */
  failedRows: z.int(),
  itemChanges: z.int(),
});

/** What the next comparison of the copy of a source with its table begins with. */
export type DriftBasis = z.output<typeof driftBasisSchema>;

/** Reads what the next comparison begins with; null if it is not known. */
export function readDriftBasis(stored: DataSource['driftBasis']): DriftBasis | null {
  return driftBasisSchema.safeParse(stored).data ?? null;
}

const syncedSchema = z.object({
  contents: z.string(),
  /** An INCREMENTAL sync has read only the rows from the watermark on. */
  syncType: z.enum(['FULL', 'INCREMENTAL']),
  itemChanges: z.int(),
  /** Whether it has read the changes of the table, and not its rows. */
  isChanges: z.boolean().default(false),
  /** The items that it has saved or confirmed, by marking. */
  success: z.array(z.int()),
});

/** Writes what a complete sync has read, for `readSourceCopy`. */
export function toSynced(
  { contents, itemChanges, isChanges }: ReadContents,
  syncType: SyncType,
  success: LevelCounts,
): Prisma.InputJsonObject {
  const synced: z.input<typeof syncedSchema> = {
    ...{ contents, syncType, itemChanges, isChanges },
    success: [...success],
  };
  return synced;
}

/** Reads what is known of the copy of a source, for a sync of all its rows. */
export function readSourceCopy(source: DataSource, syncType: SyncType | null): SourceCopy {
  const itemChanges = Number(source.itemChanges);
  const basis = readDriftBasis(source.driftBasis);
  const known = basis?.itemChanges === itemChanges ? basis : null;
  const drift = {
    sharedRows: known?.sharedRows ?? null,
    missedRows: known === null || source.drift === null ? 0 : Number(source.drift) - known.failedRows,
  };
  const failedRows = known?.failedRows ?? 0;
  const synced = syncedSchema.safeParse(source.synced).data;
  // Without a cursor column, every sync reads all rows, unless it reads changes.
  const isFull = syncType !== 'INCREMENTAL';
  const readsAll = isFull || (source.cursorColumn === null && synced?.isChanges !== true);
  // An INCREMENTAL sync without a cursor column reads all rows, too, but does not find out which are gone.
  const isEnough =
    source.cursorColumn === null && synced?.isChanges !== true && (!isFull || source.deletePolicy === 'KEEP');
  const hasReadAll = synced?.syncType === 'FULL' || isEnough;
  if (
    drift.missedRows > 0 ||
    synced === undefined ||
    synced.itemChanges !== itemChanges ||
    (readsAll && !hasReadAll)
  )
    return { itemChanges, synced: null, ...drift, failedRows };
  const { contents, success } = synced;
  return { itemChanges, synced: { contents, success: readsAll ? success : NO_COUNTS }, ...drift, failedRows };
}
