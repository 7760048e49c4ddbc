import type { Pool } from 'pg';
import type { ItemKeys } from './stored-items.ts';

// The outbox `item_removal`. The sync that deletes an item orders its removal in the same transaction. A removal is noted as sent
// before it goes to the catalog; whatever happens then, the item is looked at again:
//
//   still deleted   it is removed from the catalog, however often that takes, and then here
//   back            it is uploaded again, because a removal that was sent may come after its upload
//
// Uploads that may end after a removal raise the revision of its order, or make a new one.

/** An item whose removal is due. */
export interface DueRemoval {
  readonly dataType: string;
  readonly itemId: string;
  readonly revision: number;
  /** Whether its row is back. */
  readonly isBack: boolean;
}

/** An item that the catalog still holds, or may hold, with its reason. */
export interface FailedRemoval extends DueRemoval {
  readonly message: string;
  /** Whether the catalog still holds it. */
  readonly isHeld: boolean;
}

/** Whether the source of an order r removes items no more: the orders that were not sent yet are then withdrawn. */
const IS_WITHDRAWN = `r.sent_at is null and not exists (
  select from data_source s where s.id = r.data_source_id and s.delete_policy = 'REMOVE')`;

/** Whether an upload that is under way may have the item of an order r. */
const IS_UPLOADED_NOW = `exists (
  select from upload_batch b join job_partition p on p.id = b.partition_id and p.state = 'RUNNING'
  where b.id = r.upload_batch_id and b.uploaded_at is null)`;

/** Whether an order is due, or was withdrawn. */
export const HAS_DUE_REMOVALS = `select exists (
  select from item_removal r where r.retry_at <= blade_now() and not ${IS_UPLOADED_NOW}) as "hasDue"`;

/** The longest wait before the next attempt, in seconds. */
const MAX_WAIT_SECONDS = 3_600;

/**
 * Claims orders that are due and notes them as sent. Another attempt follows after a while, unless they are settled.
 * @returns at most `limit`.
 */
export async function claimDueRemovals(pool: Pool, limit: number): Promise<readonly DueRemoval[]> {
  await pool.query(`delete from item_removal r where ${IS_WITHDRAWN}`);
  const { rows } = await pool.query<DueRemoval>(
    `with due as materialized (
      select r.data_type, r.item_id, r.sent_at is not null as was_sent
      from item_removal r where r.retry_at <= blade_now() and not ${IS_UPLOADED_NOW}
      order by r.retry_at, r.data_type, r.item_id limit $1 for update of r skip locked
    ),
    found as materialized (
      select due.*, i.item_id is not null and i.deleted_at is null as is_back
      from due left join blade_item i on i.data_type = due.data_type and i.item_id = due.item_id
    ),
    needless as (
      delete from item_removal r using found
      where r.data_type = found.data_type and r.item_id = found.item_id and found.is_back and not found.was_sent
    )
    update item_removal r set sent_at = coalesce(r.sent_at, blade_now()), attempts = r.attempts + 1,
      retry_at = blade_now() + interval '1 second' * least(${MAX_WAIT_SECONDS}, 60 * 2 ^ least(r.attempts, 10))
    from found where r.data_type = found.data_type and r.item_id = found.item_id and (found.was_sent or not found.is_back)
    returning r.data_type as "dataType", r.item_id as "itemId", r.revision, found.is_back as "isBack"`,
    [limit],
  );
  return rows;
}

/**
 * Deletes items that the catalog does not hold any more, with their orders. One whose marking was raised stays deleted: if its
 * row came back, it must have that marking. An item that is back is due at once, so that it is uploaded again.
 */
export async function settleRemoved(pool: Pool, removed: readonly DueRemoval[]): Promise<void> {
  await pool.query(
    `with ${LOCKED},
    settled as (
      delete from item_removal r using locked u
      where r.data_type = u.data_type and r.item_id = u.item_id and r.revision = u.revision and not u.is_back
      returning r.data_type, r.item_id
    ),
    returned as (
      update item_removal r set retry_at = blade_now() from locked u
      where r.data_type = u.data_type and r.item_id = u.item_id and u.is_back
    ),
    -- A row that failed before would otherwise bring the item back with old content.
    forgotten as (
      update job_error e set "row" = null from settled s join locked u using (data_type, item_id)
      where e.data_type = s.data_type and e.item_id = s.item_id and e."row" is not null and e.created_at <= u.deleted_at
    ),
    kept as (
      update blade_item i set was_uploaded = false from settled s
      where i.data_type = s.data_type and i.item_id = s.item_id and i.deleted_at is not null and i.floor_marking is not null
    )
    delete from blade_item i using settled s
    where i.data_type = s.data_type and i.item_id = s.item_id and i.deleted_at is not null and i.floor_marking is null`,
    toColumns(removed),
  );
}

/** Ends the orders of items that were uploaded again because they are back, unless they were deleted once more. */
export async function settleReturned(pool: Pool, returned: readonly DueRemoval[]): Promise<void> {
  await pool.query(
    `with ${LOCKED}
    delete from item_removal r using locked u
    where r.data_type = u.data_type and r.item_id = u.item_id and r.revision = u.revision and u.is_back`,
    toColumns(returned),
  );
}

/** Notes why items were not removed. */
export async function saveFailedRemovals(pool: Pool, failed: readonly FailedRemoval[]): Promise<void> {
  await pool.query(
    `update item_removal r set message = u.message,
      sent_at = case when u.is_held and r.revision = u.revision then null else r.sent_at end
    from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::boolean[])
      as u (data_type, item_id, revision, message, is_held)
    where r.data_type = u.data_type and r.item_id = u.item_id`,
    [...toColumns(failed), failed.map(({ message }) => message), failed.map(({ isHeld }) => isHeld)],
  );
}

/**
 * Orders the removal of items that an upload outside of upload batches may have brought back into the catalog after they were
 * removed: those that are gone here, or that are to be removed.
 */
export async function orderRemovalsAgain(pool: Pool, { dataType, itemIds }: ItemKeys): Promise<void> {
  await pool.query(
    `insert into item_removal (data_type, item_id, sent_at)
    select $1, u.item_id, blade_now() from unnest($2::text[]) as u (item_id)
    left join blade_item i on i.data_type = $1 and i.item_id = u.item_id
    where i.item_id is null or (i.deleted_at is not null and exists (
      select from item_removal r where r.data_type = $1 and r.item_id = u.item_id))
    order by u.item_id collate "C"
    on conflict (data_type, item_id) do update set revision = item_removal.revision + 1,
      sent_at = coalesce(item_removal.sent_at, blade_now()), retry_at = least(item_removal.retry_at, blade_now())`,
    [dataType, itemIds],
  );
}

/** The items, as they are now and stay until the end of the statement, with the revisions of the removals. */
const LOCKED = `asked as materialized (
  select * from unnest($1::text[], $2::text[], $3::int[]) as u (data_type, item_id, revision)
),
stored as materialized (
  select i.data_type, i.item_id, i.deleted_at from asked join blade_item i using (data_type, item_id)
  order by i.data_type, i.item_id collate "C" for update of i
),
locked as materialized (
  select asked.*, stored.deleted_at, stored.item_id is not null and stored.deleted_at is null as is_back
  from asked left join stored using (data_type, item_id)
)`;

function toColumns(removals: readonly DueRemoval[]): unknown[] {
  return [
    removals.map(({ dataType }) => dataType),
    removals.map(({ itemId }) => itemId),
    removals.map(({ revision }) => revision),
  ];
}
