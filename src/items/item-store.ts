import type { Pool } from 'pg';
import type { BladeItem, RowItem } from '../data-types/blade-item.ts';
import type { Marking } from '../data-types/marking.ts';
import { defaultMarkingOf } from '../data-types/registry.ts';
import { isDataError } from '../database/database-error.ts';
import type { ErrorStage } from '../database/generated/prisma/enums.ts';
import { createLeasedWriter, HELD, LEASE, type PartitionLease } from '../database/partition-lease.ts';
import type { JsonValue } from '../shared/json.ts';
import { jsonbArray, textArray } from './binary-array.ts';
import { arrayOfLevels, type LevelCounts, NO_COUNTS, totalOf } from './level-counts.ts';
import type { MarkingRule } from './marking-rule.ts';
import { countsOfLevels, higherIn, levelIn, QUERY_JOB_MARKINGS, sourceMarkings } from './marking-sql.ts';
import {
  type CountedUploadBatch,
  createReadBatches,
  ON_KNOWN_BATCH,
  type ReadBatch,
  type ReadBatches,
} from './read-batches.ts';
import {
  ACCEPTED_COLUMNS,
  acceptedValues,
  findItems,
  HAS_OTHER_CONTENT,
  ITEM_COLUMNS,
  type ItemKeys,
} from './stored-items.ts';

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
  readonly markingRule: MarkingRule;
  /** Where the items are from, as JSON text. */
  readonly metadata: string;
  /** At most one of each item id. */
  readonly items: readonly RowItem[];
  /** Items of the batch that a later row of the same batch replaced. */
  readonly superseded: readonly RowItem[];
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
   * @returns the items that have to be uploaded, as they are stored now, or null where there are none; all others of the
   * batch count as success.
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
  findItems(keys: ItemKeys): Promise<readonly BladeItem[]>;
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
    const { unchangedIn, ...changes } = asks
      ? await askForChanged(batch)
      : { ...allOf(batch), unchangedIn: null };
    const { saved, readBatch } = await upsert(batch, changes);
    asksFirst = (saved?.items.length ?? 0) < batch.items.length * MOSTLY;
    if (saved === null && readBatch !== null && unchangedIn !== null) await remember(readBatch, unchangedIn);
    return saved;
  }

  async function askForChanged(batch: SaveBatch): Promise<Changes & { unchangedIn: UnchangedIn }> {
    const { dataType, items, fingerprint } = batch;
    const { rows } = await pool.query<UnchangedItems>(UNCHANGED_ITEMS, [
      dataType,
      textArray(items.map((item) => item.itemId)),
      textArray(items.map((item) => item.contentHash)),
      fingerprint !== null,
    ]);
    const [found] = rows;
    if (found === undefined || found.count === 0) return { ...allOf(batch), unchangedIn: null };
    const unchanged = found.by_level;
    if (found.ids === null) return { changed: [], unchanged, unchangedIn: found.upload_batches };
    const ids = new Set(found.ids);
    return { changed: items.filter((item) => !ids.has(item.itemId)), unchanged, unchangedIn: null };
  }

  async function upsert(batch: SaveBatch, { changed, unchanged }: Changes): Promise<SavedBatch> {
    if (totalOf(unchanged) === rowsOf(batch)) return countUnchanged(batch, unchanged);
    const statement = saveStatement(batch, changed, unchanged);
    const { id, count, ids, differing, levels } = await write<SavedItems>(statement.text, statement.values);
    const readBatch = readBatchOf(batch, levels);
    if (id === null || count === 0) return { saved: null, readBatch };
    const savedIds = ids === null ? null : new Set(ids);
    const saved = savedIds === null ? changed : changed.filter((item) => savedIds.has(item.itemId));
    const isAll = saved.length === batch.items.length;
    const items = await asStored(batch.dataType, saved, differing ?? []);
    return { saved: { id, items, readBatch: isAll ? readBatch : null }, readBatch };
  }

  async function countUnchanged(batch: SaveBatch, unchanged: LevelCounts): Promise<SavedBatch> {
    await write(COUNT_UNCHANGED, [JSON.stringify(batch.position), totalOf(unchanged), unchanged]);
    return { saved: null, readBatch: readBatchOf(batch, unchanged) };
  }

  /** Items as they are stored, where what there was before or what others state makes them other than they came in. */
  async function asStored(
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

  /** Items the database refuses, found by halving; each probe is rolled back. */
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
    // Without a listener a connection that is lost would end the thread. The statement under way rejects by itself.
    const ignore = () => {};
    client.on('error', ignore);
    try {
      await client.query('begin');
      const { text, values } = saveStatement(batch, batch.items, NO_COUNTS);
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
        ...acceptedValues(accepted),
        textArray(rejected.map(({ item }) => item.itemId)),
        textArray(errors.map(({ item }) => item.itemId)),
        textArray(errors.map(({ message }) => message)),
        textArray(errors.map(({ item }) => item.classificationMarking)),
        totalOf(success),
        success,
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
        `select ${ITEM_COLUMNS} from blade_item i where upload_batch_id = $1 order by data_type, item_id`,
        [id],
      );
      return rows;
    },

    findItems: (keys) => findItems(pool, keys),
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

/** The upload batches that items are in, with the numbers of all items in these. */
type UnchangedIn = readonly CountedUploadBatch[] | null;

interface UnchangedItems extends ChosenItems {
  readonly by_level: LevelCounts;
  /** Null where not all items of the batch are unchanged, or they are in too many upload batches. */
  readonly upload_batches: UnchangedIn;
}

/** What is left to write of a batch, and how many items of it are stored as they are. */
interface Changes {
  readonly changed: readonly RowItem[];
  readonly unchanged: LevelCounts;
}

const allOf = ({ items }: SaveBatch): Changes => ({ changed: items, unchanged: NO_COUNTS });

interface SavedItems extends ChosenItems {
  /** The batch that they are uploaded in; null where there was nothing to save. */
  readonly id: string | null;
  /** Those that may be stored other than they came in; null for none. */
  readonly differing: string[] | null;
  /** Of all rows of the batch that became items. */
  readonly levels: LevelCounts;
}

interface SavedBatch {
  readonly saved: UploadBatch | null;
  /** What is to be remembered of the batch once its items are uploaded; null for nothing. */
  readonly readBatch: ReadBatch | null;
}

interface Refusal {
  readonly item: BladeItem;
  readonly message: string;
}

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
  select u.item_id, i.upload_batch_id, ${levelIn('i.classification_marking')} as level
  from unnest($2::text[], $3::text[]) as u (item_id, content_hash)
  cross join lateral (
    select i.content_hash, i.upload_batch_id, i.classification_marking from blade_item i where i.data_type = $1 and i.item_id = u.item_id limit 1
  ) as i
  where i.content_hash = u.content_hash and ${isUploaded('i')}
)
select count(*)::int as count,
  case when count(*) < cardinality($2::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
  ${countsOfLevels()} as by_level,
  case when $4 and count(*) = cardinality($2::text[]) and count(distinct upload_batch_id) <= ${MOST_UPLOAD_BATCHES} then (
    select json_agg(json_build_object('id', b.id::text, 'count', (
      select count(*) from blade_item i where i.upload_batch_id = b.id
    ))) from (select distinct upload_batch_id as id from unchanged) as b
  ) end as upload_batches
from unchanged`;

/** What is remembered of a batch; null where some of its rows are to be read again. */
function readBatchOf(
  { dataSourceId, fingerprint, items, errors }: SaveBatch,
  rows: LevelCounts,
): ReadBatch | null {
  if (dataSourceId === null || fingerprint === null || items.length === 0 || errors.length > 0) return null;
  return { dataSourceId, fingerprint, rows };
}

/** How an upsert inserts an item and what it changes of one that there is. */
interface Upsert {
  /** How many parameters it has of its own. */
  readonly parameters: number;
  /** The columns beside those that every upsert has, with their values. */
  readonly inserted: Readonly<Record<string, string>>;
  readonly changed: string;
  /** Whether an item, as it is stored then, may be another than it came in. */
  readonly differs: string;
}

const SOURCE = sourceMarkings('$14::boolean');

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
    row_marking: `case when ${levelIn('u.marking')} > ${levelIn('$13')} then $13 end`,
    is_marking_stated: 'false',
    floor_marking: raised('u.marking'),
    floor_job_id: raised('lease.job_id'),
    floor_by_id: raised('$16'),
    floor_by_name: raised('$17'),
    floor_at: raised('now()'),
    floor_reason: raised(
      `case when ${levelIn('u.marking')} > ${levelIn('$15::text')} then 'The query marks its row so' else $18 end`,
    ),
    query_metadata: '$14::jsonb',
    query_marking: '$15',
  },
  changed: `${QUERY_JOB_MARKINGS}, content_hash = excluded.content_hash`,
  // An item that is new has no transaction that locked it before.
  differs: 'xmax <> 0',
};

/** A value of a column of the floor: the lowest marking is none. */
function raised(value: string): string {
  return `case when ${levelIn('u.marking')} > 0 then ${value} end`;
}

function saveText({ parameters, inserted, changed, differs }: Upsert, hasOtherRows: boolean): string {
  const others = hasOtherRows ? otherRows(FIRST_OF_RULE + parameters) : NO_OTHER_ROWS;
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
  returning item_id, classification_marking, ${levelIn('classification_marking')} as level, (${differs}) as differs
),
pending as (
  select count(*)::int as count,
    case when count(*) < cardinality($6::text[]) then coalesce(array_agg(item_id), '{}') end as ids,
    array_agg(item_id) filter (where differs) as differing,
    ${countsOfLevels()} as by_level
  from saved
),
-- Counted by what they are marked, which the rows do not tell. The limit keeps the planner from a join with all items.
kept as (
  select ${countsOfLevels()} as by_level from (
    select ${levelIn('coalesce(i.classification_marking, u.marking, $13)')} as level
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
    ${arrayOfLevels((at) => `kept.by_level[${at}] + replaced.by_level[${at}] + ($12::int[])[${at}]`)} as success
  from pending, kept, replaced, errors
)
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $11::int,
  success_count = p.success_count + $11::int - counted.failed - counted.count,
  error_count = p.error_count + counted.failed,
  processed_items = p.processed_items + $11::int - counted.count,
  total_items = greatest(p.total_items, p.read_items + $11::int),
  read_by_level = ${arrayOfLevels(
    (at) =>
      `p.read_by_level[${at}] + counted.success[${at}] + counted.by_level[${at}] + counted.errors[${at}]`,
  )},
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + counted.success[${at}]`)},
  error_by_level = ${arrayOfLevels((at) => `p.error_by_level[${at}] + counted.errors[${at}]`)}
from lease, counted where p.id = lease.id
returning (select id from batch), counted.count, counted.ids, counted.differing,
  ${arrayOfLevels((at) => `counted.success[${at}] + counted.by_level[${at}]`)} as levels`;
}

/** Joins rows u of a batch with the items that they are of, as they are written or were before. */
const WITH_ITEM = `left join saved on saved.item_id = u.item_id
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true`;

const LEVEL_OF_ITEM = `coalesce(saved.level, case when stored.classification_marking is not null
  then ${levelIn('stored.classification_marking')} end)`;

/**
 * Rows that another one of the batch replaced, and rows that are no item. They count and are kept as the items that they are
 * of, where these are marked higher than they.
 * @param first the number of the first parameter.
 */
function otherRows(first: number): string {
  const [stages, itemIds, messages, rows, markings, replacedIds, replacedMarkings] = Array.from(
    { length: 7 },
    (_none, index) => `$${first + index}`,
  );
  return `replaced as (
  select ${countsOfLevels()} as by_level from (
    select greatest(${levelIn('u.marking')}, ${LEVEL_OF_ITEM}) as level
    from unnest(${replacedIds}::text[], ${replacedMarkings}::text[]) as u (item_id, marking) ${WITH_ITEM}
  ) as rows
),
bad as materialized (
  select u.*, coalesce(saved.classification_marking, stored.classification_marking) as item_marking,
    greatest(${levelIn('u.marking')}, ${LEVEL_OF_ITEM}) as level
  from unnest(${stages}::text[], ${itemIds}::text[], ${messages}::text[], ${rows}::jsonb[], ${markings}::text[])
    with ordinality as u (stage, item_id, message, "row", marking, place) ${WITH_ITEM}
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, "row", marking)
  select lease.job_id, lease.id, $4, bad.stage::error_stage, bad.item_id, bad.message, bad."row",
    case when bad.level > ${levelIn('bad.marking')} then bad.item_marking else bad.marking end
  from lease, bad order by bad.place
),
errors as (select ${countsOfLevels()} as by_level, count(*)::int as count from bad)`;
}

const NO_OTHER_ROWS = `replaced as (select ${NONE} as by_level), errors as (select ${NONE} as by_level, 0 as count)`;

/** The number of the first parameter that is of the rule by which items are marked. */
const FIRST_OF_RULE = 14;

/** Each with the rows of a batch that are not written, and without, which takes half the time to plan. */
const SAVE_BATCH = {
  SOURCE: { all: saveText(SOURCE_UPSERT, true), itemsOnly: saveText(SOURCE_UPSERT, false) },
  QUERY_JOB: { all: saveText(QUERY_JOB_UPSERT, true), itemsOnly: saveText(QUERY_JOB_UPSERT, false) },
};

/** How many rows the batch has in all. */
function rowsOf({ items, superseded, errors }: SaveBatch): number {
  return items.length + superseded.length + errors.length;
}

/**
 * @param changed the items of the batch that have to be written.
 * @param unchanged how many others there are, which count as success.
 */
function saveStatement(batch: SaveBatch, changed: readonly RowItem[], unchanged: LevelCounts) {
  const { superseded, errors, markingRule } = batch;
  const isQuery = markingRule.kind === 'QUERY_JOB';
  const hasOtherRows = superseded.length > 0 || errors.length > 0;
  const markingOf = (item: RowItem) => (item.statesMarking || isQuery ? item.classificationMarking : null);
  const texts = SAVE_BATCH[isQuery ? 'QUERY_JOB' : 'SOURCE'];
  return {
    text: hasOtherRows ? texts.all : texts.itemsOnly,
    values: [
      JSON.stringify(batch.position),
      batch.dataType,
      batch.dataSourceId,
      textArray(changed.map((item) => item.itemId)),
      textArray(changed.map(markingOf)),
      jsonbArray(changed.map((item) => item.data)),
      batch.metadata,
      textArray(changed.map((item) => item.contentHash)),
      rowsOf(batch),
      unchanged,
      defaultMarkingOf(batch.dataType),
      ...valuesOfRule(markingRule),
      ...(hasOtherRows
        ? [
            textArray(errors.map((error) => error.stage)),
            textArray(errors.map((error) => error.itemId)),
            textArray(errors.map((error) => error.message)),
            jsonbArray(errors.map((error) => error.row)),
            textArray(errors.map((error) => error.marking)),
            textArray(superseded.map((item) => item.itemId)),
            textArray(superseded.map((item) => item.classificationMarking)),
          ]
        : []),
    ],
  };
}

function valuesOfRule(rule: MarkingRule): unknown[] {
  if (rule.kind !== 'QUERY_JOB') return [rule.kind === 'SOURCE'];
  const { metadata, marking, raisedBy, reason } = rule;
  return [metadata, marking, raisedBy?.id ?? null, raisedBy?.name ?? null, reason];
}

// What became of a batch is written to the batch, not to its items. Only where some of them are in it no more, another job
// has saved them meanwhile, they are looked at one by one.
const MARK_UPLOADED = `with ${LEASE},
uploaded as (
  update upload_batch b set uploaded_at = now(), partition_id = null from lease where b.id = $5 and b.partition_id = lease.id
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
released as (
  update blade_item i set upload_batch_id = null
  from lease where i.data_type = $4 and i.item_id = any($10::text[]) and i.upload_batch_id = $5
  returning 1
),
bad as materialized (
  select u.item_id, u.message, ${higherIn('u.marking', 'stored.classification_marking')} as marking
  from unnest($11::text[], $12::text[], $13::text[]) as u (item_id, message, marking)
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, marking)
  select $3::uuid, lease.id, $4, 'UPLOAD', bad.item_id, bad.message, bad.marking from lease, bad
),
errors as (select ${countsOfLevels(levelIn('marking'))} as by_level from bad),
-- Read by what follows, which therefore waits until the items are written.
written as (select (select count(*) from owed) + (select count(*) from released) as count)
update job_partition p set
  ${HELD},
  success_count = p.success_count + $14::int,
  error_count = p.error_count + cardinality($11::text[]),
  processed_items = p.processed_items + $14::int + cardinality($11::text[]),
  total_items = greatest(p.total_items, p.processed_items + $14::int + cardinality($11::text[])),
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + ($15::int[])[${at}]`)},
  error_by_level = ${arrayOfLevels((at) => `p.error_by_level[${at}] + errors.by_level[${at}]`)}
from lease, written, errors where p.id = lease.id and written.count >= 0
returning exists (select from again) as owes`;

const COUNT_UNCHANGED = `with ${LEASE}
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $4::int,
  success_count = p.success_count + $4::int,
  processed_items = p.processed_items + $4::int,
  total_items = greatest(p.total_items, p.read_items + $4::int),
  read_by_level = ${arrayOfLevels((at) => `p.read_by_level[${at}] + ($5::int[])[${at}]`)},
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + ($5::int[])[${at}]`)}
from lease where p.id = lease.id
returning p.id`;

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
