import type { TestDatabase } from './test-database.ts';

/** How many rows each list is given. */
export interface RowCounts {
  readonly items: number;
  readonly jobs: number;
  readonly errors: number;
  readonly entries: number;
}

const uuid = (number: number) => `01997f3e-8c1a-7000-8000-${String(number).padStart(12, '0')}`;

/** Ids of what the rows are of. The rare ones have only the last rows of their list, behind all others. */
export const MANY = {
  job: uuid(1),
  rareJob: uuid(99),
  source: uuid(1),
  rareSource: uuid(99),
  jobWithErrors: `019a0000-0000-7000-8000-000000000001`,
  auditedJob: uuid(1),
  rareAuditedJob: uuid(99),
} as const;

/**
 * Fills the tables of lists by SQL, so that what is rare stands where a read that begins in the wrong place meets it last:
 * nearly everything of a kind comes first, and 40 to 100 rows of another follow. The tables are not analyzed, and stay so.
 */
export async function insertManyRows({ pool }: TestDatabase, counts: RowCounts): Promise<void> {
  const { items, jobs, errors, entries } = counts;
  for (const table of ['blade_item', 'job', 'job_error', 'audit_entry'])
    await pool.query(`alter table ${table} set (autovacuum_enabled = false)`);
  // Made after the rows, indexes take a fraction of the time.
  const { rows: indexes } = await pool.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where tablename = 'blade_item' and indexname <> 'blade_item_pkey'`,
  );
  for (const { name } of indexes) await pool.query(`drop index "${name}"`);
  await pool.query(`insert into upload_batch (id, uploaded_at, partition_id)
    select n, case when n > 1 then now() end, case when n = 1 then '${uuid(7)}'::uuid end from generate_series(1, 100) as n`);
  await pool.query(
    `insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, data_source_id,
       job_id, upload_batch_id)
     select (array['deployment', 'logistics', 'maintenance', 'sortie'])[1 + n % 4], 'ITM-' || lpad(n::text, 8, '0'),
       case when n > $1 - 60 then 'CUI' when n % 4 = 3 then 'TOP SECRET' when n % 10 = 0 then 'SECRET'
         else 'UNCLASSIFIED' end,
       case when n > $1 - 60 then '{"priority": "HIGH"}' else '{"priority": "LOW"}' end::jsonb, '{}', n::text,
       case when n > $1 - 100 then '${MANY.rareSource}'::uuid when n % 97 = 0 then null
         else ('01997f3e-8c1a-7000-8000-' || lpad((1 + n % 8)::text, 12, '0'))::uuid end,
       case when n > $1 - 60 then '${MANY.rareJob}'::uuid
         else ('01997f3e-8c1a-7000-8000-' || lpad((1 + n % 5)::text, 12, '0'))::uuid end,
       case when n > $1 - 40 then null when n > $1 - 100 then 1 else 2 + n % 99 end
     from generate_series(1, $1::int) as n`,
    [items],
  );
  for (const { definition } of indexes) await pool.query(definition);
  await pool.query('alter table job disable trigger user');
  await pool.query(
    `insert into job (id, kind, state, data_type, sync_type, sql_query, started_at, finished_at, total_items,
       failure_reason, outcome, created_at, ordered_at, marking, started_by_id, started_by_name, labels)
     select ('019a0000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, kind, state, data_type,
       case kind when 'SYNC' then 'FULL'::sync_type end, case kind when 'QUERY' then case when n <= 90 then 'SELECT rare' else 'SELECT 1' end end,
       case when state <> 'QUEUED' then now() end,
       case when state in ('COMPLETED', 'FAILED', 'CANCELLED') then now() end, 0,
       case state when 'FAILED' then 'its source was away' end,
       case state when 'COMPLETED' then 'SUCCEEDED' when 'FAILED' then 'NOTHING_SUCCEEDED' end::job_outcome,
       '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second',
       '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second',
       case when n <= 40 then 'CUI' when n % 2 = 0 then 'TOP SECRET' else 'UNCLASSIFIED' end,
       case when n <= 70 then 'rare' else 'common' end, 'Somebody',
       case when n <= 70 then '{"rare": "yes"}' else '{"common": "yes"}' end::jsonb
     from generate_series(1, $1::int) as n cross join lateral (select
       case when n <= 60 then 'SYNC' else 'QUERY' end::job_kind as kind,
       case when n % 10 = 5 and n <= 100 then 'CANCELLED' when n % 10 = 6 and n <= 100 then 'PAUSED'
         when n % 10 = 7 and n <= 100 then 'FAILED' else 'COMPLETED' end::job_state as state,
       case when n <= 80 then 'deployment' else 'sortie' end as data_type) as kinds
     where not (kind = 'SYNC' and state = 'PAUSED')`,
    [jobs],
  );
  await pool.query('alter table job enable trigger user');
  await pool.query(
    `insert into job_partition (id, job_id, ordinal, state, data_type, source_name, finished_at)
     values ($1, $1, 0, 'COMPLETED', 'sortie', 'Sorties', now())`,
    [MANY.jobWithErrors],
  );
  await pool.query(
    `insert into job_error (id, job_id, partition_id, stage, data_type, item_id, message, marking)
     select ('019a0000-0001-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, $1,
       case when n > $2 - 60 then 'UPLOAD' else 'TRANSFORM' end::error_stage, 'sortie', n::text, 'bad',
       case when n > $2 - 90 then 'CUI' when n % 2 = 0 then 'TOP SECRET' else 'UNCLASSIFIED' end
     from generate_series(1, $2::int) as n`,
    [MANY.jobWithErrors, errors],
  );
  await pool.query(
    `insert into audit_entry (id, time, principal_id, principal_name, operation, outcome, job_id, marking)
     select ('019a0000-0002-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
       '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second', case when n <= 60 then 'rare' else 'common' end,
       'Somebody', case when n <= 70 then 'cancelJob' else 'startSync' end,
       case when n <= 80 then 'REFUSED' else 'DONE' end::audit_outcome,
       case when n <= 90 then '${MANY.rareAuditedJob}' else '${MANY.auditedJob}' end::uuid,
       case when n <= 50 then 'CUI' when n % 2 = 0 then 'TOP SECRET' else 'UNCLASSIFIED' end
     from generate_series(1, $1::int) as n`,
    [entries],
  );
}
