import type { Pool } from 'pg';
import type { BladeItem } from '../data-types/blade-item.ts';
import { createLeasedWriter, type PartitionLease } from '../database/partition-lease.ts';
import { type ComparedItemStore, createComparedItems } from './compared-items.ts';
import type { PendingBatch, PendingItem, SaveBatch, UploadBatch, UploadedBatch } from './item-batches.ts';
import { orderRemovalsAgain } from './item-removals.ts';
import { createLostUploads, type LostUploads } from './lost-uploads.ts';
import { markUploaded } from './mark-uploaded.ts';
import { createPartitionCounts, type PartitionCounts } from './partition-counts.ts';
import { createReadBatches, type ReadBatches } from './read-batches.ts';
import { createBatchSaver } from './save-batch.ts';
import { createSeenIds } from './seen-ids.ts';
import { findItems, ITEM_COLUMNS, type ItemKeys } from './stored-items.ts';

/** Bulk writes of one partition. Each call is one statement, so it happens completely or not at all. */
export interface ItemStore
  extends Pick<ReadBatches, 'loadFingerprints' | 'loadIdHashes' | 'confirm'>,
    PartitionCounts,
    LostUploads,
    ComparedItemStore {
  /** Recognizes the ids that earlier attempts have read. */
  loadSeenIds(): Promise<void>;
  /**
   * Upserts the items that changed or are not uploaded yet, stores the errors and moves the checkpoint.
   * An item that the database refuses becomes an error of stage SAVE; the rest of its batch is saved. A row with the id of
   * an earlier row of the read, by this or an earlier attempt, counts as a duplicate.
   * @returns the items to upload, as stored, or null for none. All others of the batch count as success.
   */
  saveBatch(batch: SaveBatch): Promise<UploadBatch | null>;
  /**
   * Marks a batch as uploaded and stores the rejections as errors. Accepted items that another job has changed in the
   * meantime become a new pending batch, because the catalog may now hold older content than the store.
   * @returns whether there is such a batch.
   */
  markUploaded(batch: UploadedBatch): Promise<boolean>;
  /** Returns whether the lease is held now; a later write may find it lost. */
  isHeld(): Promise<boolean>;
  /**
   * Finds the batches that this partition saved but has not uploaded, in the order in which they were saved; not those that
   * it restores. All items of a batch may have moved to others.
   */
  findPendingBatches(): Promise<readonly PendingBatch[]>;
  /** Finds the current items of a batch, without those that have moved to another. */
  findBatchItems(id: string): Promise<readonly PendingItem[]>;
  /** Finds the current content of items. */
  findItems(keys: ItemKeys): Promise<readonly BladeItem[]>;
  /** Orders the removal of items that may be in the catalog again after they were removed. */
  orderRemovalsAgain(keys: ItemKeys): Promise<void>;
}

/**
 * @param pool connections of the thread that uses the store.
 * @param lease every write checks it, and throws LeaseLostError if it is lost.
 * @param onRefused called with the number of items of a batch that the database refused.
 * @param savesAllIds whether every id of the read is needed at its end.
 */
export function createItemStore(
  pool: Pool,
  lease: PartitionLease,
  onRefused: (items: number) => void = () => {},
  savesAllIds = false,
): ItemStore {
  const writer = createLeasedWriter(pool, lease);
  const seenIds = createSeenIds();
  const { remember, ...readBatches } = createReadBatches(pool, lease, seenIds);

  return {
    ...readBatches,
    ...createPartitionCounts(writer),
    ...createLostUploads(pool, lease),
    ...createComparedItems(pool, lease),

    async loadSeenIds() {
      for (let after = '0'; ; ) {
        const { rows } = await pool.query<{ id: string; hashes: Buffer }>(
          'select id, hashes from read_ids where partition_id = $1 and id > $2 order by id limit 100',
          [lease.partitionId, after],
        );
        for (const { hashes } of rows) seenIds.add(hashes);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.id;
      }
    },

    saveBatch: createBatchSaver({ pool, lease, writer, seenIds, remember, savesAllIds, onRefused }),

    markUploaded: (batch) => markUploaded(writer, lease, batch),

    async isHeld() {
      const { rowCount } = await pool.query(
        `select 1 from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'`,
        [lease.partitionId, lease.attempt],
      );
      return rowCount === 1;
    },

    async findPendingBatches() {
      const { rows } = await pool.query<StoredBatch>(
        `select id, repeated_ids as "repeatedIds", inserted_by_level as inserted, updated_by_level as updated
         from upload_batch where partition_id = $1 and lost_at is null order by id`,
        [lease.partitionId],
      );
      return rows.map(({ id, repeatedIds, inserted, updated }) => ({
        ...{ id, repeatedIds: new Set(repeatedIds) },
        changes: { inserted: inserted.map(Number), updated: updated.map(Number) },
      }));
    },

    async findBatchItems(id) {
      const { rows } = await pool.query<PendingItem>(
        `select ${ITEM_COLUMNS}, case when job_id = $2 then change end as change
         from blade_item i where upload_batch_id = $1 order by data_type, item_id`,
        [id, lease.jobId],
      );
      return rows;
    },

    findItems: (keys) => findItems(pool, keys),

    orderRemovalsAgain: (keys) => orderRemovalsAgain(pool, keys),
  };
}

interface StoredBatch {
  readonly id: string;
  readonly repeatedIds: readonly string[];
  readonly inserted: readonly string[];
  readonly updated: readonly string[];
}
