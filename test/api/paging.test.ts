import fc from 'fast-check';
import { v7 as newUuid } from 'uuid';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';
import { MARKINGS, type Marking as StoredMarking, toLevel, toMarking } from '../../src/data-types/marking.ts';
import type { Marking } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { insertJob } from '../support/job-rows.ts';
import { toMarkingName } from '../support/marking-name.ts';
import { test } from '../support/on-every-database.ts';
import {
  formatOrder,
  joinArguments,
  type ListFilter,
  type ListOrder,
  type PagedField,
  pagedFields,
} from '../support/paged-lists.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const CLEARANCES = ['TOP SECRET', 'SECRET', 'U'] as const;
type Clearance = (typeof CLEARANCES)[number];

const uuid = (number: number) => `01997f3e-8c1a-7000-8000-${String(number).padStart(12, '0')}`;

/** A row as the test knows it, whatever its table. */
interface Row {
  readonly id: string;
  readonly marking: string;
  readonly [column: string]: unknown;
}

/** What a test has to know of a list: where its rows are, in which order they stand, and how more come and go. */
interface Subject {
  load(): Promise<Row[]>;
  insert(chance: Chance, count: number): Promise<void>;
  remove(rows: readonly Row[]): Promise<void>;
  /** Text that is in the order of the list, byte by byte, by the field that it is ordered by. */
  readonly places: Readonly<Record<string, (row: Row) => readonly string[]>>;
}

let application: TestApplication;
let clients: Readonly<Record<Clearance, ApiClient>>;

const query = <Result extends object>(text: string, values: readonly unknown[] = []) =>
  application.database.pool.query<Result>(text, [...values]);

const STATES = ['QUEUED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
const DATA_TYPES = ['deployment', 'logistics', 'maintenance', 'sortie'] as const;
const STAGES = ['READ', 'TRANSFORM', 'SAVE', 'UPLOAD'] as const;
const JOB_WITH_ERRORS = uuid(500);
/** Few different times, so that many rows have the same. */
const pickTime = (chance: Chance) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, chance.below(12)));
const someMarking = (chance: Chance) =>
  chance.oneOf(MARKINGS as unknown as [StoredMarking, ...StoredMarking[]]);

let nextNumber = 0;
/** A new name, whose order is the same in every collation. */
const createName = (chance: Chance) => `s${chance.below(10)}${String(nextNumber++).padStart(6, '0')}`;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  items: {
    async load() {
      const { rows } = await query<Row>(`select data_type, item_id, classification_marking as marking, data,
        data_source_id, job_id, b.uploaded_at is not null as uploaded
        from blade_item left join upload_batch b on b.id = upload_batch_id`);
      return rows.map((row) => ({ ...row, id: `BladeItem:${JSON.stringify([row.data_type, row.item_id])}` }));
    },
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        const itemId = `${chance.oneOf(['a', 'A', 'ab', 'a%', 'a_', 'ä', 'Z', '"', '\\', '', 'z', '😀'])}${chance.below(60)}`;
        await query(
          `insert into blade_item (data_type, item_id, classification_marking, data, metadata, content_hash,
             data_source_id, job_id, upload_batch_id) values ($1, $2, $3, $4, '{}', 'x', $5, $6, $7) on conflict do nothing`,
          [
            chance.oneOf(DATA_TYPES),
            itemId,
            someMarking(chance),
            JSON.stringify({ priority: chance.oneOf(['HIGH', 'LOW', null]), count: chance.below(3) }),
            chance.oneOf([uuid(1), uuid(2), null]),
            uuid(1 + chance.below(3)),
            chance.oneOf([1, 2, 3, null]),
          ],
        );
      }
    },
    remove: async (rows) => {
      for (const { data_type, item_id } of rows)
        await query('delete from blade_item where data_type = $1 and item_id = $2', [data_type, item_id]);
    },
    places: { ID: ({ data_type, item_id }) => [String(data_type), String(item_id)] },
  },
  jobs: {
    load: async () =>
      (
        await query<Row>(
          `select 'Job:' || id as id, kind::text, state::text, outcome::text, data_type, created_at, finished_at, marking,
             started_by_id, retry_of_id, retry_mode is not null as is_retry, coalesce(sql_query, filter) as sql, labels,
             array(select data_source_id::text from job_partition p where p.job_id = job.id) as source_ids from job`,
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        const kind = chance.oneOf(['SYNC', 'QUERY'] as const);
        const id = await insertJob(application.database, {
          kind,
          // One sync can be active, and it is none of these.
          state: kind === 'SYNC' ? 'COMPLETED' : chance.oneOf(STATES),
          dataType: chance.oneOf(DATA_TYPES),
          createdAt: pickTime(chance),
        });
        await query('alter table job disable trigger user');
        await query(
          `update job set marking = $2, started_by_id = $3, started_by_name = $3, labels = $4, retry_of_id = $5,
             retry_mode = $6::retry_mode, finished_at = case when finished_at is not null then greatest(created_at, $7::timestamptz) end,
             started_at = case when started_at is not null then created_at end
           where id = $1`,
          [
            id,
            someMarking(chance),
            chance.oneOf(['ann', 'bob', null]),
            chance.oneOf(['{}', '{"team": "ops"}', '{"team": "it"}']),
            ...chance.oneOf([
              [null, null],
              [JOB_WITH_ERRORS, 'ALL'],
            ]),
            pickTime(chance),
          ],
        );
        await query('alter table job enable trigger user');
        await query(
          `insert into job_partition (id, job_id, ordinal, state, data_type, source_name, data_source_id, finished_at)
           values ($1, $1, 0, 'FAILED', 'sortie', 'Sorties', $2, now())`,
          [id, chance.oneOf([uuid(1), uuid(2), null])],
        );
      }
    },
    remove: async (rows) => {
      const ids = rows.map(({ id }) => id.slice('Job:'.length)).filter((id) => id !== JOB_WITH_ERRORS);
      await query('delete from job where id = any($1::uuid[])', [ids]);
    },
    places: { CREATED_AT: ({ created_at: time, id }) => [(time as Date).toISOString(), id] },
  },
  'Job.errors': {
    load: async () =>
      (
        await query<Row>(
          `select 'JobError:' || id as id, stage::text, marking from job_error where job_id = $1`,
          [JOB_WITH_ERRORS],
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(
          `insert into job_error (id, job_id, partition_id, stage, data_type, message, marking)
           values ($1, $2, $2, $3::error_stage, 'sortie', 'bad', $4)`,
          [newUuid(), JOB_WITH_ERRORS, chance.oneOf(STAGES), someMarking(chance)],
        );
      }
    },
    remove: async (rows) => {
      const ids = rows.map(({ id }) => id.slice('JobError:'.length));
      await query('delete from job_error where id = any($1::uuid[])', [ids]);
    },
    places: { CREATED_AT: ({ id }) => [id] },
  },
  'Job.events': {
    load: async () =>
      (
        await query<Row>(`select 'JobEvent:' || id as id, marking from job_event where job_id = $1`, [
          JOB_WITH_ERRORS,
        ])
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(`insert into job_event (id, job_id, kind, marking) values ($1, $2, 'PAUSED', $3)`, [
          newUuid(),
          JOB_WITH_ERRORS,
          someMarking(chance),
        ]);
      }
    },
    remove: async (rows) => {
      const ids = rows.map(({ id }) => id.slice('JobEvent:'.length));
      await query('delete from job_event where id = any($1::uuid[])', [ids]);
    },
    places: { CREATED_AT: ({ id }) => [id] },
  },
  'Job.partitions': {
    load: async () =>
      (
        await query<Row>(
          `select 'JobPartition:' || id as id, state::text, source_name, 'U' as marking from job_partition where job_id = $1`,
          [JOB_WITH_ERRORS],
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(
          `insert into job_partition (id, job_id, ordinal, state, data_type, source_name, finished_at)
           select $1, $2, max(ordinal) + 1, $3::partition_state, 'sortie', $4, now()
           from job_partition where job_id = $2`,
          [
            newUuid(),
            JOB_WITH_ERRORS,
            chance.oneOf(['COMPLETED', 'FAILED', 'CANCELLED']),
            // Of one source, a lower clearance sees one partition.
            createName(chance),
          ],
        );
      }
    },
    remove: async (rows) => {
      // The first is that of the errors.
      const ids = rows
        .map(({ id }) => id.slice('JobPartition:'.length))
        .filter((id) => id !== JOB_WITH_ERRORS);
      await query('delete from job_partition where id = any($1::uuid[])', [ids]);
    },
    places: { CREATED_AT: ({ id }) => [id], SOURCE_NAME: ({ source_name: name, id }) => [String(name), id] },
  },
  dataSources: {
    load: async () =>
      (
        await query<Row>(
          `select 'DataSource:' || id as id, name, data_type, enabled, schedule_cron is not null as is_scheduled,
             catalog_name || '.' || schema_name || '.' || table_name as full_name, created_at, 'U' as marking
           from data_source`,
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(
          `insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, enabled, schedule_cron,
             created_at, updated_at) values ($1, $2, $3, 'blade', 'field', $4, $5, $6, $7, now())`,
          [
            newUuid(),
            createName(chance),
            chance.oneOf(DATA_TYPES),
            chance.oneOf(['Sorties', 'parts']),
            chance.below(2) === 0,
            chance.oneOf(['0 0 * * *', null]),
            pickTime(chance),
          ],
        );
      }
    },
    remove: async (rows) => {
      // Jobs read the first two.
      const ids = rows
        .map(({ id }) => id.slice('DataSource:'.length))
        .filter((id) => id !== uuid(1) && id !== uuid(2));
      await query('delete from data_source where id = any($1::uuid[])', [ids]);
    },
    places: {
      NAME: ({ name, id }) => [String(name), id],
      CREATED_AT: ({ created_at: time, id }) => [(time as Date).toISOString(), id],
    },
  },
  apiKeys: {
    load: async () =>
      (
        await query<Row>(
          `select 'ApiKey:' || id as id, name, prefix, upper(role::text) as role, created_at, 'U' as marking,
             revoked_at is null and (expires_at is null or expires_at > now()) as is_active from api_key`,
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(
          `insert into api_key (id, name, prefix, hash, role, clearance, created_at, expires_at, revoked_at)
           values ($1::uuid, $2, $3, $4, $5::access_role, 'U', $6, $7, $8)`,
          [
            newUuid(),
            `key${chance.below(9)}`,
            `blade_${chance.oneOf(['abc', 'ABC', 'x%_'])}`,
            newUuid(),
            chance.oneOf(['viewer', 'operator', 'admin']),
            pickTime(chance),
            chance.oneOf([null, '2026-01-01', '2100-01-01']),
            chance.oneOf([null, null, '2026-01-01']),
          ],
        );
      }
    },
    remove: async (rows) => {
      await query('delete from api_key where id = any($1::uuid[])', [
        rows.map(({ id }) => id.slice('ApiKey:'.length)),
      ]);
    },
    places: {
      CREATED_AT: ({ created_at: time, id }) => [(time as Date).toISOString(), id],
      NAME: ({ name, id }) => [String(name), id],
    },
  },
  auditEntries: {
    load: async () =>
      (
        await query<Row>(
          `select 'AuditEntry:' || id as id, time, principal_id, operation, outcome::text, job_id, marking from audit_entry`,
        )
      ).rows,
    async insert(chance, count) {
      for (let row = 0; row < count; row++) {
        await query(
          `insert into audit_entry (id, time, principal_id, principal_name, operation, outcome, job_id, marking)
           values ($1, $2, $3, 'Somebody', $4, $5::audit_outcome, $6, $7)`,
          [
            newUuid(),
            pickTime(chance),
            chance.oneOf(['ann', 'bob', 'eve']),
            chance.oneOf(['startSync', 'cancelJob']),
            chance.oneOf(['DONE', 'REFUSED']),
            chance.oneOf([uuid(1), uuid(2), null]),
            someMarking(chance),
          ],
        );
      }
    },
    remove: async (rows) => {
      await query('alter table audit_entry disable trigger user');
      await query('delete from audit_entry where id = any($1::uuid[])', [
        rows.map(({ id }) => id.slice('AuditEntry:'.length)),
      ]);
      await query('alter table audit_entry enable trigger user');
    },
    places: { TIME: ({ time, id }) => [(time as Date).toISOString(), id] },
  },
};

/** A filter's values, and which rows fit one. A new filter needs them. */
interface Meaning {
  readonly values: fc.Arbitrary<unknown>;
  readonly fits: (row: Row, value: never) => boolean;
}

const pickSome = (values: readonly unknown[]) => fc.subarray([...values]);
const time = fc
  .integer({ min: 0, max: 12 })
  .map((ms) => new Date(Date.UTC(2026, 0, 1, 0, 0, 0, ms)).toISOString());
const isOneOf =
  (column: string): Meaning['fits'] =>
  (row, values: readonly unknown[]) =>
    values.includes(row[column]);
const isValue =
  (column: string): Meaning['fits'] =>
  (row, value: string) =>
    row[column] === value.slice(value.indexOf(':') + 1);
const contains =
  (...columns: string[]): Meaning['fits'] =>
  (row, value: string) =>
    columns.some((column) => String(row[column]).toLowerCase().includes(value.toLowerCase()));
const isFrom =
  (column: string): Meaning['fits'] =>
  (row, value: string) =>
    row[column] !== null && (row[column] as Date) >= new Date(value);
const isBefore =
  (column: string): Meaning['fits'] =>
  (row, value: string) =>
    row[column] !== null && (row[column] as Date) < new Date(value);

const MEANINGS: Readonly<Record<string, Meaning>> = {
  'ItemFilter.dataTypes': { values: pickSome(DATA_TYPES), fits: isOneOf('data_type') },
  'ItemFilter.classificationMarkings': {
    values: pickSome(MARKINGS.map(toMarkingName)),
    fits: (row, values: readonly Marking[]) =>
      MARKINGS.some(
        (marking) =>
          values.includes(toMarkingName(marking)) && toLevel(marking) === toLevel(toMarking(row.marking)),
      ),
  },
  'ItemFilter.dataSourceId': {
    values: fc.constantFrom(uuid(1), `DataSource:${uuid(2)}`),
    fits: isValue('data_source_id'),
  },
  'ItemFilter.jobId': {
    values: fc.constantFrom(uuid(1), `Job:${uuid(2)}`, uuid(9)),
    fits: isValue('job_id'),
  },
  'ItemFilter.isUploaded': { values: fc.boolean(), fits: (row, value: boolean) => row.uploaded === value },
  // Deleted items are tested in test/ingestion/deletes.test.ts: there are none here.
  'ItemFilter.includeDeleted': { values: fc.boolean(), fits: () => true },
  'ItemFilter.itemIdPrefix': {
    values: fc.constantFrom('', 'a', 'A', 'ä', 'a%', 'a_', '\\', '"', '😀', 'ab1', 'nothing'),
    fits: (row, value: string) => String(row.item_id).startsWith(value),
  },
  'ItemFilter.data': {
    values: fc.constantFrom(
      { priority: 'HIGH' },
      { priority: null },
      { count: 1, priority: 'LOW' },
      { other: 1 },
    ),
    fits: (row, value: object) =>
      Object.entries(value).every(
        ([column, wanted]) => (row.data as Record<string, unknown>)[column] === wanted,
      ),
  },
  'JobFilter.kinds': { values: pickSome(['SYNC', 'QUERY']), fits: isOneOf('kind') },
  'JobFilter.states': { values: pickSome(STATES), fits: isOneOf('state') },
  'JobFilter.dataTypes': { values: pickSome(DATA_TYPES), fits: isOneOf('data_type') },
  'JobFilter.outcomes': {
    values: pickSome(['SUCCEEDED', 'ITEMS_FAILED', 'NOTHING_SUCCEEDED']),
    fits: isOneOf('outcome'),
  },
  'JobFilter.dataSourceIds': {
    values: pickSome([uuid(1), uuid(2), uuid(9)]),
    fits: (row, values: readonly string[]) =>
      values.some((value) => (row.source_ids as readonly (string | null)[]).includes(value)),
  },
  'JobFilter.startedByIds': { values: pickSome(['ann', 'bob', 'nobody']), fits: isOneOf('started_by_id') },
  'JobFilter.finishedAfter': { values: time, fits: isFrom('finished_at') },
  'JobFilter.finishedBefore': { values: time, fits: isBefore('finished_at') },
  'JobFilter.isRetry': { values: fc.boolean(), fits: (row, value: boolean) => row.is_retry === value },
  'JobFilter.retryOfId': {
    values: fc.constantFrom(JOB_WITH_ERRORS, `Job:${uuid(9)}`),
    fits: isValue('retry_of_id'),
  },
  'JobFilter.sqlContains': {
    values: fc.constantFrom('', 'select', 'ECT 1', '%'),
    fits: (row, value: string) =>
      row.sql !== null && String(row.sql).toLowerCase().includes(value.toLowerCase()),
  },
  'JobFilter.labels': {
    values: pickSome([{ key: 'team' }, { key: 'team', value: 'ops' }, { key: 'none' }]),
    fits: ({ labels }, values: readonly { key: string; value?: string }[]) =>
      values.every(({ key, value }) => {
        const label = (labels as Record<string, string>)[key];
        return label !== undefined && (value === undefined || label === value);
      }),
  },
  'JobFilter.createdAfter': { values: time, fits: isFrom('created_at') },
  'JobFilter.createdBefore': { values: time, fits: isBefore('created_at') },
  'Job.partitions.states': { values: pickSome(['COMPLETED', 'FAILED', 'CANCELLED']), fits: isOneOf('state') },
  'DataSourceFilter.dataTypes': { values: pickSome(DATA_TYPES), fits: isOneOf('data_type') },
  'DataSourceFilter.enabled': { values: fc.boolean(), fits: (row, value: boolean) => row.enabled === value },
  'DataSourceFilter.isScheduled': {
    values: fc.boolean(),
    fits: (row, value: boolean) => row.is_scheduled === value,
  },
  'DataSourceFilter.search': {
    values: fc.constantFrom('', 'S0', 'FIELD.sort', 'parts', '%', 'nothing'),
    fits: contains('name', 'full_name'),
  },
  'ApiKeyFilter.roles': { values: pickSome(['VIEWER', 'OPERATOR', 'ADMIN']), fits: isOneOf('role') },
  'ApiKeyFilter.isActive': { values: fc.boolean(), fits: (row, value: boolean) => row.is_active === value },
  'ApiKeyFilter.search': {
    values: fc.constantFrom('', 'Key1', 'blade_ABC', '%_', 'nothing'),
    fits: contains('name', 'prefix'),
  },
  'Job.errors.stages': { values: pickSome(STAGES), fits: isOneOf('stage') },
  'AuditFilter.principalIds': { values: pickSome(['ann', 'bob', 'nobody']), fits: isOneOf('principal_id') },
  'AuditFilter.operations': { values: pickSome(['startSync', 'cancelJob']), fits: isOneOf('operation') },
  'AuditFilter.outcomes': { values: pickSome(['DONE', 'REFUSED']), fits: isOneOf('outcome') },
  'AuditFilter.jobId': { values: fc.constantFrom(uuid(1), `Job:${uuid(2)}`), fits: isValue('job_id') },
  'AuditFilter.after': { values: time, fits: isFrom('time') },
  'AuditFilter.before': { values: time, fits: isBefore('time') },
};

function findMeaning({ name }: ListFilter): Meaning {
  const meaning = MEANINGS[name];
  if (meaning === undefined) throw new Error(`${name} is new: MEANINGS has to say which rows fit it`);
  return meaning;
}

function findSubject({ name }: PagedField): Subject {
  const subject = SUBJECTS[name];
  if (subject === undefined) throw new Error(`${name} is new: SUBJECTS has to say where its rows are`);
  return subject;
}

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api', ...SECRET_SETTINGS });
  const entries = await Promise.all(
    CLEARANCES.map(
      async (clearance) =>
        [clearance, createApiClient(application.url, await bearer({ role: 'admin', clearance }))] as const,
    ),
  );
  clients = Object.fromEntries(entries) as Record<Clearance, ApiClient>;
  await query(`insert into upload_batch (id, uploaded_at, partition_id) values (1, now(), null), (2, now(), null),
    (3, null, '${uuid(1)}')`);
  await insertJob(application.database, { id: JOB_WITH_ERRORS });
  await query('alter table job disable trigger user');
  await query(`update job set marking = 'U' where id = $1`, [JOB_WITH_ERRORS]);
  await query('alter table job enable trigger user');
  await query(
    `insert into job_partition (id, job_id, ordinal, state, data_type, source_name, finished_at)
     values ($1, $1, 0, 'COMPLETED', 'sortie', 'Sorties', now())`,
    [JOB_WITH_ERRORS],
  );
  for (const number of [1, 2])
    await query(
      `insert into data_source (id, name, data_type, catalog_name, schema_name, table_name, updated_at)
       values ($1, $2, 'sortie', 'blade', 'field', 'sortie', now())`,
      [uuid(number), `s${number}`],
    );
  const chance = createChance(1);
  for (const subject of Object.values(SUBJECTS)) await subject.insert(chance, 150);
});

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await application.close();
});

interface Chosen {
  readonly filter: ListFilter;
  readonly value: unknown;
}

/** One list, as somebody asks for it. */
interface Asked {
  readonly field: PagedField;
  readonly chosen: readonly Chosen[];
  readonly order: ListOrder;
  readonly clearance: Clearance;
}

/** How pages are walked through. */
interface Walk {
  readonly isBackward: boolean;
  /** Taken in turns. */
  readonly sizes: readonly number[];
}

interface Connection {
  readonly totalCount: number;
  readonly isTotalCountExact: boolean;
  readonly edges: readonly { readonly node: { readonly id: string } }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

const SELECTION = `totalCount isTotalCountExact edges { node { id } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }`;

async function readPage({ field, chosen, order, clearance }: Asked, page: object): Promise<Connection> {
  const variables = {
    ...page,
    ...joinArguments(chosen.map(({ filter, value }) => filter.argumentsFor(value))),
  };
  const types = new Map([
    ...Object.keys(page).map(
      (name) => [name, name === 'first' || name === 'last' ? 'Int' : 'String'] as const,
    ),
    ...chosen.map(({ filter: { variable } }) => [variable.name, variable.type] as const),
  ]);
  const passed = [...types.keys()].map((name) => `${name}: $${name}`);
  const list = `${field.fieldName}(${[...passed, `orderBy: ${formatOrder(order)}`].join(', ')}) { ${SELECTION} }`;
  const inParent = field.parent === 'Job' ? `job(id: "${JOB_WITH_ERRORS}") { ${list} }` : list;
  const { data, errors } = await clients[clearance].sendRaw(
    `query (${[...types].map(([name, type]) => `$${name}: ${type}`).join(', ')}) { ${inParent} }`,
    variables,
  );
  expect(errors).toBeUndefined();
  const answer = data as Record<string, Connection & Record<string, Connection>>;
  const connection = field.parent === 'Job' ? answer.job?.[field.fieldName] : answer[field.fieldName];
  if (connection === undefined) throw new Error('no connection');
  return connection;
}

/** @param between done after each page but the last. @returns the ids in the order of the list. */
async function walk(
  asked: Asked,
  { isBackward, sizes }: Walk,
  between: (page: Connection) => Promise<void>,
): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let page = 0; ; page++) {
    const size = sizes[page % sizes.length];
    const connection = await readPage(
      asked,
      isBackward ? { last: size, before: cursor } : { first: size, after: cursor },
    );
    const ofPage = connection.edges.map(({ node }) => node.id);
    if (isBackward) ids.unshift(...ofPage);
    else ids.push(...ofPage);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = connection.pageInfo;
    if (!(isBackward ? hasPreviousPage : hasNextPage)) return ids;
    cursor = isBackward ? startCursor : endCursor;
    await between(connection);
  }
}

/** What one sorted read of everything gives. */
async function expectedRows({ field, chosen, order, clearance }: Asked): Promise<Row[]> {
  const subject = findSubject(field);
  const rows = (await subject.load()).filter(
    (row) =>
      toLevel(toMarking(row.marking)) <= toLevel(clearance) &&
      chosen.every(({ filter, value }) => findMeaning(filter).fits(row, value as never)),
  );
  const place = subject.places[order.field];
  if (place === undefined) throw new Error(`${order.field} is new: the places of ${field.name} need it`);
  return inOrder(place, rows, order.direction === 'DESC');
}

function inOrder(place: (row: Row) => readonly string[], rows: readonly Row[], isDescending: boolean): Row[] {
  const compare = (one: Row, other: Row) =>
    place(one)
      .map((part, index) => Buffer.compare(Buffer.from(part), Buffer.from(place(other)[index] ?? '')))
      .find((result) => result !== 0) ?? 0;
  return rows.toSorted((one, other) => compare(one, other) * (isDescending ? -1 : 1));
}

const LISTS = pagedFields(schema);

const clearances = fc.constantFrom(...CLEARANCES);
const MAX_CHANGES = 30;

const walks = fc.record({
  isBackward: fc.boolean(),
  sizes: fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 4 }),
});

function asks(field: PagedField): fc.Arbitrary<Asked> {
  const filters = fc.tuple(
    ...field.filters.map((filter) =>
      fc.option(
        findMeaning(filter).values.map((value): Chosen => ({ filter, value })),
        { freq: 2, nil: null },
      ),
    ),
  );
  return fc.record({
    field: fc.constant(field),
    // One or two at a time: more of them together fit nothing.
    chosen: fc.tuple(filters, fc.nat(), fc.integer({ min: 0, max: 2 })).map(([all, start, count]) => {
      const given = all.filter((chosen) => chosen !== null);
      return given.length === 0
        ? []
        : [...given.slice(start % given.length), ...given.slice(0, start % given.length)].slice(0, count);
    }),
    order: fc.constantFrom(...field.orders),
    clearance: clearances,
  });
}

describe.each(LISTS.map((field) => [field.name, field] as const))('%s', (name, field) => {
  test('returns page by page the same as one sorted read, whatever the filter, order, direction and size', async () => {
    await fc.assert(
      fc.asyncProperty(asks(field), walks, async (asked, how) => {
        const expected = (await expectedRows(asked)).map(({ id }) => id);
        const counts: number[] = [];
        const ids = await walk(asked, how, async ({ totalCount, isTotalCountExact, edges }) => {
          expect(isTotalCountExact).toBe(true);
          counts.push(totalCount);
          expect(how.sizes).toContain(edges.length);
        });
        expect(ids).toEqual(expected);
        for (const count of counts) expect(count).toBe(expected.length);
      }),
      fuzzParameters(0.05, `${name} page by page`),
    );
  });

  test('loses and repeats no remaining row while others are added and deleted between the pages', async () => {
    const subject = findSubject(field);
    await fc.assert(
      fc.asyncProperty(asks(field), walks, fc.nat(), async (asked, how, seed) => {
        const chance = createChance(seed);
        const before = await expectedRows(asked);
        const gone = new Set<string>();
        let changes = 0;
        const ids = await walk(asked, how, async ({ edges }) => {
          // Small pages would never catch up with rows that are added at the end.
          changes += 1;
          if (changes > MAX_CHANGES) return;
          const rows = await subject.load();
          // The one that the cursor was made of, and any two.
          const ofCursor = (how.isBackward ? edges[0] : edges.at(-1))?.node.id;
          const doomed = rows.filter(
            ({ id }, index) => id === ofCursor || index === chance.below(rows.length),
          );
          for (const { id } of doomed) gone.add(id);
          await subject.remove(doomed);
          await subject.insert(chance, doomed.length);
        });
        expect(new Set(ids).size).toBe(ids.length);
        const stayed = before.map(({ id }) => id).filter((id) => !gone.has(id));
        const seen = new Set(ids);
        const kept = new Set(stayed);
        expect(stayed.filter((id) => !seen.has(id))).toEqual([]);
        expect(ids.filter((id) => kept.has(id))).toEqual(stayed);
      }),
      fuzzParameters(0.05, `${name} while rows come and go`),
    );
  });
});
