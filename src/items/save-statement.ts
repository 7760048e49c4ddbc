import type { RowItem } from '../data-types/blade-item.ts';
import { HELD, LEASE } from '../database/partition-lease.ts';
import { encodeJsonbArray, encodeTextArray } from './binary-array.ts';
import { addChanges, COUNT_CHANGES, createChangeSql } from './change-counts.ts';
import type { SaveBatch } from './item-batches.ts';
import { noteItemChanges } from './item-changes.ts';
import { createLevelArray, type LevelCounts, NO_COUNTS_SQL } from './level-counts.ts';
import type { MarkingRule } from './marking-rule.ts';
import {
  countLevelsSql,
  createSourceMarkings,
  pickHigherSql,
  QUERY_JOB_MARKINGS,
  toLevelSql,
} from './marking-sql.ts';
import type { ReadIds } from './seen-ids.ts';
import { isOrphanSql, isUploadedSql } from './stored-items.ts';

/** A statement for `LeasedWriter`, which returns one `SavedItems`. */
export interface SaveStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The items of a batch that a save has written. */
export interface SavedItems {
  readonly count: number;
  /** Null if it is all of them. */
  readonly ids: string[] | null;
  /** The upload batch of the items; null if there was nothing to save. */
  readonly id: string | null;
  /** Items that may be stored differently from how they came in; null for none. */
  readonly differing: string[] | null;
  /** The written items that are new, and those that have changed; null for all of them. */
  readonly inserted: string[] | null;
  readonly updated: string[] | null;
  /** Counts all rows of the batch that became items. */
  readonly levels: LevelCounts;
}

/**
 * Creates the statement that saves a batch: it upserts items, stores errors, counts all rows and moves the checkpoint.
 * @param changed the items of the batch to write.
 * @param unchanged the counts of the other items, which count as success.
 */
export function createSaveStatement(
  batch: SaveBatch,
  changed: readonly RowItem[],
  unchanged: LevelCounts,
  { repeated, savedHashes }: ReadIds,
): SaveStatement {
  const { superseded, errors, markingRule } = batch;
  const isQuery = markingRule.kind === 'QUERY_JOB';
  const hasOtherRows = superseded.length > 0 || errors.length > 0 || repeated.length > 0;
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
      savedHashes,
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
            encodeTextArray(repeated),
          ]
        : []),
    ],
  };
}

/** Counts all rows of the batch. */
export function countRows({ items, superseded, errors }: SaveBatch): number {
  return items.length + superseded.length + errors.length;
}

// Jobs that write the same items lock them in the same order, so they wait for each other instead of deadlocking.
const IN_ORDER = 'order by u.item_id collate "C"';

/** How an upsert inserts a new item and changes a stored one. */
interface Upsert {
  /** The number of parameters of its marking rule. */
  readonly parameters: number;
  /** The columns besides those of every upsert, with their values. */
  readonly inserted: Readonly<Record<string, string>>;
  readonly changed: string;
  /** Whether an item gets another source although its content is the same. */
  readonly isMoved: string;
  /** Whether an item may be stored differently from how it came in. */
  readonly differs: string;
  /** A query of the sources whose items something else than their own sync has written. */
  readonly changedSources: string;
}

const SOURCE = createSourceMarkings('$15::boolean');

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
  isMoved: isOrphanSql('stored', '$5'),
  differs: `not $15 or row_marking is not null or query_metadata is not null
    or (not is_marking_stated and classification_marking <> $13)`,
  // A source that had the item before still has its marking. A retry of kept rows is no sync.
  changedSources: `select other.id::uuid from saved, jsonb_object_keys(saved.other_markings) as other (id)
    union select $5::uuid from saved where not $15::boolean`,
};

const QUERY_JOB_UPSERT: Upsert = {
  parameters: 5,
  inserted: {
    classification_marking: 'u.marking',
    row_marking: `case when ${toLevelSql('u.marking')} > ${toLevelSql('$13')} then $13 end`,
    is_marking_stated: 'false',
    floor_marking: toFloorValue('u.marking'),
    floor_job_id: toFloorValue('lease.job_id'),
    floor_by_id: toFloorValue('$17'),
    floor_by_name: toFloorValue('$18'),
    floor_at: toFloorValue('blade_now()'),
    floor_reason: toFloorValue(
      `case when ${toLevelSql('u.marking')} > ${toLevelSql('$16::text')} then 'The query marks its row so' else $19 end`,
    ),
    query_metadata: '$15::jsonb',
    query_marking: '$16',
  },
  changed: `${QUERY_JOB_MARKINGS}, content_hash = excluded.content_hash`,
  isMoved: 'false',
  // A new item has no transaction that locked it before.
  differs: 'xmax <> 0',
  changedSources: `select data_source_id from saved
    union select other.id::uuid from saved, jsonb_object_keys(saved.other_markings) as other (id)`,
};

/** Creates the value of a floor column. The lowest marking is no floor. */
function toFloorValue(value: string): string {
  return `case when ${toLevelSql('u.marking')} > 0 then ${value} end`;
}

function createSaveText(upsert: Upsert, hasOtherRows: boolean): string {
  const { parameters, inserted, changed, isMoved, differs, changedSources } = upsert;
  const others = hasOtherRows ? createOtherRows(FIRST_RULE_PARAMETER + parameters) : NO_OTHER_ROWS;
  return `with ${LEASE},
batch as materialized (
  select nextval('upload_batch_id_seq') as id from lease where cardinality($6::text[]) > 0
),
noted as (
  insert into read_ids (partition_id, hashes) select lease.id, $14::bytea from lease where $14::bytea is not null
),
saved as (
  insert into blade_item as stored (data_type, item_id, data, metadata, content_hash, data_source_id, job_id,
    upload_batch_id, change, ${Object.keys(inserted).join(', ')})
  select $4, u.item_id, u.data, $9::jsonb, u.content_hash, $5, lease.job_id, batch.id, 'INSERTED', ${Object.values(inserted).join(', ')}
  from lease, batch, unnest($6::text[], $7::text[], $8::jsonb[], $10::text[])
    as u (item_id, marking, data, content_hash)
  ${IN_ORDER}
  on conflict (data_type, item_id) do update set
    ${changed},
    change = ${CHANGE},
    data = excluded.data, job_id = excluded.job_id, upload_batch_id = excluded.upload_batch_id,
    was_uploaded = stored.was_uploaded or ${isUploadedSql('stored')}, deleted_at = null,
    updated_at = case when stored.content_hash = excluded.content_hash and stored.deleted_at is null then stored.updated_at
      else greatest(blade_now(), stored.updated_at) end
  where stored.content_hash <> excluded.content_hash or not ${isUploadedSql('stored')} or ${isMoved}
    or stored.deleted_at is not null
  returning item_id, classification_marking, data_source_id, other_markings, change,
    ${toLevelSql('classification_marking')} as level, (${differs}) as differs
),
noticed as (${noteItemChanges(changedSources)}),
written as materialized (
  select level, change, item_id = any(${others.repeatedIds}) as is_repeated, count(*)::int as count, bool_or(differs) as differs
  from saved group by 1, 2, 3
),
-- The ids are seldom needed: a subquery runs only where its case is reached.
pending as (
  select coalesce(sum(count), 0)::int as count,
    case when coalesce(sum(count), 0) < cardinality($6::text[]) then ${collectIds('true')} end as ids,
    case when bool_or(differs) then ${collectIds('differs')} end as differing,
    case when bool_or(change is distinct from 'INSERTED') then ${collectIds(`change = 'INSERTED'`)} end as inserted,
    case when bool_or(change is distinct from 'UPDATED') then ${collectIds(`change = 'UPDATED'`)} end as updated,
    ${sumWritten('true')} as by_level,
    ${sumWritten(`change = 'INSERTED' and not is_repeated`)} as awaited_inserted,
    ${sumWritten(`change = 'UPDATED' and not is_repeated`)} as awaited_updated
  from written
),
saved_batch as (
  insert into upload_batch (id, partition_id, repeated_ids, inserted_by_level, updated_by_level)
  select batch.id, lease.id, ${others.repeatedIds}, pending.awaited_inserted, pending.awaited_updated
  from batch, lease, pending where pending.count > 0
),
-- Counted by their stored marking, which the rows do not show. The limit keeps the planner from a join with all items.
unwritten as (
  select ${countLevelsSql()} as by_level, ${COUNT_CHANGES} from (
    select ${toLevelSql('coalesce(i.classification_marking, u.marking, $13)')} as level,
      case when i.job_id = (select job_id from lease) and not u.item_id = any(${others.repeatedIds}) then i.change end as change
    from unnest($6::text[], $7::text[]) as u (item_id, marking)
    left join lateral (
      select i.classification_marking, i.job_id, i.change from blade_item i
      where i.data_type = $4 and i.item_id = u.item_id limit 1
    ) as i on true
    where (select count from pending) < cardinality($6::text[])
      and not exists (select from saved s where s.item_id = u.item_id)
  ) as unwritten_item
),
${others.queries},
counted as (
  select errors.by_level as errors, errors.count as failed, pending.count, pending.ids, pending.differing,
    pending.inserted, pending.updated, unwritten.inserted as again_inserted, unwritten.updated as again_updated,
    pending.count - duplicates.pending as awaited, duplicates.count as duplicates, duplicates.by_level as duplicate,
    ${createLevelArray((at) => `pending.by_level[${at}] - duplicates.pending_by_level[${at}]`)} as awaited_by_level,
    ${createLevelArray((at) => `unwritten.by_level[${at}] - duplicates.unwritten_by_level[${at}] + ($12::int[])[${at}]`)} as success,
    ${createLevelArray((at) => `unwritten.by_level[${at}] + pending.by_level[${at}] + ($12::int[])[${at}]`)} as levels
  from pending, unwritten, duplicates, errors
)
update job_partition p set
  ${HELD},
  position = $3::jsonb,
  read_items = p.read_items + $11::int,
  success_count = p.success_count + $11::int - counted.failed - counted.duplicates - counted.awaited,
  error_count = p.error_count + counted.failed,
  duplicate_count = p.duplicate_count + counted.duplicates,
  processed_items = p.processed_items + $11::int - counted.awaited,
  total_items = case when p.total_items is not null then greatest(p.total_items, p.read_items + $11::int) end,
  read_by_level = ${createLevelArray(
    (at) =>
      `p.read_by_level[${at}] + counted.success[${at}] + counted.awaited_by_level[${at}] + counted.errors[${at}]
        + counted.duplicate[${at}]`,
  )},
  success_by_level = ${createLevelArray((at) => `p.success_by_level[${at}] + counted.success[${at}]`)},
  ${addChanges(
    (at) => `counted.again_inserted[${at}]`,
    (at) => `counted.again_updated[${at}]`,
  )},
  error_by_level = ${createLevelArray((at) => `p.error_by_level[${at}] + counted.errors[${at}]`)},
  duplicate_by_level = ${createLevelArray((at) => `p.duplicate_by_level[${at}] + counted.duplicate[${at}]`)}${others.assignments}
from lease, counted where p.id = lease.id
returning (select id from batch), counted.count, counted.ids, counted.differing, counted.levels,
  counted.inserted, counted.updated`;
}

// What an earlier row or attempt of the job has made of the item stays: counts say what the job has changed.
const CHANGE = `case when stored.job_id = excluded.job_id and stored.deleted_at is null
      and stored.data_source_id is not distinct from excluded.data_source_id and stored.change is not null then stored.change
      else ${createChangeSql('stored', 'excluded.content_hash')} end`;

/** Creates a subquery of the ids of saved items. */
const collectIds = (condition: string) =>
  `(select coalesce(array_agg(item_id), '{}') from saved where ${condition})`;

/** Creates the number of written items by level. */
const sumWritten = (condition: string) =>
  createLevelArray((at) => `coalesce(sum(count) filter (where level = ${at - 1} and ${condition}), 0)::int`);

/** Joins rows u of a batch with their items, as written now or as stored before. */
const WITH_ITEM = `left join saved on saved.item_id = u.item_id
  left join lateral (
    select i.classification_marking from blade_item i where i.data_type = $4 and i.item_id = u.item_id limit 1
  ) as stored on true`;

const LEVEL_OF_ITEM = `coalesce(saved.level, case when stored.classification_marking is not null
  then ${toLevelSql('stored.classification_marking')} end)`;

/** Parts of a save for the rows of a batch besides its new items. */
interface OtherRows {
  readonly queries: string;
  /** Further assignments to the partition. */
  readonly assignments: string;
  /** The ids of items that an earlier batch of the read had. */
  readonly repeatedIds: string;
}

/**
 * Creates the SQL for rows that are not items, and for duplicates: rows that another row of the batch replaced, and items
 * that an earlier batch had. They are counted and stored with the marking of their item if that is higher.
 * @param first the number of the first parameter.
 */
function createOtherRows(first: number): OtherRows {
  const [stages, itemIds, messages, rows, markings, replacedIds, replacedMarkings, repeatedIds] = Array.from(
    { length: 8 },
    (_none, index) => `$${first + index}`,
  );
  const queries = `duplicate as materialized (
  select u.item_id, u.row_marking is null as is_item, saved.item_id is not null as is_pending,
    ${pickHigherSql('coalesce(saved.classification_marking, stored.classification_marking, u.row_marking, $13)', 'u.row_marking')} as marking
  from (
    select item_id, row_marking, place from unnest(${replacedIds}::text[], ${replacedMarkings}::text[])
      with ordinality as replaced (item_id, row_marking, place)
    union all
    select item_id, null, 0 from unnest(${repeatedIds}::text[]) as repeated (item_id)
  ) as u ${WITH_ITEM}
  order by u.place
),
duplicates as (
  select count(*)::int as count, (count(*) filter (where is_item and is_pending))::int as pending,
    ${countLevelsSql(toLevelSql('marking'))} as by_level,
    ${countLevelsSql(`case when is_item and is_pending then ${toLevelSql('marking')} end`)} as pending_by_level,
    ${countLevelsSql(`case when is_item and not is_pending then ${toLevelSql('marking')} end`)} as unwritten_by_level
  from duplicate
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
  return {
    queries,
    assignments: `,
  duplicate_item_id = coalesce(p.duplicate_item_id, (select item_id from duplicate limit 1)),
  duplicate_marking = case when p.duplicate_item_id is null then (select marking from duplicate limit 1)
    else p.duplicate_marking end`,
    repeatedIds: `${repeatedIds}::text[]`,
  };
}

const NO_OTHER_ROWS: OtherRows = {
  queries: `duplicates as (
  select 0 as count, 0 as pending, ${NO_COUNTS_SQL} as by_level, ${NO_COUNTS_SQL} as pending_by_level, ${NO_COUNTS_SQL} as unwritten_by_level
), errors as (select ${NO_COUNTS_SQL} as by_level, 0 as count)`,
  assignments: '',
  repeatedIds: `'{}'::text[]`,
};

/** The number of the first parameter of the marking rule. */
const FIRST_RULE_PARAMETER = 15;

/** Each with and without the rows that are not written; without them, planning takes half the time. */
const SAVE_BATCH = {
  SOURCE: { all: createSaveText(SOURCE_UPSERT, true), itemsOnly: createSaveText(SOURCE_UPSERT, false) },
  QUERY_JOB: {
    all: createSaveText(QUERY_JOB_UPSERT, true),
    itemsOnly: createSaveText(QUERY_JOB_UPSERT, false),
  },
};

function toRuleValues(rule: MarkingRule): unknown[] {
  if (rule.kind !== 'QUERY_JOB') return [rule.kind === 'SOURCE'];
  const { metadata, marking, raisedBy, reason } = rule;
  return [metadata, marking, raisedBy?.id ?? null, raisedBy?.name ?? null, reason];
}
