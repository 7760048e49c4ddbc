import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import {
  coversAll,
  LEVEL_COUNT,
  listMarkingsUpTo,
  MARKINGS,
  type Marking,
  toLevel,
} from '../data-types/marking.ts';
import { createClient } from './connection.ts';
import { createHasWholeSource, createOutcome } from './job-outcome.ts';

/**
 * Finds the schema that shows what a clearance covers; null if it covers everything. The database itself limits what a
 * principal sees: for each clearance below the highest there is a schema in which every table that the API reads is a view
 * of the same name and columns, without the rows above the clearance and with counts of the others only. A client of Prisma
 * works in that schema, so all its statements, even for a relation of a relation or a cursor, read only what the clearance
 * covers: no resolver can forget a condition, and a table or column that nobody considered is missing in the views, which
 * is an error and not a leak.
 *
 * Prisma's query extensions do not reach what a query includes. PostgreSQL's row level security does. But it binds neither
 * a superuser, the only user of the embedded database, nor by default a table's owner; it cannot change counts; and it needs
 * the clearance set in a transaction around every query. Views hold their markings as constants, which the planner folds into
 * the query, so that the tables' indexes serve them and all clearances share the connections.
 */
export function findClearedSchema(clearance: Marking): string | null {
  return coversAll(clearance) ? null : `cleared_for_level_${toLevel(clearance)}`;
}

/** Lists the tables that principals can read, with the columns of their views. */
export function listClearedColumns(): ReadonlyMap<string, readonly string[]> {
  const views = createViews('UNCLASSIFIED');
  return new Map(
    views.map(({ table, columns }) => [
      table,
      columns.map(([name]) => name).filter((name) => !name.endsWith(ENUM_SUFFIX)),
    ]),
  );
}

/** Creates the views unless they are up to date. Processes that start at once wait for each other. */
export async function createClearedViews(connectionString: string): Promise<void> {
  const script = createViewScript();
  const fingerprint = createHash('sha256').update(script).digest('hex');
  const client = createClient(connectionString);
  client.on('error', () => {}); // A pending query rejects by itself.
  await client.connect();
  try {
    if ((await readFingerprint(client)) === fingerprint) return;
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [VIEWS_LOCK]);
    if ((await readFingerprint(client)) !== fingerprint) {
      await client.query(`${DROP_CLEARED_VIEWS}; ${script}`);
      await client.query(`comment on schema ${FIRST_SCHEMA} is '${fingerprint}'`);
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}

const LOWER_CLEARANCES = Array.from({ length: LEVEL_COUNT - 1 }, (_none, level) => findLowestMarking(level));

function findLowestMarking(level: number): Marking {
  const marking = MARKINGS.find((candidate) => toLevel(candidate) === level);
  if (marking === undefined) throw new Error(`there is no marking of level ${level}`);
  return marking;
}

const SCHEMAS = LOWER_CLEARANCES.map((clearance) => findClearedSchema(clearance) ?? '');
const [FIRST_SCHEMA = ''] = SCHEMAS;

/** Drops the views, which would keep a migration from changing the tables under them. */
export const DROP_CLEARED_VIEWS = `drop schema if exists ${SCHEMAS.join(', ')} cascade`;

// Any number that no other lock of the database uses.
const VIEWS_LOCK = 7_462_113_906;

async function readFingerprint(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ fingerprint: string | null }>(
    `select obj_description(oid, 'pg_namespace') as fingerprint from pg_namespace where nspname = $1`,
    [FIRST_SCHEMA],
  );
  return rows[0]?.fingerprint ?? null;
}

function createViewScript(): string {
  return LOWER_CLEARANCES.map((clearance) => {
    const schema = findClearedSchema(clearance);
    const views = createViews(clearance).map(({ table, columns, from }) => {
      const list = columns.map(([name, expression]) => `${expression} as "${name}"`);
      return `create view ${schema}.${table} as select ${list.join(', ')} from ${from}`;
    });
    // Prisma casts the values of an enum to the type of that name in its schema.
    const types = ENUMS.map((name) => `create domain ${schema}.${name} as text`);
    return [`create schema ${schema}`, ...types, ...views].join(';\n');
  }).join(';\n');
}

const ENUMS = [
  ...['job_kind', 'job_state', 'job_outcome', 'sync_type', 'retry_mode', 'partition_state', 'error_stage'],
  'job_event_kind',
  'delete_policy',
  'item_change',
  'audit_outcome',
  'scheduled_run_state',
];

interface View {
  readonly table: string;
  /** Names with the expressions behind them. */
  readonly columns: readonly (readonly [name: string, expression: string])[];
  readonly from: string;
}

/** The end of the names of enum columns that a view shows unchanged. */
export const ENUM_SUFFIX = '_enum';

/** Shown instead of a reason above the clearance, the same for all. */
export const WITHHELD_REASON = 'hidden from principals who are not cleared for it';

// A job's own reason contains the number of unread rows, whose markings are unknown.
const REASON_WITHOUT_COUNTS = `(select string_agg(p.source_name || ': ' || p.message, '; ' order by p.ordinal)
  from public.job_partition p where p.job_id = t.id and p.state = 'FAILED' and not exists (
    select from public.job_partition o where o.job_id = p.job_id and o.source_name = p.source_name and o.state = 'FAILED'
      and o.message = p.message and o.ordinal < p.ordinal))`;

function createViews(clearance: Marking): readonly View[] {
  const covered = listMarkingsUpTo(clearance).map((marking) => `'${marking}'`);
  const isVisible = (column: string) => `${column} in (${covered.join(', ')})`;
  // No index can serve this form: a list reads its index one marking at a time, and the planner would otherwise also
  // plan a look-up for each covered marking.
  const isShown = (column: string) => `(${isVisible(column)}) is true`;
  const indices = Array.from({ length: toLevel(clearance) + 1 }, (_none, level) => level + 1);
  const sumVisible = (column: string) => `(${indices.map((at) => `${column}[${at}]`).join(' + ')})`;
  const sliceVisible = (column: string) => `${column}[1:${indices.length}]`;
  // Empty where the counts are not known.
  const sumKnownVisible = (column: string) =>
    `case when bool_or(${column} = '{}') then '{}' else array[${indices.map((at) => `sum(${column}[${at}])::bigint`).join(', ')}] end`;
  const sumVisibleInJson = (json: string) =>
    `(${indices.map((at) => `coalesce((${json} ->> ${at - 1})::bigint, 0)`).join(' + ')})`;

  const sliceVisibleInJson = (json: string) =>
    `jsonb_path_query_array(${json}, '$[0 to ${indices.length - 1}]')`;
  const job = `${findClearedSchema(clearance) ?? 'public'}.job`;

  const success = sumVisible('t.success_by_level');
  const errors = sumVisible('t.error_by_level');
  const duplicates = sumVisible('t.duplicate_by_level');
  const processed = `(${success} + ${errors} + ${duplicates})`;
  const hasEnded = `t.state in ('COMPLETED', 'FAILED', 'CANCELLED')`;
  const withheld = `'${WITHHELD_REASON}'`;
  // An error shows data of its item, whose marking may have been raised since.
  const isErrorVisible = (error: string) => `${isShown(`${error}.marking`)} and coalesce((
    select ${isVisible('i.classification_marking')} from public.blade_item i
    where i.data_type = ${error}.data_type and i.item_id = ${error}.item_id), true)`;
  const isFirstOfSource = `not exists (select from public.job_partition o
    where o.job_id = t.job_id and o.source_name = t.source_name and o.ordinal < t.ordinal)`;

  return [
    view('blade_item', `public.blade_item t where ${isShown('t.classification_marking')}`, {
      ...columnsAsTheyAre(
        'data_type item_id classification_marking data metadata content_hash data_source_id job_id',
      ),
      ...columnsAsTheyAre('upload_batch_id was_uploaded created_at updated_at deleted_at'),
      ...columnsAsText('change'),
      // None of it is marked higher than the item.
      ...columnsAsTheyAre('row_marking is_marking_stated other_markings query_metadata query_marking'),
      ...columnsAsTheyAre('floor_marking floor_job_id floor_by_id floor_by_name floor_at floor_reason'),
    }),
    view(
      'upload_batch',
      `public.upload_batch t where exists (select from public.blade_item i
        where i.upload_batch_id = t.id and ${isVisible('i.classification_marking')})`,
      {
        ...columnsAsTheyAre('id partition_id uploaded_at generation upload_key lost_at'),
        // Ids of items of any marking.
        repeated_ids: `'{}'::text[]`,
        inserted_by_level: sliceVisible('t.inserted_by_level'),
        updated_by_level: sliceVisible('t.updated_by_level'),
      },
    ),
    view('job_error', `public.job_error t where ${isErrorVisible('t')}`, {
      ...columnsAsTheyAre('id job_id data_type item_id message marking row created_at written_in'),
      ...columnsAsText('stage'),
      // The partition that stands for its source: see job_partition.
      partition_id: `(select o.id from public.job_partition o where o.job_id = t.job_id and o.source_name =
        (select p.source_name from public.job_partition p where p.id = t.partition_id) order by o.ordinal limit 1)`,
    }),
    view('job', `public.job t where ${isShown('t.marking')}`, {
      ...columnsAsTheyAre(
        'id revision data_type filter sql_query parameters classification reason marking metadata labels',
      ),
      ...columnsAsTheyAre(
        'created_at ordered_at started_at finished_at updated_at elapsed_ms retry_of_id started_by_id started_by_name',
      ),
      ...columnsAsTheyAre('written_in ended_in'),
      ...columnsAsText('kind state sync_type retry_mode'),
      outcome: createOutcome({
        ...{ state: 't.state', success: `(${success} + ${duplicates})`, errors },
        hasWholeSource: createHasWholeSource('t.id', sumVisible('p.error_by_level')),
      }),
      // Everybody may know which sources a sync reads, and how each ended.
      ...columnsAsTheyAre('total_sources completed_sources'),
      // A limit on rows of every marking would reveal, once a job reaches it, how many were above the clearance.
      max_items: 'null::int',
      options: `t.options - 'maxErrors'`,
      // The catalog's message may be about an item.
      current_operation: `case when t.current_operation like 'Waiting to try again:%' then 'Waiting to try again'
        else t.current_operation end`,
      // Rows that are still to be read have unknown markings.
      total_items: `case when ${hasEnded} then ${processed} end`,
      is_total_known: `t.state = 'COMPLETED'`,
      estimated_total: 'null::bigint',
      processed_items: processed,
      success_count: success,
      error_count: errors,
      duplicate_count: duplicates,
      deleted_count: sumVisible('t.deleted_by_level'),
      deleted_by_level: sliceVisible('t.deleted_by_level'),
      duplicate_by_level: sliceVisible('t.duplicate_by_level'),
      success_by_level: sliceVisible('t.success_by_level'),
      error_by_level: sliceVisible('t.error_by_level'),
      inserted_by_level: sliceVisible('t.inserted_by_level'),
      updated_by_level: sliceVisible('t.updated_by_level'),
      restored_count: sumVisible('t.restored_by_level'),
      restored_by_level: sliceVisible('t.restored_by_level'),
      progress_by_type: `(
        select coalesce(jsonb_agg(jsonb_build_object('dataType', p.type -> 'dataType',
          'totalItems', case when ${hasEnded} then p.success + p.errors + p.duplicates end,
          'processedItems', p.success + p.errors + p.duplicates,
          'successCount', p.success, 'errorCount', p.errors, 'duplicateCount', p.duplicates, 'deletedCount', p.deleted,
          'insertedByLevel', ${sliceVisibleInJson(`coalesce(p.type -> 'insertedByLevel', '[]')`)},
          'updatedByLevel', ${sliceVisibleInJson(`coalesce(p.type -> 'updatedByLevel', '[]')`)}) order by p.type ->> 'dataType'), '[]')
        from (select type, ${sumVisibleInJson(`(type -> 'successByLevel')`)} as success,
          ${sumVisibleInJson(`(type -> 'errorByLevel')`)} as errors,
          ${sumVisibleInJson(`(type -> 'duplicateByLevel')`)} as duplicates,
          ${sumVisibleInJson(`(type -> 'deletedByLevel')`)} as deleted from jsonb_array_elements(t.progress_by_type) as type) p)`,
      recent_errors: `array(select message from (
        select e.id, e.message from unnest(array[${covered.join(', ')}]) as covered (marking) cross join lateral (
          select r.id, r.message from public.job_error r where r.job_id = t.id and r.marking = covered.marking
            and ${isErrorVisible('r')} order by r.id desc limit 10) e
        order by e.id desc limit 10) recent order by id)`,
      items_per_second: `case when ${hasEnded} and t.elapsed_ms > 0
        then (${processed} * 1000.0 / t.elapsed_ms)::float8 end`,
      estimated_completion: 'null::timestamptz(3)',
      failure_reason: `case when t.failure_reason is not null and exists (select from public.job_partition p
        where p.job_id = t.id and p.state = 'FAILED' and not ${isVisible('p.message_marking')})
        then ${withheld} else ${REASON_WITHOUT_COUNTS} end`,
    }),
    // The number of a source's partitions reveals how many rows it has, so they are shown as one.
    view(
      'job_partition',
      `public.job_partition t cross join lateral (
        select bool_or(state = 'PENDING') as waits, bool_or(state = 'RUNNING') as runs,
          bool_or(state = 'FAILED') as failed, bool_or(state = 'CANCELLED') as cancelled,
          bool_or(state not in ('PENDING', 'RUNNING')) as some_ended, max(attempt) as attempt, max(replans) as replans,
          sum${sumVisible('read_by_level')}::bigint as read, sum${sumVisible('success_by_level')}::bigint as success,
          sum${sumVisible('error_by_level')}::bigint as errors, sum${sumVisible('restored_by_level')}::bigint as restored,
          sum${sumVisible('duplicate_by_level')}::bigint as duplicates,
          sum${sumVisible('deleted_by_level')}::bigint as deleted,
          ${sumKnownVisible('inserted_by_level')} as inserted, ${sumKnownVisible('updated_by_level')} as updated,
          (array_agg(duplicate_item_id order by ordinal) filter (where ${isVisible('duplicate_marking')} and coalesce((
            select ${isVisible('i.classification_marking')} from public.blade_item i
            where i.data_type = o.data_type and i.item_id = o.duplicate_item_id), true)))[1] as duplicate_item_id,
          (array_agg(duplicate_marking order by ordinal) filter (where ${isVisible('duplicate_marking')}))[1] as duplicate_marking,
          min(started_at) as started_at, max(finished_at) as finished_at,
          (array_agg(current_operation order by ordinal) filter (where state = 'RUNNING'))[1] as current_operation,
          (array_agg(message order by ordinal) filter (where state = 'FAILED'))[1] as message,
          (array_agg(message_marking order by ordinal) filter (where state = 'FAILED'))[1] as message_marking
        from public.job_partition o where o.job_id = t.job_id and o.source_name = t.source_name) parts
      where ${isFirstOfSource}
        and exists (select from public.job j where j.id = t.job_id and ${isVisible('j.marking')})`,
      {
        ...columnsAsTheyAre('id job_id ordinal data_type data_source_id source_name retry_of_partition_id'),
        ...columnsAsTheyAre('table_version table_timestamp is_unchanged'),
        state: `case when parts.runs or (parts.waits and parts.some_ended) then 'RUNNING' when parts.waits then 'PENDING'
          when parts.failed then 'FAILED' when parts.cancelled then 'CANCELLED' else 'COMPLETED' end`,
        attempt: 'parts.attempt',
        replans: 'parts.replans',
        // They reveal values of a row, or how many rows there are.
        plan: 'null::jsonb',
        postponed_facts: 'null::jsonb',
        // Only a worker uses it.
        statement_handle: 'null::text',
        ...{ drift: 'null::bigint', drift_message: 'null::text' },
        position: 'null::jsonb',
        total_items: `case when not parts.waits and not parts.runs and not parts.failed and not parts.cancelled
          then parts.success + parts.errors + parts.duplicates end`,
        read_items: 'parts.read',
        processed_items: 'parts.success + parts.errors + parts.duplicates',
        success_count: 'parts.success',
        error_count: 'parts.errors',
        read_by_level: sliceVisible('t.read_by_level'),
        success_by_level: sliceVisible('t.success_by_level'),
        error_by_level: sliceVisible('t.error_by_level'),
        restored_count: 'parts.restored',
        duplicate_count: 'parts.duplicates',
        deleted_count: 'parts.deleted',
        inserted_by_level: 'parts.inserted',
        updated_by_level: 'parts.updated',
        deleted_by_level: sliceVisible('t.deleted_by_level'),
        duplicate_by_level: sliceVisible('t.duplicate_by_level'),
        duplicate_item_id: 'parts.duplicate_item_id',
        duplicate_marking: 'parts.duplicate_marking',
        restored_by_level: sliceVisible('t.restored_by_level'),
        message: `case when ${isVisible('parts.message_marking')} then parts.message
          when parts.message is not null then ${withheld} end`,
        message_marking: `case when ${isVisible('parts.message_marking')} then parts.message_marking end`,
        current_operation: 'parts.current_operation',
        started_at: 'parts.started_at',
        finished_at: 'case when not parts.waits and not parts.runs then parts.finished_at end',
      },
    ),
    view('job_event', `public.job_event t where ${isShown('t.marking')}`, {
      ...columnsAsTheyAre('id job_id time source_name by_id by_name marking'),
      ...columnsAsText('kind'),
      // The end of a job never changes, so it is what the view of the job shows.
      reason: `case when t.kind = 'ENDED' then (select j.failure_reason from ${job} j where j.id = t.job_id)
        when ${isVisible('t.reason_marking')} then t.reason
        when t.kind = 'WAITING' then 'Waiting to try again'
        when t.reason is not null then ${withheld} end`,
      reason_marking: `case when ${isVisible('t.reason_marking')} then t.reason_marking end`,
      data: `case when t.kind in ('CHECKPOINT', 'ENDED') then t.data || jsonb_build_object(
          'success', ${sliceVisibleInJson(`t.data -> 'success'`)}, 'errors', ${sliceVisibleInJson(`t.data -> 'errors'`)},
          'duplicates', ${sliceVisibleInJson(`t.data -> 'duplicates'`)},
          'deleted', ${sliceVisibleInJson(`coalesce(t.data -> 'deleted', '[]')`)},
          'inserted', ${sliceVisibleInJson(`coalesce(t.data -> 'inserted', '[]')`)},
          'updated', ${sliceVisibleInJson(`coalesce(t.data -> 'updated', '[]')`)})
          || case when t.kind = 'ENDED'
            then jsonb_build_object('outcome', (select j.outcome from ${job} j where j.id = t.job_id)) else '{}' end
        when t.kind in ('ITEMS_DELETED', 'DELETES_WAITING', 'DELETES_APPROVED', 'DELETES_REJECTED')
          then t.data || jsonb_build_object('deleted', ${sliceVisibleInJson(`t.data -> 'deleted'`)})
        else t.data end`,
    }),
    view('data_source', 'public.data_source t', {
      ...columnsAsTheyAre(
        'id revision name first_name data_type catalog_name schema_name table_name enabled cursor_column last_sync_at',
      ),
      ...columnsAsTheyAre(
        'schedule_cron schedule_time_zone next_due_at watermark_type lookback created_at updated_at',
      ),
      ...columnsAsText('last_sync_state'),
      ...columnsAsTheyAre('table_version table_timestamp'),
      // A value of a row whose marking is not stored with it.
      watermark: 'null::text',
      watermark_version: 'null::text',
      // They count rows and items of any marking.
      ...{ drift: 'null::bigint', drift_message: 'null::text', drift_basis: 'null::jsonb' },
      ...columnsAsText('delete_policy on_schema_change read_mode'),
      // Everybody may know the columns of a table, as those of SQL and of a test.
      ...columnsAsTheyAre('table_schema found_schema schema_changes'),
      ...columnsAsTheyAre('max_delete_percent deletes_settled_at'),
      deleted_count: sumVisible('t.deleted_by_level'),
      deleted_by_level: sliceVisible('t.deleted_by_level'),
      inserted_by_level: sliceVisible('t.inserted_by_level'),
      updated_by_level: sliceVisible('t.updated_by_level'),
      unchanged_by_level: sliceVisible('t.unchanged_by_level'),
      failed_by_level: sliceVisible('t.failed_by_level'),
      ...{ synced: 'null::jsonb', feed_state: 'null::jsonb' },
      item_changes: '0::bigint',
      item_count: sumVisible('t.item_count_by_level'),
      item_count_by_level: sliceVisible('t.item_count_by_level'),
      last_sync_message: `case when ${isVisible('t.last_sync_marking')} then t.last_sync_message
        when t.last_sync_message is not null then ${withheld} end`,
      last_sync_marking: `case when ${isVisible('t.last_sync_marking')} then t.last_sync_marking end`,
    }),
    view('audit_entry', `public.audit_entry t where ${isShown('t.marking')}`, {
      ...columnsAsTheyAre(
        'id time ordered_at principal_id principal_name operation job_id data_source_id api_key_id marking',
      ),
      ...columnsAsText('outcome'),
      // See the limit of a job.
      details: `t.details - 'maxItems'`,
    }),
    view('scheduled_run', 'public.scheduled_run t', {
      ...columnsAsTheyAre(
        'id data_source_id first_due_at due_at due_times created_at job_id skipped_because',
      ),
      ...columnsAsText('state'),
    }),
  ];
}

function view(table: string, from: string, columns: Readonly<Record<string, string>>): View {
  return { table, from, columns: Object.entries(columns) };
}

function columnsAsTheyAre(names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map((name) => [name, `t."${name}"`]));
}

/**
 * Columns of an enum, as text for Prisma: a domain can be compared with a text, and not with an enum. No index serves the
 * text, so each is there as it is, too.
 */
function columnsAsText(names: string): Record<string, string> {
  return Object.fromEntries(
    names.split(' ').flatMap((name) => [
      [name, `t."${name}"::text`],
      [`${name}${ENUM_SUFFIX}`, `t."${name}"`],
    ]),
  );
}
