import type { Pool } from 'pg';
import { LEASE, type PartitionLease } from '../database/partition-lease.ts';

/** The generation of a catalog as it was found. */
export interface FoundGeneration {
  /** The kind of catalog. */
  readonly catalog: string;
  /** Null if the catalog has none. */
  readonly id: string | null;
  /** Whether the catalog lacks what was uploaded before generations were recorded. */
  readonly wasEmpty: boolean;
}

/**
 * Upload batches that the catalog has lost. They count as not uploaded, and any partition may claim and upload them. An item
 * that is rewritten leaves its batch, lost or not.
 */
export interface LostUploads {
  /** Finds out which other partitions of the job verify the uploads, too. */
  findOtherVerifiers(): Promise<OtherVerifiers>;
  /** Marks what was uploaded to another catalog, or to another generation of this one, as lost. @returns how many batches. */
  markOtherGenerations(found: FoundGeneration): Promise<number>;
  /** Finds the keys of uploads that this generation should hold. */
  findUploadKeys(found: FoundGeneration): Promise<readonly string[]>;
  /** Marks uploads as lost by their keys. @returns how many batches. */
  markLost(keys: readonly string[]): Promise<number>;
  /** Finds the lost batch with the highest id; null if there is none. */
  findLastLost(): Promise<string | null>;
  /**
   * Claims a lost batch that no running partition has. Its items have one data type.
   * @param lastId the highest id that the batch may have.
   * @param dataType the data type of the items, besides those that no other partition of the job still has; null for any.
   * @returns null if there is none.
   */
  claimLost(lastId: string, dataType: string | null): Promise<string | null>;
  /** Counts the items in lost batches: those that running partitions restore, and the others. */
  countLost(dataType: string | null): Promise<{ readonly claimed: number; readonly unclaimed: number }>;
}

export interface OtherVerifiers {
  /** Whether an earlier partition has begun. */
  readonly hasEarlier: boolean;
  /** Whether a partition still waits, so that one of those that wait ends last. */
  readonly hasWaiting: boolean;
}

/** Converts the generation of a catalog to the form in which it is stored with uploads. @param id null if it has none. */
export function toStoredGeneration({ catalog, id }: Pick<FoundGeneration, 'catalog' | 'id'>): string {
  return `${catalog}:${id ?? ''}`;
}

/** The stored form of a generation that could not be read: uploads to it are lost once it can be, and uploaded again. */
export function toUnknownGeneration(catalog: string): string {
  return catalog;
}

/** @param lease the lease of the attempt, which claims check. */
export function createLostUploads(pool: Pool, lease: PartitionLease): LostUploads {
  return {
    async findOtherVerifiers() {
      const { rows } = await pool.query<OtherVerifiers>(FIND_OTHER_VERIFIERS, [lease.partitionId]);
      return rows[0] ?? { hasEarlier: false, hasWaiting: false };
    },

    async markOtherGenerations(found) {
      const values = [found.catalog, toStoredGeneration(found), found.id === null, found.wasEmpty];
      const { rowCount } = await pool.query(MARK_OTHER_GENERATIONS, values);
      if (!found.wasEmpty) {
        await pool.query(
          'update upload_batch set generation = $1 where uploaded_at is not null and generation is null',
          [toStoredGeneration(found)],
        );
      }
      return rowCount ?? 0;
    },

    async findUploadKeys(found) {
      const { rows } = await pool.query<{ key: string }>(
        `select upload_key as key from upload_batch
         where uploaded_at is not null and generation = $1 and upload_key is not null`,
        [toStoredGeneration(found)],
      );
      return rows.map(({ key }) => key);
    },

    async markLost(keys) {
      const { rowCount } = await pool.query(markLostWhere('upload_key = any($1::text[])'), [keys]);
      return rowCount ?? 0;
    },

    async findLastLost() {
      const { rows } = await pool.query<{ id: string | null }>(
        'select max(id) as id from upload_batch where lost_at is not null',
      );
      return rows[0]?.id ?? null;
    },

    async claimLost(lastId, dataType) {
      const { rows } = await pool.query<{ id: string; dataType: string }>(CLAIM_LOST, [
        lease.partitionId,
        lease.attempt,
        lastId,
        dataType,
      ]);
      const [claimed] = rows;
      if (claimed === undefined) return null;
      await pool.query(KEEP_ONE_DATA_TYPE, [claimed.id, claimed.dataType]);
      return claimed.id;
    },

    async countLost(dataType) {
      const { rows } = await pool.query<{ claimed: number; unclaimed: number }>(COUNT_LOST, [
        lease.partitionId,
        dataType,
      ]);
      return rows[0] ?? { claimed: 0, unclaimed: 0 };
    },
  };
}

// The first partition always verifies, even if others begin at the same moment.
const FIND_OTHER_VERIFIERS = `select
    coalesce(bool_or(o.started_at is not null and o.ordinal < p.ordinal), false) as "hasEarlier",
    coalesce(bool_or(o.state = 'PENDING'), false) as "hasWaiting"
  from job_partition p join job_partition o on o.job_id = p.job_id and o.id <> p.id where p.id = $1`;

/** Locks the batches in the order of their ids, so that processes that find the same loss wait for each other. */
const markLostWhere = (condition: string) => `with lost as (
  select id from upload_batch where uploaded_at is not null and (${condition}) order by id for update
)
update upload_batch b set uploaded_at = null, lost_at = blade_now() from lost where b.id = lost.id`;

// A catalog without generations is trusted with whatever catalogs of its kind have accepted.
const MARK_OTHER_GENERATIONS = markLostWhere(`case
  when generation is null then $4::boolean
  when $3::boolean then split_part(generation, ':', 1) <> $1
  else generation <> $2
end`);

/** Whether no running partition restores a batch b, or only the one of the first parameter. */
const IS_UNCLAIMED = `(b.partition_id is null or b.partition_id = $1
  or not exists (select from job_partition p where p.id = b.partition_id and p.state = 'RUNNING'))`;

/** Whether an item i has the given data type, or one that no other partition of the job is going to compare. */
const isInScope = (
  dataType: string,
) => `(${dataType}::text is null or i.data_type = ${dataType} or not exists (
  select from job_partition other where other.job_id = (select job_id from job_partition where id = $1) and other.id <> $1
    and other.data_type = i.data_type and other.state in ('PENDING', 'RUNNING')))`;

const CLAIM_LOST = `with ${LEASE},
next as (
  select b.id, found.data_type from upload_batch b cross join lateral (
    select i.data_type from blade_item i where i.upload_batch_id = b.id and ${isInScope('$4')}
    order by i.data_type limit 1
  ) as found
  where b.lost_at is not null and b.id <= $3::bigint and ${IS_UNCLAIMED}
  order by b.id for update of b skip locked limit 1
)
update upload_batch b set partition_id = lease.id from lease, next where b.id = next.id
returning b.id, next.data_type as "dataType"`;

// Batches from before batches were recorded may hold several.
const KEEP_ONE_DATA_TYPE = `with kept as (
  select $2::text as data_type, count(distinct data_type) as types
  from blade_item where upload_batch_id = $1::bigint
),
rest as (insert into upload_batch (lost_at) select blade_now() from kept where types > 1 returning id)
update blade_item i set upload_batch_id = rest.id from rest, kept
where i.upload_batch_id = $1::bigint and i.data_type <> kept.data_type`;

const COUNT_LOST = `select
    count(*) filter (where not ${IS_UNCLAIMED})::int as claimed, count(*) filter (where ${IS_UNCLAIMED})::int as unclaimed
  from upload_batch b join blade_item i on i.upload_batch_id = b.id where b.lost_at is not null and ${isInScope('$2')}`;
