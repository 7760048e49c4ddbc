import type { Pool } from 'pg';

/** Beginnings of ids: of thousands of items, of few, and of none. */
export const ITEM_PREFIXES = { frequent: 'S-0', rare: 'S-000123', missing: 'S-X' };

const JOB = '01997f3e-8c1a-7000-8000-000000000001';

/** Items that are uploaded together. */
const BATCH = 1_000;

const AIRCRAFT = `'aircraft_tail', '19-' || 1000 + n % 400, 'aircraft_type', (array['F-35A', 'C-17A', 'KC-46A'])[1 + n % 3]`;
const BASES = `(array['EDWARDS', 'NELLIS', 'RAMSTEIN', 'KADENA', 'TRAVIS'])`;

/** The types of items, and SQL of the data of the n-th. */
const TYPES = [
  {
    ...{ name: 'Deployments', dataType: 'deployment', prefix: 'D' },
    data: `'deployment_id', 'DEP-' || n, 'unit_designation', n % 90 || ' FS', 'unit_type', 'FIGHTER SQUADRON', 'personnel_count', n % 500,
      'origin_base', ${BASES}[1 + n % 5], 'deployment_start_date', '2026-01-01'::date + n % 365, 'operational_status', 'ACTIVE'`,
  },
  {
    ...{ name: 'Logistics', dataType: 'logistics', prefix: 'L' },
    data: `'shipment_id', 'SHP-' || n, 'supply_type', 'ENGINE PARTS', 'description', 'Part ' || n % 5000, 'quantity', n % 200,
      'origin_location', ${BASES}[1 + n % 5], 'destination_location', ${BASES}[1 + n % 4],
      'priority', (array['LOW', 'NORMAL', 'HIGH'])[1 + n % 3]`,
  },
  {
    ...{ name: 'Maintenance', dataType: 'maintenance', prefix: 'M' },
    data: `${AIRCRAFT}, 'work_order', 'WO-' || n, 'maintenance_type', 'SCHEDULED', 'description', 'Inspection ' || n % 700,
      'base_location', ${BASES}[1 + n % 5], 'priority', (array['LOW', 'NORMAL', 'HIGH'])[1 + n % 3]`,
  },
  {
    ...{ name: 'Sorties', dataType: 'sortie', prefix: 'S' },
    data: `${AIRCRAFT}, 'mission_id', 'MSN-' || n, 'pilot_callsign', 'VIPER ' || n % 60, 'departure_base', ${BASES}[1 + n % 5],
      'destination_base', ${BASES}[1 + n % 4], 'scheduled_departure', '2026-01-01T06:00:00Z'::timestamptz + n * interval '1 minute',
      'flight_hours', (n % 90) / 10.0, 'mission_status', 'COMPLETED'`,
  },
];

/** Adds the items of a sync of four sources, all uploaded: 70 % UNCLASSIFIED, 20 % CUI and 10 % SECRET. */
export async function growItems(pool: Pool, count: number): Promise<void> {
  const perType = count / TYPES.length;
  await pool.query(
    `insert into job (id, kind, state, outcome, sync_type, marking, total_items, is_total_known, processed_items, success_count,
       progress_by_type, created_at, started_at, finished_at, updated_at)
     values ($1, 'SYNC', 'COMPLETED', 'SUCCEEDED', 'FULL', 'UNCLASSIFIED', $2::bigint, true, $2, $2, '[]', now(), now(), now(), now())`,
    [JOB, count],
  );
  await pool.query(
    `insert into upload_batch (id, uploaded_at) select n, now() from generate_series(1, $1::int) as n`,
    [Math.ceil(count / BATCH)],
  );
  for (const [index, { name, dataType, prefix, data }] of TYPES.entries()) {
    const table = `blade.field.${dataType}`;
    await pool.query(
      `with source as (
         insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, updated_at)
         values (gen_random_uuid(), $1, $2, 'blade', 'field', $2, now()) returning id)
       insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash, data_source_id, job_id,
         change, upload_batch_id)
       select $2, item_id, case when n % 10 = 0 then 'SECRET' when n % 10 < 3 then 'CUI' else 'UNCLASSIFIED' end,
         jsonb_build_object('item_id', item_id, ${data}), $3::jsonb, encode(sha256(item_id::bytea), 'base64'), source.id, $4::uuid,
         'INSERTED', 1 + ($5::bigint + n) / ${BATCH}
       from generate_series(0, $6::int - 1) as n, lateral (select $7 || lpad(n::text, 7, '0') as item_id) as ids, source`,
      [
        ...[name, dataType, { data_source: name, source_table: table }, JOB],
        ...[index * perType, perType, `${prefix}-`],
      ],
    );
  }
  await pool.query('vacuum analyze blade_item, upload_batch, data_source, job');
}
