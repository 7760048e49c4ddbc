import type { Pool } from 'pg';

/** Sources that the jobs of a history read, two each. */
const SOURCES = 8;

/**
 * Adds ended jobs with two partitions each, as a program that has run for years would leave them. Their ids grow with time
 * like the program's.
 * @param count of jobs afterwards.
 */
export async function growHistory(pool: Pool, count: number): Promise<void> {
  await pool.query(`insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, updated_at)
    select gen_random_uuid(), 'Source ' || i, 'sortie', 'blade', 'field', 'sortie_' || i, now()
    from generate_series(1, ${SOURCES}) as i on conflict do nothing`);
  const { rows } = await pool.query<{ count: number }>('select count(*)::int as count from job');
  const present = rows[0]?.count ?? 0;
  if (present >= count) return;
  const client = await pool.connect();
  try {
    await client.query('begin');
    // A million jobs need no notifications.
    await client.query('alter table job disable trigger user');
    await client.query(
      `insert into job (id, kind, state, outcome, data_type, sync_type, marking, total_items, is_total_known, processed_items,
         success_count, progress_by_type, created_at, started_at, finished_at, updated_at)
       select (lpad(to_hex(1700000000000 + i), 12, '0') || '7' || substr(md5(i::text), 1, 3) || '8' || substr(md5(i::text), 4, 15))::uuid,
         'SYNC', 'COMPLETED', 'SUCCEEDED', 'sortie', 'FULL', 'UNCLASSIFIED', 1000, true, 1000, 1000, '[]', at, at, at, at
       from generate_series($1::int, $2::int) as i, lateral (select to_timestamp(1700000000 + i / 1000.0) as at) as t`,
      [present + 1, count],
    );
    await client.query('alter table job enable trigger user');
    await client.query(
      `insert into job_partition (id, job_id, ordinal, state, data_type, data_source_id, source_name, started_at, finished_at)
       select gen_random_uuid(), j.id, s.position - 1, 'COMPLETED', 'sortie', s.id, s.name, j.started_at, j.finished_at
       from job j cross join lateral (
         select id, name, row_number() over (order by name) as position from data_source
         order by name offset ('x' || right(j.id::text, 1))::bit(4)::int % ${SOURCES - 1} limit 2) as s
       where not exists (select from job_partition p where p.job_id = j.id)`,
    );
    await client.query('commit');
  } finally {
    client.release();
  }
  await pool.query('vacuum analyze job, job_partition, data_source');
}
