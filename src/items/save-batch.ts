import type { Pool } from 'pg';
import type { BladeItem, RowItem } from '../data-types/blade-item.ts';
import { isDataError } from '../database/database-error.ts';
import { HELD, LEASE, type LeasedWriter, type PartitionLease } from '../database/partition-lease.ts';
import type { ItemError, SaveBatch, UploadBatch } from './item-batches.ts';
import { createLevelArray, type LevelCounts, NO_COUNTS, sumLevels } from './level-counts.ts';
import type { CountedUploadBatch, ReadBatch, ReadBatches } from './read-batches.ts';
import { findRefusedItems, type RefusedItem } from './refused-items.ts';
import { countRows, createSaveStatement, type SavedItems } from './save-statement.ts';
import { findReadIds, type ReadIds, type SeenIds } from './seen-ids.ts';
import { findItems } from './stored-items.ts';
import { findUnchangedItems } from './unchanged-items.ts';

export interface BatchSaverOptions {
  readonly pool: Pool;
  readonly lease: Pick<PartitionLease, 'jobId'>;
  readonly writer: LeasedWriter;
  /** The ids of the read, to which each saved batch is added. */
  readonly seenIds: SeenIds;
  readonly remember: ReadBatches['remember'];
  /** Whether every id of the read is needed at its end. */
  readonly savesAllIds: boolean;
  /** Called with the number of items of a batch that the database refused. */
  readonly onRefused: (items: number) => void;
}

/** @returns a function that saves a batch; see `ItemStore`. */
export function createBatchSaver(options: BatchSaverOptions) {
  const { pool, lease, writer, seenIds, remember, savesAllIds, onRefused } = options;

  // Looking up unchanged rows before writing is cheapest, unless most rows are changed or new.
  let checksFirst = true;

  async function upsertChanged(batch: SaveBatch): Promise<UploadBatch | null> {
    const ids = findReadIds(seenIds, batch, savesAllIds);
    // Duplicates are counted by the markings that one statement finds.
    const isChecked = checksFirst && batch.items.length >= MIN_CHECKED_ITEMS && ids.repeated.length === 0;
    const changes = isChecked ? await findChanged(batch) : assumeAllChanged(batch);
    const { saved, readBatch } = await upsert(batch, changes, ids);
    seenIds.add(ids.hashes);
    checksFirst = (saved?.items.length ?? 0) < batch.items.length * MOSTLY_CHANGED;
    const { unchangedIn } = changes;
    if (saved === null && readBatch !== null && unchangedIn !== null) await remember(readBatch, unchangedIn);
    return saved;
  }

  async function findChanged(batch: SaveBatch): Promise<Changes> {
    const { ids, byLevel, uploadBatches, hasOwn } = await findUnchangedItems(pool, lease, batch);
    // The job reads these rows once more, and its own changes look unchanged now.
    if (hasOwn) return assumeAllChanged(batch);
    if (ids === null) return { changed: [], unchanged: byLevel, unchangedIn: uploadBatches };
    const unchangedIds = new Set(ids);
    const changed = batch.items.filter((item) => !unchangedIds.has(item.itemId));
    return { changed, unchanged: byLevel, unchangedIn: null };
  }

  async function upsert(
    batch: SaveBatch,
    { changed: toWrite, unchanged }: Changes,
    itemIds: ReadIds,
  ): Promise<SavedBatch> {
    if (sumLevels(unchanged) === countRows(batch)) return countUnchanged(batch, unchanged, itemIds);
    const statement = createSaveStatement(batch, toWrite, unchanged, itemIds);
    const { id, count, ids, differing, levels, inserted, updated } = await writer.write<SavedItems>(
      statement.text,
      statement.values,
    );
    const readBatch = toReadBatch(batch, levels, itemIds);
    if (id === null || count === 0) return { saved: null, readBatch };
    const savedIds = ids === null ? null : new Set(ids);
    const saved = savedIds === null ? toWrite : toWrite.filter((item) => savedIds.has(item.itemId));
    const isAll = saved.length === batch.items.length;
    const items = await loadStored(batch.dataType, saved, differing ?? []);
    const repeatedIds = new Set(itemIds.repeated);
    const changed = { inserted: toSet(inserted), updated: toSet(updated) };
    return { saved: { id, items, repeatedIds, changed, readBatch: isAll ? readBatch : null }, readBatch };
  }

  async function countUnchanged(batch: SaveBatch, unchanged: LevelCounts, ids: ReadIds): Promise<SavedBatch> {
    await writer.write(COUNT_UNCHANGED, [
      JSON.stringify(batch.position),
      sumLevels(unchanged),
      unchanged,
      ids.savedHashes,
    ]);
    return { saved: null, readBatch: toReadBatch(batch, unchanged, ids) };
  }

  /** Loads items as stored, if earlier content or other sources make them differ from the incoming ones. */
  async function loadStored(
    dataType: string,
    items: readonly BladeItem[],
    differing: readonly string[],
  ): Promise<readonly BladeItem[]> {
    if (differing.length === 0) return items;
    const stored = new Map(
      (await findItems(pool, { dataType, itemIds: differing })).map((item) => [item.itemId, item]),
    );
    return items.map((item) => stored.get(item.itemId) ?? item);
  }

  return async function saveBatch(batch: SaveBatch): Promise<UploadBatch | null> {
    try {
      return await upsertChanged(batch);
    } catch (error) {
      if (!isDataError(error)) throw error;
      const refused = await findRefusedItems({ pool, writer, seenIds }, batch);
      if (refused.length === 0) throw error;
      onRefused(refused.length);
      const refusedItems = new Set(refused.map(({ item }) => item));
      return await upsertChanged({
        ...batch,
        items: batch.items.filter((item) => !refusedItems.has(item)),
        errors: [...batch.errors, ...refused.map(toItemError)],
      });
    }
  };
}

/** The share of changed rows in a batch above which the next one is written without looking for unchanged rows. */
const MOSTLY_CHANGED = 0.8;

/** Writing fewer items than this costs less than looking for unchanged ones. */
const MIN_CHECKED_ITEMS = 50;

/** The items of a batch that must be written, and how many are stored unchanged. */
interface Changes {
  readonly changed: readonly RowItem[];
  readonly unchanged: LevelCounts;
  /** The upload batches of the batch, if all its items are unchanged and it may be remembered. */
  readonly unchangedIn: readonly CountedUploadBatch[] | null;
}

const assumeAllChanged = ({ items }: SaveBatch): Changes => ({
  changed: items,
  unchanged: NO_COUNTS,
  unchangedIn: null,
});

interface SavedBatch {
  readonly saved: UploadBatch | null;
  /** What to remember of the batch once its items are uploaded; null for nothing. */
  readonly readBatch: ReadBatch | null;
}

const toSet = (ids: readonly string[] | null) => (ids === null ? null : new Set(ids));

function toItemError({ item, message }: RefusedItem): ItemError {
  return {
    stage: 'SAVE',
    itemId: item.itemId,
    message,
    marking: item.classificationMarking,
    row: item.data,
  };
}

/** Returns what to remember of a batch; null if some of its rows must be read again. */
function toReadBatch(
  { dataSourceId, fingerprint, items, superseded, errors }: SaveBatch,
  rows: LevelCounts,
  { hashes, repeated }: ReadIds,
): ReadBatch | null {
  if (dataSourceId === null || fingerprint === null || items.length === 0) return null;
  if (errors.length > 0 || superseded.length > 0 || repeated.length > 0) return null;
  return { dataSourceId, fingerprint, rows, idHashes: hashes };
}

const COUNT_UNCHANGED = `with ${LEASE},
noted as (
  insert into read_ids (partition_id, hashes) select lease.id, $6::bytea from lease where $6::bytea is not null
)
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $4::int,
  success_count = p.success_count + $4::int,
  processed_items = p.processed_items + $4::int,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.read_items + $4::int) end,
  read_by_level = ${createLevelArray((at) => `p.read_by_level[${at}] + ($5::int[])[${at}]`)},
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + ($5::int[])[${at}]`)}
from lease where p.id = lease.id
returning p.id`;
