import type { Pool } from 'pg';
import type { BladeItem } from '../data-types/blade-item.ts';
import { type Marking, markings } from '../data-types/marking.ts';
import { isDataError } from '../database/database-error.ts';
import type { ErrorStage } from '../database/generated/prisma/enums.ts';
import { createLeasedWriter, HELD, LEASE, type PartitionLease } from '../database/partition-lease.ts';
import type { JsonValue } from '../shared/json.ts';
import { jsonbArray, textArray } from './binary-array.ts';
import {
  arrayOfLevels,
  countByLevel,
  countItemsByLevel,
  type LevelCounts,
  levelOf,
  NO_COUNTS,
  sumOfCounts,
  totalOf,
} from './level-counts.ts';
import {
  type CountedUploadBatch,
  createReadBatches,
  ON_KNOWN_BATCH,
  type ReadBatch,
  type ReadBatches,
} from './read-batches.ts';

/** Something that went wrong with one item. */
export interface ItemError {
  readonly stage: ErrorStage;
  readonly itemId: string | null;
  readonly message: string;
  /** That of the row; the highest where nobody can tell it. */
  readonly marking: Marking;
  /** The row as JSON text; null where the item itself is stored. */
  readonly row: string | null;
}

export interface SaveBatch {
  readonly dataType: string;
  readonly dataSourceId: string | null;
  /** At most one of each item id. */
  readonly items: readonly BladeItem[];
  /** Items of the batch that a later row of the same batch replaced. */
  readonly superseded: readonly BladeItem[];
  /** Rows of the batch that became no item. */
  readonly errors: readonly ItemError[];
  /** How far the read has come with this batch. */
  readonly position: JsonValue;
  /** By which the batch is known again; null where it is not to be. */
  readonly fingerprint: string | null;
}

/** Saved items that are uploaded together. */
export interface UploadBatch {
  readonly id: string;
  readonly items: readonly BladeItem[];
  /** The batch of rows that they are all of, to be remembered once they are uploaded; null where there is none. */
  readonly readBatch: ReadBatch | null;
}

export interface UploadedBatch {
  readonly id: string;
  readonly readBatch: ReadBatch | null;
  readonly dataType: string;
  readonly accepted: readonly BladeItem[];
  readonly rejected: readonly { readonly item: BladeItem; readonly message: string }[];
  /** Whether the rejections are errors of the partition. */
  readonly keepsRejections: boolean;
  /** What the batch adds to the partition's success count. */
  readonly success: LevelCounts;
}

/** Bulk writes of one partition: each call is one statement, so it happens whole or not at all. */
export interface ItemStore extends Pick<ReadBatches, 'knownFingerprints' | 'confirm'> {
  /** Forgets position and counts: the read starts over from its first row. Errors of its rows are forgotten too. */
  startOver(): Promise<void>;
  /**
   * Upserts the items that changed or are not uploaded yet, keeps the errors and moves the checkpoint.
   * An item that the database refuses costs its row, not its batch: it becomes an error of stage SAVE.
   * @returns the items that have to be uploaded, or null where there are none; all others of the batch count as success.
   */
  saveBatch(batch: SaveBatch): Promise<UploadBatch | null>;
  /**
   * Marks a batch as uploaded and keeps the rejections as errors. Accepted items whose content another job has changed
   * meanwhile become a batch that is owed: the catalog may now hold an older content of them than the store.
   * @returns whether there is such a batch.
   */
  markUploaded(batch: UploadedBatch): Promise<boolean>;
  /** Keeps how many rows the partition is to have in all. */
  expect(totalItems: number): Promise<void>;
  /** Counts rows as success that an earlier attempt saved, and that it owes the catalog no more. */
  countSuccess(rows: LevelCounts): Promise<void>;
  /** Whether the lease has not been lost; what is written later may find that it has been since. */
  isHeld(): Promise<boolean>;
  /** The batches that this partition saved and still owes the catalog, in the order in which they were saved. */
  pendingBatches(): Promise<readonly string[]>;
  /** The items of a batch as they are now, less those that have become part of another. */
  itemsOfBatch(id: string): Promise<readonly BladeItem[]>;
  /** The present content of items. */
  findItems(dataType: string, itemIds: readonly string[]): Promise<readonly BladeItem[]>;
}

/**
 * @param pool connections of the thread the store is used in.
 * @param lease every write checks it, and throws LeaseLostError when it is lost.
 * @param onRefused told how many items of a batch the database refuses.
 */
export function createItemStore(
  pool: Pool,
  lease: PartitionLease,
  onRefused: (items: number) => void = () => {},
): ItemStore {
  const { write, writeOn } = createLeasedWriter(pool, lease);
  const { remember, ...readBatches } = createReadBatches(pool, lease);

  // Rows that have not changed cost least where the database is asked for them first. Where most have, or are new, the
  // question only adds to the cost.
  let asksFirst = true;

  async function upsertChanged(batch: SaveBatch): Promise<UploadBatch | null> {
    const asks = asksFirst && batch.items.length >= LEAST_TO_ASK_FOR;
    const { changed, unchangedIn } = asks
      ? await askForChanged(batch)
      : { changed: batch.items, unchangedIn: null };
    const saved = await upsert(batch, changed);
    asksFirst = (saved?.items.length ?? 0) < batch.items.length * MOSTLY;
    const readBatch = readBatchOf(batch);
    if (saved === null && readBatch !== null && unchangedIn !== null) await remember(readBatch, unchangedIn);
    return saved;
  }

  async function askForChanged({ dataType, items, fingerprint }: SaveBatch): Promise<ChangedItems> {
    const { rows } = await pool.query<UnchangedItems>(UNCHANGED_ITEMS, [
      dataType,
      textArray(items.map((item) => item.itemId)),
      textArray(items.map((item) => item.contentHash)),
      fingerprint !== null,
    ]);
    const [unchanged] = rows;
    if (unchanged === undefined || unchanged.count === 0) return { changed: items, unchangedIn: null };
    if (unchanged.ids === null) return { changed: [], unchangedIn: unchanged.upload_batches };
    const unchangedIds = new Set(unchanged.ids);
    return { changed: items.filter((item) => !unchangedIds.has(item.itemId)), unchangedIn: null };
  }

  async function upsert(batch: SaveBatch, changed: readonly BladeItem[]): Promise<UploadBatch | null> {
    const { id, count, ids } = await write<SavedItems>(SAVE_BATCH, saveBatchValues(batch, changed));
    if (id === null || count === 0) return null;
    if (ids === null) {
      const isAll = changed.length === batch.items.length;
      return { id, items: changed, readBatch: isAll ? readBatchOf(batch) : null };
    }
    const savedIds = new Set(ids);
    return { id, items: changed.filter((item) => savedIds.has(item.itemId)), readBatch: null };
  }

  /** Items the database refuses, found by halving; each probe is rolled back. */
  async function findRefusedItems(batch: SaveBatch, items: readonly BladeItem[]): Promise<Refusal[]> {
    const refusal = await probe({ ...batch, items, errors: [] });
    if (refusal === null) return [];
    const [only] = items;
    if (items.length === 1 && only !== undefined) return [{ item: only, message: refusal }];
    const middle = items.length >> 1;
    return [
      ...(await findRefusedItems(batch, items.slice(0, middle))),
      ...(await findRefusedItems(batch, items.slice(middle))),
    ];
  }

  async function probe(batch: SaveBatch): Promise<string | null> {
    const client = await pool.connect();
    // Without a listener a connection that is lost would end the thread. The statement under way rejects by itself.
    const ignore = () => {};
    client.on('error', ignore);
    try {
      await client.query('begin');
      await writeOn(client, SAVE_BATCH, saveBatchValues(batch, batch.items));
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

  return {
    ...readBatches,

    async startOver() {
      await write(START_OVER, []);
    },

    async saveBatch(batch) {
      try {
        return await upsertChanged(batch);
      } catch (error) {
        if (!isDataError(error)) throw error;
        const refused = await findRefusedItems(batch, batch.items);
        if (refused.length === 0) throw error;
        onRefused(refused.length);
        const refusedItems = new Set(refused.map(({ item }) => item));
        return await upsertChanged({
          ...batch,
          items: batch.items.filter((item) => !refusedItems.has(item)),
          errors: [
            ...batch.errors,
            ...refused.map(
              ({ item, message }): ItemError => ({
                stage: 'SAVE',
                itemId: item.itemId,
                message,
                marking: item.classificationMarking,
                row: item.data,
              }),
            ),
          ],
        });
      }
    },

    async markUploaded({ id, readBatch, dataType, accepted, rejected, keepsRejections, success }) {
      const errors = keepsRejections ? rejected : [];
      const { owes } = await write<{ owes: boolean }>(MARK_UPLOADED, [
        lease.jobId,
        dataType,
        id,
        textArray(accepted.map((item) => item.itemId)),
        textArray(accepted.map((item) => item.contentHash)),
        textArray(rejected.map(({ item }) => item.itemId)),
        textArray(errors.map(({ item }) => item.itemId)),
        textArray(errors.map(({ message }) => message)),
        textArray(errors.map(({ item }) => item.classificationMarking)),
        totalOf(success),
        success,
        countItemsByLevel(errors.map(({ item }) => item)),
        readBatch?.dataSourceId ?? null,
        readBatch?.fingerprint ?? null,
        readBatch?.rows ?? null,
      ]);
      return owes;
    },

    async expect(totalItems) {
      await write(EXPECT, [totalItems]);
    },

    async countSuccess(rows) {
      await write(COUNT_SUCCESS, [totalOf(rows), rows]);
    },

    async isHeld() {
      const { rowCount } = await pool.query(
        `select 1 from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'`,
        [lease.partitionId, lease.attempt],
      );
      return rowCount === 1;
    },

    async pendingBatches() {
      const { rows } = await pool.query<{ id: string }>(
        `select b.id from upload_batch b
         where b.partition_id = $1 and exists (select from blade_item i where i.upload_batch_id = b.id) order by b.id`,
        [lease.partitionId],
      );
      return rows.map(({ id }) => id);
    },

    async itemsOfBatch(id) {
      const { rows } = await pool.query<BladeItem>(
        `select ${ITEM_COLUMNS} from blade_item where upload_batch_id = $1 order by data_type, item_id`,
        [id],
      );
      return rows;
    },

    async findItems(dataType, itemIds) {
      const { rows } = await pool.query<BladeItem>(
        `select ${ITEM_COLUMNS} from blade_item where data_type = $1 and item_id = any($2) order by item_id`,
        [dataType, itemIds],
      );
      return rows;
    },
  };
}

/** The share of changed rows in a batch from which on the next one is written without asking what has changed. */
const MOSTLY = 0.8;

/** Of fewer items, writing them costs less than the question. */
const LEAST_TO_ASK_FOR = 50;

/** Some items of a batch. */
interface ChosenItems {
  readonly count: number;
  /** Null where it is all of them. */
  readonly ids: string[] | null;
}

interface UnchangedItems extends ChosenItems {
  /** The upload batches that they are in, with the numbers of all items in these; null where not all are, or in too many. */
  readonly upload_batches: CountedUploadBatch[] | null;
}

/** What is left to write of a batch; and where its items are, where that is nothing and is to be remembered. */
interface ChangedItems {
  readonly changed: readonly BladeItem[];
  readonly unchangedIn: readonly CountedUploadBatch[] | null;
}

interface SavedItems extends ChosenItems {
  /** The batch that they are uploaded in; null where there was nothing to save. */
  readonly id: string | null;
}

interface Refusal {
  readonly item: BladeItem;
  readonly message: string;
}

const ITEM_COLUMNS = `data_type as "dataType", item_id as "itemId", classification_marking as "classificationMarking",
  data::text as data, metadata::text as metadata, content_hash as "contentHash"`;

// Jobs that write the same items lock them in the same order, and so wait for each other instead of deadlocking.
const IN_ORDER = 'order by u.item_id collate "C"';

const NONE = `'{${NO_COUNTS.join()}}'::int[]`;

const START_OVER = `with ${LEASE},
forgotten as (delete from job_error e using lease where e.partition_id = lease.id)
update job_partition p
set ${HELD}, position = null, read_items = 0, processed_items = 0, success_count = 0, error_count = 0,
  read_by_level = ${NONE}, success_by_level = ${NONE}, error_by_level = ${NONE}
from lease where p.id = lease.id returning p.id`;

/** Whether the batch of an item has been uploaded. */
const isUploaded = (item: string) =>
  `exists (select from upload_batch b where b.id = ${item}.upload_batch_id and b.uploaded_at is not null)`;

/** In how many upload batches items may be that are remembered: counting more costs as much as looking at the rows again. */
const MOST_UPLOAD_BATCHES = 16;

// The limit keeps the planner from a join, for which it would read the whole of a table that it knows nothing of yet.
const UNCHANGED_ITEMS = `with unchanged as materialized (
  select u.item_id, i.upload_batch_id from unnest($2::text[], $3::text[]) as u (item_id, content_hash)
  cross join lateral (
    select i.content_hash, i.upload_batch_id from blade_item i where i.data_type = $1 and i.item_id = u.item_id limit 1
  ) as i
  where i.content_hash = u.content_hash and ${isUploaded('i')}
)
select count(*)::int as count,
  case when count(*) < cardinality($2::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
  case when $4 and count(*) = cardinality($2::text[]) and count(distinct upload_batch_id) <= ${MOST_UPLOAD_BATCHES} then (
    select json_agg(json_build_object('id', b.id::text, 'count', (
      select count(*) from blade_item i where i.upload_batch_id = b.id
    ))) from (select distinct upload_batch_id as id from unchanged) as b
  ) end as upload_batches
from unchanged`;

/** What is remembered of a batch; null where some of its rows are to be read again. */
function readBatchOf({ dataSourceId, fingerprint, items, superseded, errors }: SaveBatch): ReadBatch | null {
  if (dataSourceId === null || fingerprint === null || items.length === 0 || errors.length > 0) return null;
  const rows = sumOfCounts(countItemsByLevel(items), countItemsByLevel(superseded));
  return { dataSourceId, fingerprint, rows };
}

/** Counts rows by the levels of their column classification_marking. */
const COUNTS_BY_LEVEL = arrayOfLevels((at) => {
  const ofLevel = markings.filter((marking) => levelOf(marking) === at - 1).map((marking) => `'${marking}'`);
  return `count(*) filter (where classification_marking in (${ofLevel.join()}))::int`;
});

const SAVE_BATCH = `with ${LEASE},
batch as (
  insert into upload_batch (partition_id) select lease.id from lease where cardinality($6::text[]) > 0 returning id
),
saved as (
  insert into blade_item as stored (data_type, item_id, classification_marking, data, metadata, content_hash,
    data_source_id, job_id, upload_batch_id)
  select $4, u.item_id, u.classification_marking, u.data, u.metadata, u.content_hash, $5, lease.job_id, batch.id
  from lease, batch, unnest($6::text[], $7::text[], $8::jsonb[], $9::jsonb[], $10::text[])
    as u (item_id, classification_marking, data, metadata, content_hash)
  ${IN_ORDER}
  on conflict (data_type, item_id) do update set
    classification_marking = excluded.classification_marking, data = excluded.data, metadata = excluded.metadata,
    content_hash = excluded.content_hash, data_source_id = excluded.data_source_id, job_id = excluded.job_id,
    upload_batch_id = excluded.upload_batch_id, was_uploaded = stored.was_uploaded or ${isUploaded('stored')},
    updated_at = case when stored.content_hash = excluded.content_hash then stored.updated_at else now() end
  where stored.content_hash <> excluded.content_hash or not ${isUploaded('stored')}
  returning item_id, classification_marking
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, "row", marking)
  select lease.job_id, lease.id, $4, u.stage::error_stage, u.item_id, u.message, u."row", u.marking
  from lease, unnest($11::text[], $12::text[], $13::text[], $14::jsonb[], $15::text[])
    as u (stage, item_id, message, "row", marking)
),
pending as (
  select count(*)::int as count,
    case when count(*) < cardinality($6::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
    ${COUNTS_BY_LEVEL} as by_level
  from saved
)
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $16::int,
  success_count = p.success_count + $16::int - cardinality($11::text[]) - pending.count,
  error_count = p.error_count + cardinality($11::text[]),
  processed_items = p.processed_items + $16::int - pending.count,
  total_items = greatest(p.total_items, p.read_items + $16::int),
  read_by_level = ${arrayOfLevels((at) => `p.read_by_level[${at}] + ($17::int[])[${at}]`)},
  success_by_level = ${arrayOfLevels(
    (at) => `p.success_by_level[${at}] + ($17::int[])[${at}] - ($18::int[])[${at}] - pending.by_level[${at}]`,
  )},
  error_by_level = ${arrayOfLevels((at) => `p.error_by_level[${at}] + ($18::int[])[${at}]`)}
from lease, pending where p.id = lease.id
returning (select id from batch), pending.count, pending.ids`;

/** @param changed the items of the batch that have to be written; the others count as success. */
function saveBatchValues(batch: SaveBatch, changed: readonly BladeItem[]): unknown[] {
  const { items, superseded, errors } = batch;
  const errorLevels = countByLevel(errors.map(({ marking }) => marking));
  return [
    JSON.stringify(batch.position),
    batch.dataType,
    batch.dataSourceId,
    textArray(changed.map((item) => item.itemId)),
    textArray(changed.map((item) => item.classificationMarking)),
    jsonbArray(changed.map((item) => item.data)),
    jsonbArray(changed.map((item) => item.metadata)),
    textArray(changed.map((item) => item.contentHash)),
    textArray(errors.map((error) => error.stage)),
    textArray(errors.map((error) => error.itemId)),
    textArray(errors.map((error) => error.message)),
    jsonbArray(errors.map((error) => error.row)),
    textArray(errors.map((error) => error.marking)),
    items.length + superseded.length + errors.length,
    sumOfCounts(countItemsByLevel(items), countItemsByLevel(superseded), errorLevels),
    errorLevels,
  ];
}

// What became of a batch is written to the batch, not to its items. Only where some of them are in it no more, another job
// has saved them meanwhile, they are looked at one by one.
const MARK_UPLOADED = `with ${LEASE},
uploaded as (
  update upload_batch b set uploaded_at = now(), partition_id = null from lease where b.id = $5 and b.partition_id = lease.id
),
present as (select count(*) from blade_item where upload_batch_id = $5),
superseded as materialized (
  select u.item_id from unnest($6::text[], $7::text[]) as u (item_id, content_hash)
  cross join lateral (
    select i.content_hash, i.upload_batch_id from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as i
  where (select count from present) < cardinality($6::text[]) + cardinality($8::text[])
    and i.content_hash <> u.content_hash
    and not exists (select from upload_batch b where b.id = i.upload_batch_id and b.partition_id = $1)
),
again as (
  insert into upload_batch (partition_id) select lease.id from lease where exists (select from superseded) returning id
),
owed as (
  update blade_item i set upload_batch_id = again.id, was_uploaded = true
  from again where i.data_type = $4 and i.item_id = any(array(select item_id from superseded))
  returning 1
),
remembered as (
  insert into read_batch (data_source_id, fingerprint, rows_by_level, upload_batch_ids, item_counts)
  select $15::uuid, $16::text, $17::int[], array[$5::bigint], array[present.count::int] from lease, present
  where $16::text is not null and present.count = cardinality($6::text[]) and cardinality($8::text[]) = 0
  ${ON_KNOWN_BATCH}
),
released as (
  update blade_item i set upload_batch_id = null
  from lease where i.data_type = $4 and i.item_id = any($8::text[]) and i.upload_batch_id = $5
  returning 1
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, marking)
  select $3::uuid, lease.id, $4, 'UPLOAD', u.item_id, u.message, u.marking
  from lease, unnest($9::text[], $10::text[], $11::text[]) as u (item_id, message, marking)
),
-- Read by what follows, which therefore waits until the items are written.
written as (select (select count(*) from owed) + (select count(*) from released) as count)
update job_partition p set
  ${HELD},
  success_count = p.success_count + $12::int,
  error_count = p.error_count + cardinality($9::text[]),
  processed_items = p.processed_items + $12::int + cardinality($9::text[]),
  total_items = greatest(p.total_items, p.processed_items + $12::int + cardinality($9::text[])),
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + ($13::int[])[${at}]`)},
  error_by_level = ${arrayOfLevels((at) => `p.error_by_level[${at}] + ($14::int[])[${at}]`)}
from lease, written where p.id = lease.id and written.count >= 0
returning exists (select from again) as owes`;

const EXPECT = `with ${LEASE}
update job_partition p set ${HELD}, total_items = greatest($3::int, p.read_items)
from lease where p.id = lease.id
returning p.id`;

const COUNT_SUCCESS = `with ${LEASE}
update job_partition p set
  ${HELD},
  success_count = p.success_count + $3::int,
  processed_items = p.processed_items + $3::int,
  total_items = greatest(p.total_items, p.processed_items + $3::int),
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + ($4::int[])[${at}]`)}
from lease where p.id = lease.id
returning p.id`;
