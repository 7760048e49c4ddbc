import type { Pool } from 'pg';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { type BladeItem, toCatalogId } from '../../src/data-types/blade-item.ts';

/**
 * What the guide does that the product started from, item by item: look it up, insert or update it, upload it, write all
 * of it again with its catalog id and the time. One connection, one item at a time, each statement a transaction.
 * @returns seconds.
 */
export async function runSeedAlgorithm(
  pool: Pool,
  catalog: Catalog,
  items: readonly BladeItem[],
): Promise<number> {
  await pool.query(`create table if not exists seed_item (
    id bigserial primary key, data_type text not null, item_id text not null, classification_marking text not null,
    data jsonb not null, metadata jsonb not null, data_source_id uuid, catalog_id text, uploaded_at timestamptz,
    created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
    unique (data_type, item_id))`);
  await pool.query('truncate seed_item');
  const client = await pool.connect();
  const signal = new AbortController().signal;
  const start = performance.now();
  try {
    for (const item of items) {
      const { dataType, itemId } = item;
      const found = await client.query<{ id: string }>(
        'select * from seed_item where data_type = $1 and item_id = $2 limit 1',
        [dataType, itemId],
      );
      const content = [item.classificationMarking, item.data, item.metadata];
      let id = found.rows[0]?.id;
      if (id === undefined) {
        const created = await client.query<{ id: string }>(
          `insert into seed_item (data_type, item_id, classification_marking, data, metadata)
           values ($1, $2, $3, $4, $5) returning id`,
          [dataType, itemId, ...content],
        );
        id = created.rows[0]?.id;
      } else {
        await client.query(
          `update seed_item set classification_marking = $2, data = $3, metadata = $4, updated_at = now() where id = $1`,
          [id, ...content],
        );
      }
      await catalog.upload({ key: `seed-${crypto.randomUUID()}`, items: [item] }, signal);
      await client.query(
        `update seed_item set classification_marking = $2, data = $3, metadata = $4, catalog_id = $5,
           uploaded_at = now(), updated_at = now() where id = $1`,
        [id, ...content, toCatalogId(dataType, itemId)],
      );
    }
  } finally {
    client.release();
  }
  return (performance.now() - start) / 1000;
}
