import type { Pool } from 'pg';
import type { BladeItem, RowItem } from '../data-types/blade-item.ts';
import type { Marking } from '../data-types/marking.ts';
import { isDataError } from '../database/database-error.ts';
import type { ErrorStage } from '../database/generated/prisma/enums.ts';
import { createLeasedWriter, HELD, LEASE, type PartitionLease } from '../database/partition-lease.ts';
import type { JsonValue } from '../shared/json.ts';
import { encodeJsonbArray, encodeTextArray } from './binary-array.ts';
import { type ComparedItemStore, createComparedItems } from './compared-items.ts';
import { createLevelArray, type LevelCounts, NO_COUNTS, sumLevels } from './level-counts.ts';
import { createLostUploads, type LostUploads } from './lost-uploads.ts';
import type { MarkingRule } from './marking-rule.ts';
import {
  countLevelsSql,
  createSourceMarkings,
  pickHigherSql,
  QUERY_JOB_MARKINGS,
  toLevelSql,
} from './marking-sql.ts';
import {
  type CountedUploadBatch,
  createReadBatches,
  ON_KNOWN_BATCH,
  type ReadBatch,
  type ReadBatches,
} from './read-batches.ts';
import {
  ACCEPTED_COLUMNS,
  findItems,
  HAS_OTHER_CONTENT,
  ITEM_COLUMNS,
  type ItemKeys,
  toAcceptedValues,
} from './stored-items.ts';

/** An error of one row or item. */
export interface ItemError {
  readonly stage: ErrorStage;
  readonly itemId: string | null;
  readonly message: string;
  /** The marking of the row; the highest if it is unknown. */
  readonly marking: Marking;
  /** The row as JSON text; null if the item is stored. */
  readonly row: string | null;
}

export interface SaveBatch {
  readonly dataType: string;
  /** The default marking of the data type. */
  readonly defaultMarking: Marking;
  readonly dataSourceId: string | null;
  readonly markingRule: MarkingRule;
  /** The source metadata of the items, as JSON text. */
  readonly metadata: string;
  /** At most one per item id. */
  readonly items: readonly RowItem[];
  /** Items replaced by a later row of the same batch. */
  readonly superseded: readonly RowItem[];
  /** Rows of the batch that did not become items. */
  readonly errors: readonly ItemError[];
  /** The position of the read after this batch. */
  readonly position: JsonValue;
  /** Identifies the batch across syncs. Null if it must not be remembered. */
  readonly fingerprint: string | null;
}

/** Saved items that are uploaded together. */
export interface UploadBatch {
  readonly id: string;
  readonly items: readonly BladeItem[];
  /** The batch of rows to remember once the items are uploaded; null for none. */
  readonly readBatch: ReadBatch | null;
}

export interface UploadedBatch {
  readonly id: string;
  readonly receipt: UploadReceipt;
  readonly readBatch: ReadBatch | null;
  readonly dataType: string;
  readonly accepted: readonly BladeItem[];
  readonly rejected: readonly { readonly item: BladeItem; readonly message: string }[];
  /** Whether rejections count as errors of the partition. */
  readonly countsRejections: boolean;
  /** Whether the catalog had lost the items. Rejected ones then stay lost, so that the next sync tries again. */
  readonly isRestored: boolean;
  /** Whether successes are items that a repair has restored. */
  readonly countsRestored: boolean;
  /** What the batch adds to the success count of the partition. */
  readonly success: LevelCounts;
}

/** Where an upload is in the catalog. */
export interface UploadReceipt {
  /** The generation of the catalog before the upload, as it is stored; see `toStoredGeneration`. */
  readonly generation: string;
  /** The key of the upload; null if nothing was sent. */
  readonly key: string | null;
}

/** Bulk writes of one partition. Each call is one statement, so it happens completely or not at all. */
export interface ItemStore
  extends Pick<ReadBatches, 'loadFingerprints' | 'confirm'>,
    LostUploads,
    ComparedItemStore {
  /** Resets position, counts and errors, so that the read starts over from its first row. */
  startOver(): Promise<void>;
  /**
   * Upserts the items that changed or are not uploaded yet, stores the errors and moves the checkpoint.
   * An item that the database refuses becomes an error of stage SAVE; the rest of its batch is saved.
   * @returns the items to upload, as stored, or null for none. All others of the batch count as success.
   */
  saveBatch(batch: SaveBatch): Promise<UploadBatch | null>;
  /**
   * Marks a batch as uploaded and stores the rejections as errors. Accepted items that another job has changed in the
   * meantime become a new pending batch, because the catalog may now hold older content than the store.
   * @returns whether there is such a batch.
   */
  markUploaded(batch: UploadedBatch): Promise<boolean>;
  /** Saves the total number of rows of the partition. */
  saveTotal(totalItems: number): Promise<void>;
  /** Counts rows as success that an earlier attempt saved and that need no upload any more. */
  countSuccess(rows: LevelCounts): Promise<void>;
  /** Returns whether the lease is held now; a later write may find it lost. */
  isHeld(): Promise<boolean>;
  /**
   * Finds the batches that this partition saved but has not uploaded, in the order in which they were saved; not those that
   * it restores.
   */
  findPendingBatches(): Promise<readonly string[]>;
  /** Finds the current items of a batch, without those that have moved to another. */
  findBatchItems(id: string): Promise<readonly BladeItem[]>;
  /** Finds the current content of items. */
  findItems(keys: ItemKeys): Promise<readonly BladeItem[]>;
}

/**
 * @param pool connections of the thread that uses the store.
 * @param lease every write checks it, and throws LeaseLostError if it is lost.
 * @param onRefused called with the number of items of a batch that the database refused.
 */
export function createItemStore(
  pool: Pool,
  lease: PartitionLease,
  onRefused: (items: number) => void = () => {},
): ItemStore {
  const { write, writeOn } = createLeasedWriter(pool, lease);
  const { remember, ...readBatches } = createReadBatches(pool, lease);

  // Looking up unchanged rows before writing is cheapest, unless most rows are changed or new.
  let checksFirst = true;

  async function upsertChanged(batch: SaveBatch): Promise<UploadBatch | null> {
    const isChecked = checksFirst && batch.items.length >= MIN_CHECKED_ITEMS;
    const { unchangedIn, ...changes } = isChecked
      ? await findChanged(batch)
      : { ...assumeAllChanged(batch), unchangedIn: null };
    const { saved, readBatch } = await upsert(batch, changes);
    checksFirst = (saved?.items.length ?? 0) < batch.items.length * MOSTLY_CHANGED;
    if (saved === null && readBatch !== null && unchangedIn !== null) await remember(readBatch, unchangedIn);
    return saved;
  }

  async function findChanged(batch: SaveBatch): Promise<Changes & { unchangedIn: UnchangedIn }> {
    const { dataType, items, fingerprint } = batch;
    const { rows } = await pool.query<UnchangedItems>(UNCHANGED_ITEMS, [
      dataType,
      encodeTextArray(items.map((item) => item.itemId)),
      encodeTextArray(items.map((item) => item.contentHash)),
      fingerprint !== null,
    ]);
    const [found] = rows;
    if (found === undefined || found.count === 0) return { ...assumeAllChanged(batch), unchangedIn: null };
    const unchanged = found.by_level;
    if (found.ids === null) return { changed: [], unchanged, unchangedIn: found.upload_batches };
    const ids = new Set(found.ids);
    return { changed: items.filter((item) => !ids.has(item.itemId)), unchanged, unchangedIn: null };
  }

  async function upsert(batch: SaveBatch, { changed, unchanged }: Changes): Promise<SavedBatch> {
    if (sumLevels(unchanged) === countRows(batch)) return countUnchanged(batch, unchanged);
    const statement = createSaveStatement(batch, changed, unchanged);
    const { id, count, ids, differing, levels } = await write<SavedItems>(statement.text, statement.values);
    const readBatch = toReadBatch(batch, levels);
    if (id === null || count === 0) return { saved: null, readBatch };
    const savedIds = ids === null ? null : new Set(ids);
    const saved = savedIds === null ? changed : changed.filter((item) => savedIds.has(item.itemId));
    const isAll = saved.length === batch.items.length;
    const items = await loadStored(batch.dataType, saved, differing ?? []);
    return { saved: { id, items, readBatch: isAll ? readBatch : null }, readBatch };
  }

  async function countUnchanged(batch: SaveBatch, unchanged: LevelCounts): Promise<SavedBatch> {
    await write(COUNT_UNCHANGED, [JSON.stringify(batch.position), sumLevels(unchanged), unchanged]);
    return { saved: null, readBatch: toReadBatch(batch, unchanged) };
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

  /** Finds the items that the database refuses, by halving. Each probe is rolled back. */
  async function findRefusedItems(batch: SaveBatch, items: readonly RowItem[]): Promise<Refusal[]> {
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
    // Without a listener, a lost connection would end the thread. The running statement rejects in any case.
    const ignore = () => {};
    client.on('error', ignore);
    try {
      await client.query('begin');
      const { text, values } = createSaveStatement(batch, batch.items, NO_COUNTS);
      await writeOn(client, text, values);
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
    ...createLostUploads(pool, lease),
    ...createComparedItems(pool, lease),

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

    async markUploaded(batch) {
      const { id, receipt, readBatch, dataType, accepted, rejected, countsRejections, success } = batch;
      const errors = countsRejections ? rejected : [];
      const { isPending } = await write<{ isPending: boolean }>(MARK_UPLOADED, [
        lease.jobId,
        dataType,
        id,
        ...toAcceptedValues(accepted),
        encodeTextArray(rejected.map(({ item }) => item.itemId)),
        encodeTextArray(errors.map(({ item }) => item.itemId)),
        encodeTextArray(errors.map(({ message }) => message)),
        encodeTextArray(errors.map(({ item }) => item.classificationMarking)),
        sumLevels(success),
        success,
        readBatch?.dataSourceId ?? null,
        readBatch?.fingerprint ?? null,
        readBatch?.rows ?? null,
        receipt.generation,
        receipt.key,
        batch.isRestored,
        batch.countsRestored,
      ]);
      return isPending;
    },

    async saveTotal(totalItems) {
      await write(SAVE_TOTAL, [totalItems]);
    },

    async countSuccess(rows) {
      await write(COUNT_SUCCESS, [sumLevels(rows), rows]);
    },

    async isHeld() {
      const { rowCount } = await pool.query(
        `select 1 from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'`,
        [lease.partitionId, lease.attempt],
      );
      return rowCount === 1;
    },

    async findPendingBatches() {
      const { rows } = await pool.query<{ id: string }>(
        `select b.id from upload_batch b
         where b.partition_id = $1 and b.lost_at is null and exists (select from blade_item i where i.upload_batch_id = b.id) order by b.id`,
        [lease.partitionId],
      );
      return rows.map(({ id }) => id);
    },

    async findBatchItems(id) {
      const { rows } = await pool.query<BladeItem>(
        `select ${ITEM_COLUMNS} from blade_item i where upload_batch_id = $1 order by data_type, item_id`,
        [id],
      );
      return rows;
    },

    findItems: (keys) => findItems(pool, keys),
  };
}

/** The share of changed rows in a batch above which the next one is written without looking for unchanged rows. */
const MOSTLY_CHANGED = 0.8;

/** Writing fewer items than this costs less than looking for unchanged ones. */
const MIN_CHECKED_ITEMS = 50;

/** Some items of a batch. */
interface ChosenItems {
  readonly count: number;
  /** Null if it is all of them. */
  readonly ids: string[] | null;
}

/** The upload batches of the items, with the total number of items in each. */
type UnchangedIn = readonly CountedUploadBatch[] | null;

interface UnchangedItems extends ChosenItems {
  readonly by_level: LevelCounts;
  /** Null if some items of the batch have changed, or they are in too many upload batches. */
  readonly upload_batches: UnchangedIn;
}

/** The items of a batch that must be written, and how many are stored unchanged. */
interface Changes {
  readonly changed: readonly RowItem[];
  readonly unchanged: LevelCounts;
}

const assumeAllChanged = ({ items }: SaveBatch): Changes => ({ changed: items, unchanged: NO_COUNTS });

interface SavedItems extends ChosenItems {
  /** The upload batch of the items; null if there was nothing to save. */
  readonly id: string | null;
  /** Items that may be stored differently from how they came in; null for none. */
  readonly differing: string[] | null;
  /** Counts all rows of the batch that became items. */
  readonly levels: LevelCounts;
}

interface SavedBatch {
  readonly saved: UploadBatch | null;
  /** What to remember of the batch once its items are uploaded; null for nothing. */
  readonly readBatch: ReadBatch | null;
}

interface Refusal {
  readonly item: BladeItem;
  readonly message: string;
}

// Jobs that write the same items lock them in the same order, so they wait for each other instead of deadlocking.
const IN_ORDER = 'order by u.item_id collate "C"';

const NONE = `'{${NO_COUNTS.join()}}'::int[]`;

const START_OVER = `with ${LEASE},
forgotten as (delete from job_error e using lease where e.partition_id = lease.id)
update job_partition p
set ${HELD}, position = null, read_items = 0, processed_items = 0, success_count = 0, error_count = 0,
  read_by_level = ${NONE}, success_by_level = ${NONE}, error_by_level = ${NONE},
  restored_count = 0, restored_by_level = ${NONE}
from lease where p.id = lease.id returning p.id`;

/** Whether the upload batch of an item has been uploaded. */
const isUploaded = (item: string) =>
  `exists (select from upload_batch b where b.id = ${item}.upload_batch_id and b.uploaded_at is not null)`;

/** The most upload batches of a remembered batch: counting more costs as much as comparing the rows again. */
const MAX_UPLOAD_BATCHES = 16;

// The limit keeps the planner from a join, which would read a whole table for which it has no statistics yet.
const UNCHANGED_ITEMS = `with unchanged as materialized (
  select u.item_id, i.upload_batch_id, ${toLevelSql('i.classification_marking')} as level
  from unnest($2::text[], $3::text[]) as u (item_id, content_hash)
  cross join lateral (
    select i.content_hash, i.upload_batch_id, i.classification_marking from blade_item i where i.data_type = $1 and i.item_id = u.item_id limit 1
  ) as i
  where i.content_hash = u.content_hash and ${isUploaded('i')}
)
select count(*)::int as count,
  case when count(*) < cardinality($2::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
  ${countLevelsSql()} as by_level,
  case when $4 and count(*) = cardinality($2::text[]) and count(distinct upload_batch_id) <= ${MAX_UPLOAD_BATCHES} then (
    select json_agg(json_build_object('id', b.id::text, 'count', (
      select count(*) from blade_item i where i.upload_batch_id = b.id
    ))) from (select distinct upload_batch_id as id from unchanged) as b
  ) end as upload_batches
from unchanged`;

/** Returns what to remember of a batch; null if some of its rows must be read again. */
function toReadBatch(
  { dataSourceId, fingerprint, items, errors }: SaveBatch,
  rows: LevelCounts,
): ReadBatch | null {
  if (dataSourceId === null || fingerprint === null || items.length === 0 || errors.length > 0) return null;
  return { dataSourceId, fingerprint, rows };
}

/** How an upsert inserts a new item and changes a stored one. */
interface Upsert {
  /** The number of parameters of its marking rule. */
  readonly parameters: number;
  /** The columns besides those of every upsert, with their values. */
  readonly inserted: Readonly<Record<string, string>>;
  readonly changed: string;
  /** Whether an item may be stored differently from how it came in. */
  readonly differs: string;
}

const SOURCE = createSourceMarkings('$14::boolean');

const SOURCE_UPSERT: Upsert = {
  parameters: 1,
  inserted: {
    classification_marking: 'coalesce(u.marking, $13)',
    is_marking_stated: 'u.marking is not null',
  },
  changed: `classification_marking = ${SOURCE.classificationMarking},
    row_marking = ${SOURCE.rowMarking},
    other_markings = ${SOURCE.otherMarkings},
    content_hash = ${SOURCE.contentHash},
    is_marking_stated = excluded.is_marking_stated, metadata = excluded.metadata,
    data_source_id = coalesce(excluded.data_source_id, stored.data_source_id)`,
  differs: `not $14 or row_marking is not null or query_metadata is not null
    or (not is_marking_stated and classification_marking <> $13)`,
};

const QUERY_JOB_UPSERT: Upsert = {
  parameters: 5,
  inserted: {
    classification_marking: 'u.marking',
    row_marking: `case when ${toLevelSql('u.marking')} > ${toLevelSql('$13')} then $13 end`,
    is_marking_stated: 'false',
    floor_marking: toFloorValue('u.marking'),
    floor_job_id: toFloorValue('lease.job_id'),
    floor_by_id: toFloorValue('$16'),
    floor_by_name: toFloorValue('$17'),
    floor_at: toFloorValue('now()'),
    floor_reason: toFloorValue(
      `case when ${toLevelSql('u.marking')} > ${toLevelSql('$15::text')} then 'The query marks its row so' else $18 end`,
    ),
    query_metadata: '$14::jsonb',
    query_marking: '$15',
  },
  changed: `${QUERY_JOB_MARKINGS}, content_hash = excluded.content_hash`,
  // A new item has no transaction that locked it before.
  differs: 'xmax <> 0',
};

/** Creates the value of a floor column. The lowest marking is no floor. */
function toFloorValue(value: string): string {
  return `case when ${toLevelSql('u.marking')} > 0 then ${value} end`;
}

function createSaveText({ parameters, inserted, changed, differs }: Upsert, hasOtherRows: boolean): string {
  const others = hasOtherRows ? createOtherRows(FIRST_RULE_PARAMETER + parameters) : NO_OTHER_ROWS;
  return `with ${LEASE},
batch as (
  insert into upload_batch (partition_id) select lease.id from lease where cardinality($6::text[]) > 0 returning id
),
saved as (
  insert into blade_item as stored (data_type, item_id, data, metadata, content_hash, data_source_id, job_id,
    upload_batch_id, ${Object.keys(inserted).join(', ')})
  select $4, u.item_id, u.data, $9::jsonb, u.content_hash, $5, lease.job_id, batch.id, ${Object.values(inserted).join(', ')}
  from lease, batch, unnest($6::text[], $7::text[], $8::jsonb[], $10::text[])
    as u (item_id, marking, data, content_hash)
  ${IN_ORDER}
  on conflict (data_type, item_id) do update set
    ${changed},
    data = excluded.data, job_id = excluded.job_id, upload_batch_id = excluded.upload_batch_id,
    was_uploaded = stored.was_uploaded or ${isUploaded('stored')},
    updated_at = case when stored.content_hash = excluded.content_hash then stored.updated_at else now() end
  where stored.content_hash <> excluded.content_hash or not ${isUploaded('stored')}
  returning item_id, classification_marking, ${toLevelSql('classification_marking')} as level, (${differs}) as differs
),
pending as (
  select count(*)::int as count,
    case when count(*) < cardinality($6::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
    array_agg(item_id) filter (where differs) as differing,
    ${countLevelsSql()} as by_level
  from saved
),
-- Counted by their stored marking, which the rows do not show. The limit keeps the planner from a join with all items.
kept as (
  select ${countLevelsSql()} as by_level from (
    select ${toLevelSql('coalesce(i.classification_marking, u.marking, $13)')} as level
    from unnest($6::text[], $7::text[]) as u (item_id, marking)
    left join lateral (
      select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
    ) as i on true
    where (select count from pending) < cardinality($6::text[])
      and not exists (select from saved s where s.item_id = u.item_id)
  ) as unchanged
),
${others},
counted as (
  select pending.*, errors.by_level as errors, errors.count as failed,
    ${createLevelArray((at) => `kept.by_level[${at}] + replaced.by_level[${at}] + ($12::int[])[${at}]`)} as success
  from pending, kept, replaced, errors
)
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $11::int,
  success_count = p.success_count + $11::int - counted.failed - counted.count,
  error_count = p.error_count + counted.failed,
  processed_items = p.processed_items + $11::int - counted.count,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.read_items + $11::int) end,
  read_by_level = ${createLevelArray(
    (at) =>
      `p.read_by_level[${at}] + counted.success[${at}] + counted.by_level[${at}] + counted.errors[${at}]`,
  )},
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + counted.success[${at}]`)},
  error_by_level = ${createLevelArray((at) => `p.error_by_level[${at}] + counted.errors[${at}]`)}
from lease, counted where p.id = lease.id
returning (select id from batch), counted.count, counted.ids, counted.differing,
  ${createLevelArray((at) => `counted.success[${at}] + counted.by_level[${at}]`)} as levels`;
}

/** Joins rows u of a batch with their items, as written now or as stored before. */
const WITH_ITEM = `left join saved on saved.item_id = u.item_id
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true`;

const LEVEL_OF_ITEM = `coalesce(saved.level, case when stored.classification_marking is not null
  then ${toLevelSql('stored.classification_marking')} end)`;

/**
 * Creates the SQL for rows that another row of the batch replaced, and rows that are not items. They are counted and stored
 * with the marking of their item if that is higher.
 * @param first the number of the first parameter.
 */
function createOtherRows(first: number): string {
  const [stages, itemIds, messages, rows, markings, replacedIds, replacedMarkings] = Array.from(
    { length: 7 },
    (_none, index) => `$${first + index}`,
  );
  return `replaced as (
  select ${countLevelsSql()} as by_level from (
    select greatest(${toLevelSql('u.marking')}, ${LEVEL_OF_ITEM}) as level
    from unnest(${replacedIds}::text[], ${replacedMarkings}::text[]) as u (item_id, marking) ${WITH_ITEM}
  ) as rows
),
bad as materialized (
  select u.*, coalesce(saved.classification_marking, stored.classification_marking) as item_marking,
    greatest(${toLevelSql('u.marking')}, ${LEVEL_OF_ITEM}) as level
  from unnest(${stages}::text[], ${itemIds}::text[], ${messages}::text[], ${rows}::jsonb[], ${markings}::text[])
    with ordinality as u (stage, item_id, message, "row", marking, place) ${WITH_ITEM}
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, "row", marking)
  select lease.job_id, lease.id, $4, bad.stage::error_stage, bad.item_id, bad.message, bad."row",
    case when bad.level > ${toLevelSql('bad.marking')} then bad.item_marking else bad.marking end
  from lease, bad order by bad.place
),
errors as (select ${countLevelsSql()} as by_level, count(*)::int as count from bad)`;
}

const NO_OTHER_ROWS = `replaced as (select ${NONE} as by_level), errors as (select ${NONE} as by_level, 0 as count)`;

/** The number of the first parameter of the marking rule. */
const FIRST_RULE_PARAMETER = 14;

/** Each with and without the rows that are not written; without them, planning takes half the time. */
const SAVE_BATCH = {
  SOURCE: { all: createSaveText(SOURCE_UPSERT, true), itemsOnly: createSaveText(SOURCE_UPSERT, false) },
  QUERY_JOB: {
    all: createSaveText(QUERY_JOB_UPSERT, true),
    itemsOnly: createSaveText(QUERY_JOB_UPSERT, false),
  },
};

/** Counts all rows of the batch. */
function countRows({ items, superseded, errors }: SaveBatch): number {
  return items.length + superseded.length + errors.length;
}

/**
 * @param changed the items of the batch to write.
 * @param unchanged the counts of the other items, which count as success.
 */
function createSaveStatement(batch: SaveBatch, changed: readonly RowItem[], unchanged: LevelCounts) {
  const { superseded, errors, markingRule } = batch;
  const isQuery = markingRule.kind === 'QUERY_JOB';
  const hasOtherRows = superseded.length > 0 || errors.length > 0;
  const toStatedMarking = (item: RowItem) =>
    item.statesMarking || isQuery ? item.classificationMarking : null;
  const texts = SAVE_BATCH[isQuery ? 'QUERY_JOB' : 'SOURCE'];
  return {
    text: hasOtherRows ? texts.all : texts.itemsOnly,
    values: [
      JSON.stringify(batch.position),
      batch.dataType,
      batch.dataSourceId,
      encodeTextArray(changed.map((item) => item.itemId)),
      encodeTextArray(changed.map(toStatedMarking)),
      encodeJsonbArray(changed.map((item) => item.data)),
      batch.metadata,
      encodeTextArray(changed.map((item) => item.contentHash)),
      countRows(batch),
      unchanged,
      batch.defaultMarking,
      ...toRuleValues(markingRule),
      ...(hasOtherRows
        ? [
            encodeTextArray(errors.map((error) => error.stage)),
            encodeTextArray(errors.map((error) => error.itemId)),
            encodeTextArray(errors.map((error) => error.message)),
            encodeJsonbArray(errors.map((error) => error.row)),
            encodeTextArray(errors.map((error) => error.marking)),
            encodeTextArray(superseded.map((item) => item.itemId)),
            encodeTextArray(superseded.map((item) => item.classificationMarking)),
          ]
        : []),
    ],
  };
}

function toRuleValues(rule: MarkingRule): unknown[] {
  if (rule.kind !== 'QUERY_JOB') return [rule.kind === 'SOURCE'];
  const { metadata, marking, raisedBy, reason } = rule;
  return [metadata, marking, raisedBy?.id ?? null, raisedBy?.name ?? null, reason];
}

// The outcome of an upload is written to the batch, not to its items. They are checked one by one only if some have left the
// batch, because another job has saved them in the meantime.
const MARK_UPLOADED = `with ${LEASE},
uploaded as (
  update upload_batch b set uploaded_at = now(), partition_id = null, lost_at = null, generation = $19, upload_key = $20
  from lease where b.id = $5 and b.partition_id = lease.id
),
present as (select count(*) from blade_item where upload_batch_id = $5),
superseded as materialized (
  select u.item_id from unnest($6::text[], $7::text[], $8::text[], $9::jsonb[])
    as u (${ACCEPTED_COLUMNS})
  cross join lateral (
    select i.content_hash, i.classification_marking, i.query_metadata, i.upload_batch_id
    from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as i
  where (select count from present) < cardinality($6::text[]) + cardinality($10::text[])
    and ${HAS_OTHER_CONTENT}
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
  select $16::uuid, $17::text, $18::int[], array[$5::bigint], array[present.count::int] from lease, present
  where $17::text is not null and present.count = cardinality($6::text[]) and cardinality($10::text[]) = 0
  ${ON_KNOWN_BATCH}
),
still_lost as (
  insert into upload_batch (lost_at) select now() from lease where $21::boolean and cardinality($10::text[]) > 0 returning id
),
released as (
  update blade_item i set upload_batch_id = (select id from still_lost)
  from lease where i.data_type = $4 and i.item_id = any($10::text[]) and i.upload_batch_id = $5
  returning 1
),
bad as materialized (
  select u.item_id, u.message, ${pickHigherSql('u.marking', 'stored.classification_marking')} as marking
  from unnest($11::text[], $12::text[], $13::text[]) as u (item_id, message, marking)
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, marking)
  select $3::uuid, lease.id, $4, 'UPLOAD', bad.item_id, bad.message, bad.marking from lease, bad
),
errors as (select ${countLevelsSql(toLevelSql('marking'))} as by_level from bad),
-- The update below reads this, so it waits until the items are written.
written as (select (select count(*) from owed) + (select count(*) from released) as count)
update job_partition p set
  ${HELD},
  success_count = p.success_count + $14::int,
  restored_count = p.restored_count + case when $22::boolean then $14::int else 0 end,
  error_count = p.error_count + cardinality($11::text[]),
  processed_items = p.processed_items + $14::int + cardinality($11::text[]),
  total_items = case when p.total_items is not null then greatest(p.total_items, p.processed_items + $14::int + cardinality($11::text[])) end,
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + ($15::int[])[${at}]`)},
  restored_by_level = case when $22::boolean then ${createLevelArray(
    (at) => `p.restored_by_level[${at}] + ($15::int[])[${at}]`,
  )} else p.restored_by_level end,
  error_by_level = ${createLevelArray((at) => `p.error_by_level[${at}] + errors.by_level[${at}]`)}
from lease, written, errors where p.id = lease.id and written.count >= 0
returning exists (select from again) as "isPending"`;

const COUNT_UNCHANGED = `with ${LEASE}
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

const SAVE_TOTAL = `with ${LEASE}
update job_partition p set ${HELD}, total_items = greatest($3::bigint, p.read_items)
from lease where p.id = lease.id
returning p.id`;

const COUNT_SUCCESS = `with ${LEASE}
update job_partition p set
  ${HELD},
  success_count = p.success_count + $3::bigint,
  processed_items = p.processed_items + $3::bigint,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.processed_items + $3::bigint) end,
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + ($4::bigint[])[${at}]`)}
from lease where p.id = lease.id
returning p.id`;
