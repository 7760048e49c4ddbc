import type { Pool } from 'pg';
import { type BladeItem, DERIVED_ID } from '../data-types/blade-item.ts';
import { MARKINGS } from '../data-types/marking.ts';
import { encodeJsonbArray, encodeTextArray } from './binary-array.ts';
import { noteItemChanges } from './item-changes.ts';

/** Some items of one data type. */
export interface ItemKeys {
  readonly dataType: string;
  readonly itemIds: readonly string[];
}

/** Finds the current content of items, as the catalog should have it. */
export async function findItems(pool: Pool, { dataType, itemIds }: ItemKeys): Promise<readonly BladeItem[]> {
  const { rows } = await pool.query<BladeItem>(
    `select ${ITEM_COLUMNS} from blade_item i where data_type = $1 and item_id = any($2) order by item_id`,
    [dataType, itemIds],
  );
  return rows;
}

/** Finds those of the items that the catalog should have: not those that it does not hold any more, or never did. */
export async function findUploadableItems(
  pool: Pool,
  { dataType, itemIds }: ItemKeys,
): Promise<readonly BladeItem[]> {
  const { rows } = await pool.query<BladeItem>(
    `select ${ITEM_COLUMNS} from blade_item i
     where data_type = $1 and item_id = any($2) and (deleted_at is null or was_uploaded) order by item_id`,
    [dataType, itemIds],
  );
  return rows;
}

// For items aliased i. Their source may have been renamed since they were read.
export const ITEM_COLUMNS = `data_type as "dataType", item_id as "itemId", classification_marking as "classificationMarking",
  data::text as data, content_hash as "contentHash", query_metadata::text as "queryMetadata",
  (metadata || coalesce((select jsonb_build_object('data_source', s.name) from data_source s where s.id = i.data_source_id), '{}')
    || coalesce(query_metadata, '{}'))::text as metadata`;

/**
 * Whether an item belonged to a source that was deleted, and is read from another one now.
 * @param item its alias.
 * @param source the id of the source that it is read from; null for none.
 */
export const isOrphanSql = (item: string, source: string) =>
  `(${item}.data_source_id <> ${source}::uuid
    and not exists (select from data_source s where s.id = ${item}.data_source_id))`;

/** The columns of rows u that hold the items accepted by the catalog; see `toAcceptedValues`. */
export const ACCEPTED_COLUMNS = 'item_id, content_hash, marking, query_metadata';

export function toAcceptedValues(items: readonly BladeItem[]): unknown[] {
  return [
    encodeTextArray(items.map((item) => item.itemId)),
    encodeTextArray(items.map((item) => item.contentHash)),
    encodeTextArray(items.map((item) => item.classificationMarking)),
    encodeJsonbArray(items.map((item) => item.queryMetadata)),
  ];
}

/** Whether the content of an item i differs from what, by a row u, the catalog has. */
export const HAS_OTHER_CONTENT = `(i.content_hash <> u.content_hash or i.classification_marking <> u.marking
  or i.query_metadata is distinct from u.query_metadata)`;

/** Whether the upload batch of an item has been uploaded. */
export const isUploadedSql = (item: string) =>
  `exists (select from upload_batch b where b.id = ${item}.upload_batch_id and b.uploaded_at is not null)`;

/** Whether no active job is going to upload an item i. */
const IS_UNCLAIMED = `(i.upload_batch_id is null or exists (
  select from upload_batch b left join job_partition p on p.id = b.partition_id
  where b.id = i.upload_batch_id and b.uploaded_at is null
    and (b.partition_id is null or p.state in ('COMPLETED', 'FAILED', 'CANCELLED'))
))`;

/** Whether an item of a source has no upload, such as one that the catalog rejected. */
export async function hasItemsWithoutUpload(pool: Pool, dataSourceId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'select 1 from blade_item where upload_batch_id is null and data_source_id = $1 and deleted_at is null limit 1',
    [dataSourceId],
  );
  return rowCount !== 0;
}

/** Whether an item of a source has an id that was derived from its row. */
export async function hasDerivedIds(pool: Pool, dataSourceId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select 1 from blade_item where classification_marking = any($2) and data_source_id = $1
     and starts_with(item_id, $3) and deleted_at is null limit 1`,
    [dataSourceId, MARKINGS, DERIVED_ID],
  );
  return rowCount !== 0;
}

/** Whether a source has brought one of these items, and it is not deleted. */
export async function hasItemsAmong(
  pool: Pool,
  {
    dataSourceId,
    dataType,
    itemIds,
  }: { readonly dataSourceId: string; readonly dataType: string; readonly itemIds: readonly string[] },
): Promise<boolean> {
  if (itemIds.length === 0) return false;
  const { rowCount } = await pool.query(
    `select 1 from unnest($3::text[]) as given (item_id)
     join blade_item i on i.data_type = $2 and i.item_id = given.item_id
     where i.deleted_at is null and jsonb_exists(i.metadata, 'source_table')
       and (i.data_source_id = $1 or jsonb_exists(i.other_markings, $1::text)) limit 1`,
    [dataSourceId, dataType, itemIds],
  );
  return rowCount !== 0;
}

/** Marks items of one data type as uploaded, unless they are deleted, have changed or a job is going to upload them. */
export async function markItemsUploaded(
  pool: Pool,
  dataType: string,
  accepted: readonly BladeItem[],
  { generation, key }: { readonly generation: string; readonly key: string },
): Promise<void> {
  await pool.query(
    `with same as (
      select i.item_id from unnest($2::text[], $3::text[], $4::text[], $5::jsonb[]) as u (${ACCEPTED_COLUMNS})
      join blade_item i on i.data_type = $1 and i.item_id = u.item_id
      where not ${HAS_OTHER_CONTENT} and ${IS_UNCLAIMED} and i.deleted_at is null order by i.item_id for update of i
    ),
    batch as (
      insert into upload_batch (uploaded_at, generation, upload_key)
      select blade_now(), $6::text, $7::text where exists (select from same) returning id
    )
    update blade_item i set upload_batch_id = batch.id from batch, same
    where i.data_type = $1 and i.item_id = same.item_id`,
    [dataType, ...toAcceptedValues(accepted), generation, key],
  );
}

/** Drops the upload of items of one data type that the catalog rejected; their next sync tries again. Lost ones stay lost. */
export async function releaseRejectedItems(pool: Pool, { dataType, itemIds }: ItemKeys): Promise<void> {
  await pool.query(
    `with released as (
      update blade_item i set upload_batch_id = null
      where i.data_type = $1 and i.item_id = any($2) and i.upload_batch_id is not null and ${IS_UNCLAIMED}
        and not exists (select from upload_batch b where b.id = i.upload_batch_id and b.lost_at is not null)
      returning i.data_source_id
    )
    ${noteItemChanges('select data_source_id from released')}`,
    [dataType, itemIds],
  );
}

/**
 * Finds items whose marking was raised by a job that ended without uploading them, so the catalog may hold them with a
 * lower one.
 * @returns at most a thousand, of one data type; null for none.
 */
export async function findUnclaimedRaisedItems(pool: Pool): Promise<ItemKeys | null> {
  const { rows } = await pool.query<{ dataType: string; itemIds: string[] }>(
    `select data_type as "dataType", array_agg(item_id) as "itemIds" from (
      select i.data_type, i.item_id from upload_batch b
      join job_partition p on p.id = b.partition_id and p.state in ('COMPLETED', 'FAILED', 'CANCELLED')
      join blade_item i on i.upload_batch_id = b.id
      where i.floor_marking is not null order by i.data_type, i.item_id limit 1000
    ) as pending group by data_type limit 1`,
  );
  return rows[0] ?? null;
}
