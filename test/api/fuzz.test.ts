import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, vi } from 'vitest';
import { schema } from '../../src/api/schema/schema.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import {
  type GoodValues,
  goodOperation,
  inputFields,
  poisonedOperations,
  type WrittenOperation,
} from '../support/input-values.ts';
import { test } from '../support/on-server.ts';
import { CancelJob, CreateDataSource, JobById, StartQueryJob, SyncStatus } from '../support/operations.ts';
import { asJson, leaf, list, object, poisonedText, poisonedTree, text } from '../support/poison.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

/** Stand for the job and the source of the test, whose ids are not known before. */
const JOB = '01997f3e-8c1a-7000-8000-00000000000a';
const SOURCE = '01997f3e-8c1a-7000-8000-00000000000b';

const GOOD: GoodValues = {
  id: text(JOB),
  jobId: text(`Job:${JOB}`),
  'dataSource.id': text(SOURCE),
  'UpdateDataSourceInput.id': text(`DataSource:${SOURCE}`),
  expectedRevision: leaf('null'),
  'SetWatermarkInput.id': text(`DataSource:${SOURCE}`),
  lookback: leaf('60'),
  'SetWatermarkInput.value': leaf('null'),
  'SetWatermarkInput.expected': leaf('null'),
  'node.id': text(`Job:${JOB}`),
  'nodes.ids': list(text(`Job:${JOB}`)),
  'StartSyncInput.dataSourceIds': leaf('null'),
  // A page is asked for from one end.
  after: leaf('null'),
  before: leaf('null'),
  last: leaf('null'),
  'AuditFilter.after': text('2026-11-24T05:30:00Z'),
  'AuditFilter.before': text('2999-11-24T05:30:00Z'),
  dataSourceId: text(`DataSource:${SOURCE}`),
  dataType: text('sortie'),
  dataTypes: list(text('sortie')),
  itemId: text('S-1'),
  itemIdPrefix: text('S-'),
  classification: { kind: 'enum', name: 'SECRET' },
  expectedFloor: { kind: 'enum', name: 'SECRET' },
  newFloor: { kind: 'enum', name: 'CUI' },
  sqlQuery: text('SELECT * FROM blade.field.sortie'),
  'StartSyncInput.filter': text('flight_hours > 1'),
  'ItemFilter.data': object(['item_id', text('S-1')]),
  catalogName: text('blade'),
  schemaName: text('field'),
  tableName: text('sortie'),
  cursorColumn: text('item_id'),
  cron: text('30 2 * * *'),
  timeZone: text('UTC'),
  partitionRows: leaf('1000'),
  expiresAt: text('2999-01-01T00:00:00Z'),
};

const FIELDS = inputFields(schema, GOOD);
const LEAVES = FIELDS.reduce((sum, { leaves }) => sum + leaves, 0);

let application: TestApplication;
let known: ReadonlyMap<string, string>;

beforeAll(async () => {
  application = await startTestApplication({
    BLADE_REQUESTS_PER_SECOND: '100000',
    BLADE_MUTATIONS_PER_MINUTE: '100000',
    // All fields of all kinds of events, each under an alias, are more than a client asks for.
    BLADE_MAX_DOCUMENT_TOKENS: '2000',
  });
  const { client, warehouseFolder } = application;
  await writeRows(warehouseFolder, 'sortie', [
    { item_id: 'S-1', flight_hours: 2, priority: 'HIGH' },
    { item_id: 'S-2', flight_hours: 'many' },
  ]);
  const schedule = { cron: '30 2 * * *' };
  const source = await addSource(application, {
    name: 'Sorties',
    dataType: 'sortie',
    tableName: 'sortie',
    schedule,
  });
  const { id } = await client.startSync({ syncType: 'FULL' });
  await client.waitForEnd(id);
  known = new Map([
    [JOB, id.replace('Job:', '')],
    [SOURCE, source],
  ]);
});

afterAll(() => application.close());

/** Sends what has been written as it is written. */
async function send({ query, variables }: WrittenOperation): Promise<{ status: number; answer: string }> {
  let body = `{"query":${JSON.stringify(query)},"variables":${variables}}`;
  for (const [example, id] of known) body = body.replaceAll(example, id);
  const response = await fetch(application.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body,
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, answer: await response.text() };
}

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: {
      readonly code?: string;
      readonly issues?: readonly { readonly path: readonly string[] }[];
    };
  }[];
}

/** Expects an answer that is data, or an error that tells what is wrong with the input. */
function expectAnswer({ status, answer }: { status: number; answer: string }): void {
  const { data, errors } = JSON.parse(answer) as Answer;
  if (errors === undefined) {
    expect(status).toBe(200);
    for (const value of Object.values(data ?? {})) expectNamedFields(value);
    return;
  }
  // What GraphQL itself refuses has no data at all.
  expect(status).toBe(data === undefined ? 400 : 200);
  for (const { message, extensions } of errors) {
    expect(message).toMatch(/\w/);
    expect(message).not.toMatch(/Unexpected error/);
    expect(extensions?.code).not.toBe('INTERNAL_SERVER_ERROR');
    if (data === undefined) continue;
    expect(extensions?.code).toBe('BAD_USER_INPUT');
    expect(extensions?.issues?.map(({ path }) => path.join('.'))).toEqual(
      expect.arrayContaining([expect.any(String)]),
    );
  }
}

function expectNamedFields(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('InvalidInputError_issues' in value)) return;
  const issues = value.InvalidInputError_issues as readonly { path: string[]; message: string }[];
  expect(issues.length).toBeGreaterThan(0);
  for (const { path, message } of issues) {
    const field = path.join('.');
    expect(field).toMatch(/^(id|input|dataSourceId)\b/);
    expect(message).toMatch(/\w/);
  }
}

/** Ends whatever was started on the way, and expects that it ends. */
async function expectNothingStuck(): Promise<void> {
  const { client, database } = application;
  const active = async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      `select id from job where state not in ('COMPLETED', 'FAILED', 'CANCELLED')`,
    );
    return rows;
  };
  for (const { id } of await active()) await client.send(CancelJob, { input: { id } });
  await vi.waitFor(async () => expect(await active()).toEqual([]), 60_000);
  expect((await client.send(SyncStatus, {})).syncStatus.state).not.toBe('NO_SYNC_JOB');
}

const asked = FIELDS.filter(({ operation }) => operation !== 'subscription');

test.each(asked)('what is not poisoned is good input of $operation $name', async (field) => {
  const { answer } = await send(goodOperation(schema, field, GOOD));
  expect(JSON.parse(answer)).toEqual({ data: expect.any(Object), extensions: expect.any(Object) });
  expect(answer).not.toContain('InvalidInputError');
});

describe('hostile input over HTTP gets an answer, or an error that says what is wrong', () => {
  afterEach(expectNothingStuck);

  test.each(asked)(
    '$operation $name',
    async (field) => {
      await fc.assert(
        fc.asyncProperty(poisonedOperations(schema, field, GOOD), async (operation) => {
          expectAnswer(await send(operation));
        }),
        fuzzParameters(field.leaves / LEAVES, field.name),
      );
    },
    600_000,
  );
});

describe('accepted input is stored unchanged', () => {
  afterEach(expectNothingStuck);

  test('metadata of a query job', async () => {
    await fc.assert(
      fc.asyncProperty(poisonedTree, async (metadata) => {
        const input = object(
          ['dataType', text('sortie')],
          ['sqlQuery', text('SELECT * FROM blade.field.sortie WHERE 1 = 0')],
          ['catalogConfig', object(['metadata', metadata])],
        );
        const { status, answer } = await send({
          query: StartQueryJob.toString(),
          variables: asJson(object(['input', input])),
        });
        const { data } = JSON.parse(answer);
        if (data === undefined) {
          expect(status).toBe(400);
          return;
        }
        const { startQueryJob } = data;
        if (startQueryJob.__typename === 'InvalidInputError') {
          expect(startQueryJob.issues).toMatchObject([{ path: ['input', 'catalogConfig', 'metadata'] }]);
          return;
        }
        const { job } = await application.client.send(JobById, { id: startQueryJob.job.id });
        // As JavaScript writes what it has read: -0 is 0.
        const kept = JSON.parse(JSON.stringify(JSON.parse(asJson(metadata))));
        expect(job?.configuration).toHaveProperty('metadata', kept);
      }),
      fuzzParameters(0.05, 'metadata'),
    );
  });

  test('names of a data source and of its table', async () => {
    await fc.assert(
      fc.asyncProperty(poisonedText, poisonedText, poisonedText, async (name, schemaName, tableName) => {
        const names = [
          ['name', name],
          ['catalogName', schemaName],
          ['schemaName', schemaName],
          ['tableName', tableName],
          ['cursorColumn', tableName],
        ] as const;
        const { answer } = await send({
          query: CreateDataSource.toString(),
          variables: asJson(
            object(['input', object(['dataType', text('sortie')], ['enabled', leaf('false')], ...names)]),
          ),
        });
        const { createDataSource } = JSON.parse(answer).data;
        if (createDataSource.__typename === 'InvalidInputError') return;
        const { id } = createDataSource.dataSource;
        const { data } = await application.client.sendRaw(
          'query ($id: ID!) { dataSource(id: $id) { name catalogName schemaName tableName cursorColumn } }',
          { id },
        );
        expect(data?.dataSource).toEqual(
          Object.fromEntries(names.map(([field, written]) => [field, JSON.parse(asJson(written)).trim()])),
        );
        await application.database.pool.query('delete from data_source where id = $1', [id.split(':')[1]]);
      }),
      fuzzParameters(0.05, 'names'),
    );
  });
});
