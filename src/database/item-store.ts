import type { Pool } from 'pg';
import { type BladeItem, catalogIdOf } from '../data-types/blade-item.ts';
import { type Marking, markings } from '../data-types/marking.ts';
import type { JsonValue } from '../json.ts';
import type { ErrorStage } from './generated/prisma/enums.ts';
import {
  arrayOfLevels,
  countByLevel,
  type LevelCounts,
  levelOf,
  NO_COUNTS,
  sumOfCounts,
  totalOf,
} from './level-counts.ts';

/** The right to write for a partition: held by the attempt that claimed it last, and by no other. */
export interface PartitionLease {
  readonly jobId: string;
  readonly partitionId: string;
  readonly attempt: number;
}

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
}

export interface UploadedBatch {
  readonly dataType: string;
  readonly accepted: readonly BladeItem[];
  readonly rejected: readonly { readonly item: BladeItem; readonly message: string }[];
  /** What the batch adds to the partition's success count; rejected items are counted as errors. */
  readonly success: LevelCounts;
}

/** Another attempt has taken the partition over, or it has ended: nothing was written, and nothing may be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';

  constructor(lease: PartitionLease) {
    super(`attempt ${lease.attempt} of partition ${lease.partitionId} is not the current one any more`);
  }
}

/** Bulk writes of one partition: each call is one statement, so it happens whole or not at all. */
export interface ItemStore {
  /** Forgets position and counts: the read starts over from its first row. Errors of its rows are forgotten too. */
  startOver(): Promise<void>;
  /**
   * Upserts the items that changed or are not uploaded yet, keeps the errors and moves the checkpoint.
   * An item that the database refuses costs its row, not its batch: it becomes an error of stage SAVE.
   * @returns the items that have to be uploaded; all others of the batch count as success.
   */
  saveBatch(batch: SaveBatch): Promise<readonly BladeItem[]>;
  /**
   * Marks accepted items as uploaded and keeps the rejections as errors.
   * @returns ids of accepted items whose content changed meanwhile: the catalog may now hold an older content
   * than the store, so they have to be uploaded again.
   */
  markUploaded(batch: UploadedBatch): Promise<readonly string[]>;
  /** Whether the lease has not been lost; what is written later may find that it has been since. */
  isHeld(): Promise<boolean>;
  /** Items this partition saved and still owes the catalog. */
  pendingItems(): Promise<readonly BladeItem[]>;
  /** The present content of items. */
  findItems(dataType: string, itemIds: readonly string[]): Promise<readonly BladeItem[]>;
}

/**
 * @param pool connections of the thread the store is used in.
 * @param lease every write checks it, and throws LeaseLostError when it is lost.
 */
export function createItemStore(pool: Pool, lease: PartitionLease): ItemStore {
  const leaseValues = [lease.partitionId, lease.attempt];

  async function write<Result>(text: string, values: unknown[]): Promise<Result> {
    for (let deadlocks = 0; ; ) {
      try {
        return await run(pool, text, values);
      } catch (error) {
        if (!isDeadlock(error) || ++deadlocks > MAX_DEADLOCKS) throw error;
      }
    }
  }

  async function run<Result>(connection: Pick<Pool, 'query'>, text: string, values: unknown[]) {
    try {
      const { rows } = await connection.query(text, [...leaseValues, ...values]);
      const [row] = rows;
      if (row === undefined) throw new LeaseLostError(lease);
      return row as Result;
    } catch (error) {
      throw hasCode(error) && error.code === LEASE_LOST ? new LeaseLostError(lease) : error;
    }
  }

  let changedItems = 0;
  let analyzeAt = FIRST_ANALYZE;

  /** A table that has grown since it was last analyzed is read whole for every batch that is marked. */
  async function analyzeWhenGrown(changed: number): Promise<void> {
    changedItems += changed;
    if (changedItems < analyzeAt) return;
    analyzeAt *= 4;
    await pool.query('analyze blade_item');
  }

  async function upsert(batch: SaveBatch): Promise<readonly BladeItem[]> {
    const { pending } = await write<{ pending: string[] | null }>(SAVE_BATCH, saveBatchValues(batch));
    if (pending === null) return [];
    await analyzeWhenGrown(pending.length);
    if (pending.length === batch.items.length) return batch.items;
    const pendingIds = new Set(pending);
    return batch.items.filter((item) => pendingIds.has(item.itemId));
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
      await run(client, SAVE_BATCH, saveBatchValues(batch));
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
    async startOver() {
      await write(START_OVER, []);
    },

    async saveBatch(batch) {
      try {
        return await upsert(batch);
      } catch (error) {
        if (!isDataError(error)) throw error;
        const refused = await findRefusedItems(batch, batch.items);
        if (refused.length === 0) throw error;
        const refusedItems = new Set(refused.map(({ item }) => item));
        return await upsert({
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

    async markUploaded({ dataType, accepted, rejected, success }) {
      const { superseded } = await write<{ superseded: string[] | null }>(MARK_UPLOADED, [
        lease.jobId,
        dataType,
        accepted.map((item) => item.itemId),
        accepted.map((item) => item.contentHash),
        accepted.map((item) => catalogIdOf(dataType, item.itemId)),
        rejected.map(({ item }) => item.itemId),
        rejected.map(({ item }) => item.contentHash),
        rejected.map(({ message }) => message),
        totalOf(success),
        success,
        rejected.map(({ item }) => item.classificationMarking),
        levelsOf(rejected.map(({ item }) => item)),
      ]);
      return superseded ?? [];
    },

    async isHeld() {
      const { rowCount } = await pool.query(
        `select 1 from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'`,
        leaseValues,
      );
      return rowCount === 1;
    },

    async pendingItems() {
      const { rows } = await pool.query<BladeItem>(
        `select ${ITEM_COLUMNS} from blade_item where pending_partition_id = $1 order by data_type, item_id`,
        [lease.partitionId],
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

/** Items that a partition changes before the database counts them anew: the embedded one never does so by itself. */
const FIRST_ANALYZE = 10_000;

interface Refusal {
  readonly item: BladeItem;
  readonly message: string;
}

const ITEM_COLUMNS = `data_type as "dataType", item_id as "itemId", classification_marking as "classificationMarking",
  data::text as data, metadata::text as metadata, content_hash as "contentHash"`;

// Gives no row to an attempt that is not the current one: whatever joins with it then writes nothing.
const LEASE = `lease as materialized (
  select id, job_id from job_partition where id = $1 and attempt = $2 and state = 'RUNNING'
)`;

// Written with the counts, at the end of a statement: a claim that came while it ran makes all of it fail. Checking
// there, and not by a lock at the start, lets the saving and the marking of one partition overlap.
const HELD = `attempt = case when p.attempt = $2 and p.state = 'RUNNING' then p.attempt else blade_lease_lost() end`;

// Jobs that write the same items lock them in the same order, and so wait for each other instead of deadlocking.
const IN_ORDER = 'order by u.item_id collate "C"';

const NONE = `'{${NO_COUNTS.join()}}'::int[]`;

const START_OVER = `with ${LEASE},
forgotten as (delete from job_error e using lease where e.partition_id = lease.id)
update job_partition p
set ${HELD}, position = null, read_items = 0, processed_items = 0, success_count = 0, error_count = 0,
  read_by_level = ${NONE}, success_by_level = ${NONE}, error_by_level = ${NONE}
from lease where p.id = lease.id returning p.id`;

/** Counts rows by the levels of their column classification_marking. */
const COUNTS_BY_LEVEL = arrayOfLevels((at) => {
  const ofLevel = markings.filter((marking) => levelOf(marking) === at - 1).map((marking) => `'${marking}'`);
  return `count(*) filter (where classification_marking in (${ofLevel.join()}))::int`;
});

const SAVE_BATCH = `with ${LEASE},
saved as (
  insert into blade_item as stored (data_type, item_id, classification_marking, data, metadata, content_hash,
    data_source_id, job_id, pending_partition_id)
  select $4, u.item_id, u.classification_marking, u.data::jsonb, u.metadata::jsonb, u.content_hash, $5, lease.job_id, lease.id
  from lease, unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
    as u (item_id, classification_marking, data, metadata, content_hash)
  ${IN_ORDER}
  on conflict (data_type, item_id) do update set
    classification_marking = excluded.classification_marking, data = excluded.data, metadata = excluded.metadata,
    content_hash = excluded.content_hash, data_source_id = excluded.data_source_id, job_id = excluded.job_id,
    pending_partition_id = excluded.pending_partition_id, uploaded_at = null,
    updated_at = case when stored.content_hash = excluded.content_hash then stored.updated_at else now() end
  where stored.content_hash <> excluded.content_hash or stored.uploaded_at is null
  returning item_id, classification_marking
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, "row", marking)
  select lease.job_id, lease.id, $4, u.stage::error_stage, u.item_id, u.message, u."row"::jsonb, u.marking
  from lease, unnest($11::text[], $12::text[], $13::text[], $14::text[], $15::text[])
    as u (stage, item_id, message, "row", marking)
),
pending as (
  select count(*)::int as count, array_agg(item_id) as ids, ${COUNTS_BY_LEVEL} as by_level from saved
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
returning pending.ids as pending`;

function saveBatchValues(batch: SaveBatch): unknown[] {
  const { items, superseded, errors } = batch;
  const errorLevels = countByLevel(errors.map(({ marking }) => marking));
  return [
    JSON.stringify(batch.position),
    batch.dataType,
    batch.dataSourceId,
    items.map((item) => item.itemId),
    items.map((item) => item.classificationMarking),
    items.map((item) => item.data),
    items.map((item) => item.metadata),
    items.map((item) => item.contentHash),
    errors.map((error) => error.stage),
    errors.map((error) => error.itemId),
    errors.map((error) => error.message),
    errors.map((error) => error.row),
    errors.map((error) => error.marking),
    items.length + superseded.length + errors.length,
    sumOfCounts(levelsOf(items), levelsOf(superseded), errorLevels),
    errorLevels,
  ];
}

function levelsOf(items: readonly BladeItem[]): LevelCounts {
  return countByLevel(items.map(({ classificationMarking }) => classificationMarking));
}

const MARK_UPLOADED = `with ${LEASE},
accepted as (
  select * from unnest($5::text[], $6::text[], $7::text[]) as u (item_id, content_hash, catalog_id) ${IN_ORDER}
),
rejected as (
  select * from unnest($8::text[], $9::text[], $10::text[], $13::text[]) as u (item_id, content_hash, message, marking)
),
marked as (
  update blade_item b set
    catalog_id = a.catalog_id,
    uploaded_at = case when b.content_hash = a.content_hash then now() end,
    pending_partition_id = case when b.content_hash <> a.content_hash then lease.id end
  from lease, accepted a where b.data_type = $4 and b.item_id = a.item_id
  returning b.item_id, b.uploaded_at
),
released as (
  update blade_item b set pending_partition_id = null
  from lease, rejected r
  where b.data_type = $4 and b.item_id = r.item_id and b.content_hash = r.content_hash and b.pending_partition_id = lease.id
),
failed as (
  insert into job_error (job_id, partition_id, data_type, stage, item_id, message, marking)
  select $3::uuid, lease.id, $4, 'UPLOAD', r.item_id, r.message, r.marking from lease, rejected r
),
superseded as (select array_agg(item_id) as ids from marked where uploaded_at is null)
update job_partition p set
  ${HELD},
  success_count = p.success_count + $11::int,
  error_count = p.error_count + cardinality($8::text[]),
  processed_items = p.processed_items + $11::int + cardinality($8::text[]),
  total_items = greatest(p.total_items, p.processed_items + $11::int + cardinality($8::text[])),
  success_by_level = ${arrayOfLevels((at) => `p.success_by_level[${at}] + ($12::int[])[${at}]`)},
  error_by_level = ${arrayOfLevels((at) => `p.error_by_level[${at}] + ($14::int[])[${at}]`)}
from lease, superseded where p.id = lease.id
returning superseded.ids as superseded`;

/** Raised by the function blade_lease_lost() of the database. */
const LEASE_LOST = 'BL001';

/** How often a statement is repeated that a deadlock undid: its lock order follows the plan that the database chose. */
const MAX_DEADLOCKS = 10;

interface DatabaseError extends Error {
  readonly code: string;
}

function hasCode(error: unknown): error is DatabaseError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

function isDeadlock(error: unknown): boolean {
  return hasCode(error) && error.code === '40P01';
}

/** SQLSTATE classes of what a row itself can be to blame for: data exceptions, constraints, program limits. */
function isDataError(error: unknown): error is DatabaseError {
  return hasCode(error) && /^(22|23|54)/.test(error.code);
}
