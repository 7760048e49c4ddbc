import { Client, type Pool } from 'pg';
import type { BladeItem } from '../../src/data-types/blade-item.ts';

/**
 * The limit that a sync is measured against: the same rows upserted by `unnest`, a batch a statement, by one connection
 * that has nothing else to do. The table has the columns of an item and its primary key; no checkpoint, no counts, no
 * lease, no upload.
 */
export interface BareUpsert {
  /** @returns seconds that the statement took; the arrays it binds are made beforehand. */
  write(items: readonly BladeItem[]): Promise<number>;
  close(): Promise<void>;
}

export async function openBareUpsert(url: string, pool: Pool): Promise<BareUpsert> {
  await pool.query(`create table bare_item (
    data_type text not null, item_id text collate "C" not null, classification_marking text not null, data jsonb not null,
    metadata jsonb not null, content_hash text not null, data_source_id uuid, job_id uuid not null,
    created_at timestamptz(3) not null default now(), updated_at timestamptz(3) not null default now(),
    primary key (data_type, item_id))`);
  const client = new Client({ connectionString: url });
  await client.connect();
  const jobId = crypto.randomUUID();
  return {
    async write(items) {
      const values = [
        jobId,
        items.map((item) => item.dataType),
        items.map((item) => item.itemId),
        items.map((item) => item.classificationMarking),
        items.map((item) => item.data),
        items.map((item) => item.metadata),
        items.map((item) => item.contentHash),
      ];
      const start = performance.now();
      await client.query(UPSERT, values);
      return (performance.now() - start) / 1000;
    },
    close: () => client.end(),
  };
}

const UPSERT = `insert into bare_item as stored (data_type, item_id, classification_marking, data, metadata, content_hash,
    data_source_id, job_id)
  select u.data_type, u.item_id, u.classification_marking, u.data::jsonb, u.metadata::jsonb, u.content_hash, $1::uuid, $1::uuid
  from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    as u (data_type, item_id, classification_marking, data, metadata, content_hash)
  on conflict (data_type, item_id) do update set
    classification_marking = excluded.classification_marking, data = excluded.data, metadata = excluded.metadata,
    content_hash = excluded.content_hash, data_source_id = excluded.data_source_id, job_id = excluded.job_id,
    updated_at = now()
  where stored.content_hash <> excluded.content_hash`;
