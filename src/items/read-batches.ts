import type { Pool } from 'pg';
import { createLeasedWriter, HELD, LEASE, type PartitionLease } from '../database/partition-lease.ts';
import type { JsonValue } from '../shared/json.ts';
import { createLevelArray, type LevelCounts } from './level-counts.ts';
import type { SeenIds } from './seen-ids.ts';

/** A batch of source rows that all became items, stored and uploaded without an error. */
export interface ReadBatch {
  readonly dataSourceId: string;
  /** Equal if and only if the rows, their order and the rules of the data type are equal. */
  readonly fingerprint: string;
  readonly rows: LevelCounts;
  /** The ids of its items, hashed. None comes twice in the read. */
  readonly idHashes: Buffer;
}

/** What identifies a remembered batch. */
export type KnownRows = Pick<ReadBatch, 'dataSourceId' | 'fingerprint'>;

/** An upload batch and the number of its items when they were counted. */
export interface CountedUploadBatch {
  readonly id: string;
  readonly count: number;
}

/**
 * Remembers batches whose rows need not be compared again. A rewritten item leaves its upload batch for good, so an equal
 * count proves that the batch still has the same items.
 */
export interface ReadBatches {
  /** Loads the remembered fingerprints of a source, whether or not they still hold. */
  loadFingerprints(dataSourceId: string): Promise<ReadonlySet<string>>;
  /** Loads the ids of a remembered batch, hashed; null if it is not remembered. */
  loadIdHashes(batch: KnownRows): Promise<Buffer | null>;
  /**
   * Moves the checkpoint past a batch and counts its rows as success, if all its items are unchanged since before the job and
   * no earlier row of the read had their ids.
   * @param read the number of rows in the batch, and the position of the read after it.
   * @param idHashes the ids of the batch, if they are being loaded already.
   * @returns whether they are; if not, nothing was written.
   * @throws LeaseLostError
   */
  confirm(
    batch: KnownRows,
    read: { readonly size: number; readonly position: JsonValue },
    idHashes?: Promise<Buffer | null>,
  ): Promise<boolean>;
  /** Remembers a batch with the upload batches of its items, unless an item has left one since they were counted. */
  remember(batch: ReadBatch, uploadBatches: readonly CountedUploadBatch[]): Promise<void>;
}

/**
 * @param lease the lease of the attempt, which `confirm` checks.
 * @param seenIds the ids of its read, to which `confirm` adds.
 */
export function createReadBatches(pool: Pool, lease: PartitionLease, seenIds: SeenIds): ReadBatches {
  const writer = createLeasedWriter(pool, lease);

  async function loadIdHashes({ dataSourceId, fingerprint }: KnownRows): Promise<Buffer | null> {
    const { rows } = await pool.query<{ hashes: Buffer }>(
      'select id_hashes as hashes from read_batch where data_source_id = $1 and fingerprint = $2',
      [dataSourceId, fingerprint],
    );
    return rows[0]?.hashes ?? null;
  }

  return {
    loadIdHashes,

    async loadFingerprints(dataSourceId) {
      const { rows } = await pool.query<{ fingerprint: string }>(
        'select fingerprint from read_batch where data_source_id = $1',
        [dataSourceId],
      );
      return new Set(rows.map(({ fingerprint }) => fingerprint));
    },

    async confirm(batch, { position, size }, idHashes = loadIdHashes(batch)) {
      const { dataSourceId, fingerprint } = batch;
      const hashes = await idHashes;
      if (hashes === null || seenIds.findRepeated(hashes).length > 0) return false;
      const { confirmed } = await writer.write<{ confirmed: boolean }>(CONFIRM, [
        dataSourceId,
        fingerprint,
        JSON.stringify(position),
        size,
      ]);
      if (confirmed) seenIds.add(hashes);
      return confirmed;
    },

    async remember({ dataSourceId, fingerprint, rows, idHashes }, uploadBatches) {
      await pool.query(REMEMBER, [
        dataSourceId,
        fingerprint,
        rows,
        uploadBatches.map(({ id }) => id),
        uploadBatches.map(({ count }) => count),
        idHashes,
      ]);
    },
  };
}

/** The end of an insert that remembers a batch. */
export const ON_KNOWN_BATCH = `on conflict (data_source_id, fingerprint) do update set
  rows_by_level = excluded.rows_by_level, upload_batch_ids = excluded.upload_batch_ids,
  item_counts = excluded.item_counts, id_hashes = excluded.id_hashes, seen_at = blade_now()`;

/** Whether each upload batch is uploaded and has the given number of items. */
const areWhole = (ids: string, counts: string) => `not exists (
  select from unnest(${ids}, ${counts}) as counted (id, count)
  where not exists (select from upload_batch b where b.id = counted.id and b.uploaded_at is not null)
    or counted.count <> (select count(*) from blade_item i where i.upload_batch_id = counted.id)
)`;

/** Adds the counts of the batch to those of a column, if the batch is known. */
const addKnown = (column: string) =>
  createLevelArray((at) => `p.${column}[${at}] + coalesce(known.rows_by_level[${at}], 0)`);

const CONFIRM = `with ${LEASE},
known as materialized (
  select r.rows_by_level, r.seen_at, r.id_hashes, $6::int as rows from lease, read_batch r
  where r.data_source_id = $3::uuid and r.fingerprint = $4 and ${areWhole('r.upload_batch_ids', 'r.item_counts')}
    -- What the job itself has uploaded is compared item by item if it reads the rows once more.
    and not exists (select from upload_batch b where b.id = any(r.upload_batch_ids)
      and b.uploaded_at >= (select j.started_at from job j where j.id = lease.job_id))
),
seen as (
  update read_batch r set seen_at = blade_now() from lease, known
  where r.data_source_id = $3::uuid and r.fingerprint = $4 and known.seen_at < blade_now() - interval '1 day'
),
noted as (
  insert into read_ids (partition_id, hashes) select lease.id, known.id_hashes from lease, known
)
update job_partition p set
  ${HELD},
  position = case when known.rows is null then p.position else $5::jsonb end,
  read_items = p.read_items + coalesce(known.rows, 0),
  success_count = p.success_count + coalesce(known.rows, 0),
  processed_items = p.processed_items + coalesce(known.rows, 0),
  total_items = case when p.total_items is not null then greatest(p.total_items, p.read_items + known.rows) end,
  read_by_level = ${addKnown('read_by_level')},
  success_by_level = ${addKnown('success_by_level')}
from lease left join known on true where p.id = lease.id
returning known.rows is not null as confirmed`;

const REMEMBER = `insert into read_batch (data_source_id, fingerprint, rows_by_level, upload_batch_ids, item_counts, id_hashes)
select $1::uuid, $2, $3::int[], $4::bigint[], $5::int[], $6::bytea
where ${areWhole('$4::bigint[]', '$5::int[]')}
${ON_KNOWN_BATCH}`;
