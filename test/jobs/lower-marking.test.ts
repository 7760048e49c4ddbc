import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest';
import { httpCatalogDefaults } from '../../src/catalog/http/options.ts';
import type {
  JobFactsFragment,
  LowerItemMarkingInput,
  Marking,
  StartQueryJobInput,
} from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { ItemWithMarkings, LowerItemMarking } from '../support/operations.ts';
import { addSource, forgetAll, storedItems, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let catalog: CatalogServer;
let application: TestApplication;
/** Cleared for everything; the others as they are called. */
let operator: ApiClient;
let secretOperator: ApiClient;
let viewer: ApiClient;
let admin: ApiClient;

beforeAll(async () => {
  catalog = await startCatalogServer();
  application = await startTestApplication(SECRET_SETTINGS, {
    catalog: {
      name: 'http',
      settings: {
        ...{ ...httpCatalogDefaults, url: catalog.url, token: null },
        ...{ attempts: 2, backoffMs: 5, maxBackoffMs: 20, maxOutageMs: 50 },
      },
    },
  });
  const openClient = async (name: string, role: string, clearance: string) =>
    createApiClient(application.url, await bearer({ sub: name, name: `Some ${name}`, role, clearance }));
  operator = await openClient('operator', 'operator', 'TS');
  secretOperator = await openClient('secret operator', 'operator', 'SECRET');
  viewer = await openClient('viewer', 'viewer', 'TS');
  admin = await openClient('admin', 'admin', 'TS');
});

let startedAt: string;

beforeEach(async () => {
  startedAt = new Date().toISOString();
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'S-1', classification_marking: 'CUI' },
    { item_id: 'S-2', classification_marking: 'CUI' },
  ]);
  await addSource(
    { ...application, client: admin },
    { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' },
  );
  await sync();
});

afterEach(async () => {
  catalog.answerWith(() => null);
  await forgetAll(application);
  await application.database.pool.query('delete from pgboss.job');
});

afterAll(async () => {
  for (const client of [operator, secretOperator, viewer, admin]) await client.close();
  await application.close();
  await catalog.close();
});

async function sync(): Promise<JobFactsFragment> {
  return operator.waitForEnd((await operator.startSync({ syncType: 'FULL' })).id);
}

async function raise(
  classification: Marking,
  rest: Partial<StartQueryJobInput['catalogConfig']> = {},
  by = operator,
): Promise<JobFactsFragment> {
  const { id } = await by.startQueryJob({
    dataType: 'sortie',
    sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id = 'S-1'`,
    catalogConfig: { classification, ...rest },
  });
  return by.waitForEnd(id);
}

async function lower(input: Partial<LowerItemMarkingInput> = {}, by = operator) {
  const { lowerItemMarking } = await by.send(LowerItemMarking, {
    input: {
      ...{ dataType: 'sortie', itemId: 'S-1', expectedFloor: 'TS', reason: 'The exercise is over' },
      ...input,
    },
  });
  return lowerItemMarking;
}

async function loadItem(client: ApiClient, itemId = 'S-1') {
  return (await client.send(ItemWithMarkings, { dataType: 'sortie', itemId })).item;
}

async function stored(itemId = 'S-1') {
  return (await storedItems(application)).find((item) => item.itemId === itemId);
}

const copy = (itemId = 'S-1') => catalog.items.get(`BLADE:sortie/${itemId}`);

interface Entry {
  readonly operation: string;
  readonly principal: { readonly id: string };
  readonly details: object;
}

/** The entries of this test. */
async function listAudit(client: ApiClient): Promise<Entry[]> {
  const { data, errors } = await client.sendRaw(
    `query ($after: DateTime) {
      auditEntries(first: 50, filter: { operations: ["lowerItemMarking"], after: $after }) {
        edges { node { operation principal { id } details } } } }`,
    { after: startedAt },
  );
  expect(errors).toBeUndefined();
  const entries = data?.auditEntries as { edges: { node: Entry }[] } | undefined;
  return entries?.edges.map(({ node }) => node) ?? [];
}

async function expectUploadedAs(marking: string): Promise<void> {
  await vi.waitFor(async () => {
    expect(copy()?.classificationMarking).toBe(marking);
    expect((await stored())?.uploadedAt).not.toBeNull();
  }, 20_000);
  expect(await stored()).toMatchObject({ marking });
}

describe('lowering a raised marking', () => {
  test('restores the marking that the source states, also in the catalog', async () => {
    await raise('TS', { metadata: { case: 'X' } });
    expect(copy()?.classificationMarking).toBe('TS');
    expect(await lower()).toMatchObject({
      __typename: 'LowerItemMarkingSuccess',
      message: 'Marking no longer raised: the item is CUI',
      item: {
        ...{ classificationMarking: 'CUI', rowMarking: 'CUI', markingFloor: null },
        ...{ queryMetadata: null, metadata: { data_source: 'Sorties' } },
      },
    });
    await expectUploadedAs('CUI');
    expect(copy()?.metadata).not.toContain('case');
    await sync();
    expect(await stored()).toMatchObject({ marking: 'CUI' });
  });

  test('can leave a lower floor, with who set it, when and why', async () => {
    await raise('TS', { reason: 'Names a source' });
    const before = Date.now();
    const result = await lower({ newFloor: 'S', reason: 'The source agrees' });
    expect(result).toMatchObject({
      message: 'Marking lowered to S: the item is S',
      item: {
        ...{ classificationMarking: 'S', rowMarking: 'CUI' },
        markingFloor: {
          ...{ marking: 'S', job: null, reason: 'The source agrees' },
          raisedBy: { id: 'Principal:operator', name: 'Some operator' },
        },
      },
    });
    if (result.__typename !== 'LowerItemMarkingSuccess') throw new Error(JSON.stringify(result));
    expect(Date.parse(result.item.markingFloor?.raisedAt ?? '')).toBeGreaterThanOrEqual(before);
    await expectUploadedAs('S');
    await sync();
    expect(await stored()).toMatchObject({ marking: 'S' });
    expect(await lower({ expectedFloor: 'SECRET' })).toMatchObject({
      item: { classificationMarking: 'CUI' },
    });
  });

  test('keeps the metadata of query jobs that the new marking covers, and removes that of others', async () => {
    await raise('SECRET', { metadata: { kept: true } });
    await writeRows(application.warehouseFolder, 'other', [{ item_id: 'S-1', classification_marking: 'TS' }]);
    const job = await operator.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT * FROM blade.field.other`,
      catalogConfig: { classification: 'SECRET', metadata: { also: 'kept' } },
    });
    await operator.waitForEnd(job.id);
    expect(await lower({ newFloor: 'SECRET' })).toMatchObject({
      item: { classificationMarking: 'SECRET', queryMetadata: { kept: true, also: 'kept' } },
    });
    await raise('TS', { metadata: { gone: true } });
    expect(await lower({ newFloor: 'SECRET' })).toMatchObject({ item: { queryMetadata: null } });
    await sync();
    expect(copy()?.metadata).not.toMatch(/gone|kept|query_job_id/);
  });

  test('leaves the marking that the source states now, if that is higher', async () => {
    await raise('TS');
    await writeRows(application.warehouseFolder, 'sortie', [
      { item_id: 'S-1', classification_marking: 'SECRET' },
    ]);
    await sync();
    expect(await lower()).toMatchObject({
      item: { classificationMarking: 'SECRET', rowMarking: 'SECRET', markingFloor: null },
    });
  });

  test('is in the audit with both markings and the reason, for principals who were cleared for the item', async () => {
    await raise('TS');
    await lower({ newFloor: 'S', reason: 'The exercise is over' });
    expect(await listAudit(admin)).toMatchObject([
      {
        principal: { id: 'Principal:operator' },
        details: {
          ...{ dataType: 'sortie', itemId: 'S-1', reason: 'The exercise is over' },
          floor: { from: 'TS', to: 'S' },
          classificationMarking: { from: 'TS', to: 'S' },
        },
      },
    ]);
    const secretAdmin = createApiClient(
      application.url,
      await bearer({ role: 'admin', clearance: 'SECRET' }),
    );
    expect(await listAudit(secretAdmin)).toEqual([]);
    await secretAdmin.close();
  });
});

describe('a raised marking is not lowered', () => {
  test('by a principal without clearance for the item, who gets the same error as for an unknown item', async () => {
    await raise('TS');
    expect(await loadItem(secretOperator)).toBeNull();
    const unknown = await lower({ itemId: 'S-9' }, secretOperator);
    expect(unknown).toEqual({
      __typename: 'ItemNotFoundError',
      message: 'there is no sortie item S-9',
      dataType: 'sortie',
      itemId: 'S-9',
    });
    expect(await lower({}, secretOperator)).toEqual({
      ...unknown,
      message: 'there is no sortie item S-1',
      itemId: 'S-1',
    });
    expect(await stored()).toMatchObject({ marking: 'TS' });
  });

  test('by a viewer', async () => {
    await raise('TS');
    expect(await lower({}, viewer)).toMatchObject({ __typename: 'ForbiddenError' });
    expect(await stored()).toMatchObject({ marking: 'TS' });
  });

  test('if nobody has raised it', async () => {
    expect(await lower({ itemId: 'S-2' })).toMatchObject({
      __typename: 'NoMarkingFloorError',
      classificationMarking: 'CUI',
      message: expect.stringContaining('was not raised'),
    });
  });

  test('if it has changed since the caller saw it', async () => {
    await raise('TS');
    expect(await lower({ expectedFloor: 'SECRET', newFloor: 'CUI' })).toMatchObject({
      __typename: 'MarkingFloorChangedError',
      floor: 'TS',
    });
    expect(await stored()).toMatchObject({ marking: 'TS' });
  });

  test.each<[string, Partial<LowerItemMarkingInput>, string]>([
    ['a floor that is not lower', { newFloor: 'TOP_SECRET' }, 'input.newFloor'],
    ['no reason', { reason: ' ' }, 'input.reason'],
    ['a reason without end', { reason: 'x'.repeat(1_001) }, 'input.reason'],
    ['a data type that there is not', { dataType: 'fuel' }, 'input.dataType'],
  ])('with %s', async (_name, input, field) => {
    await raise('TS');
    expect(await lower(input)).toMatchObject({
      __typename: 'InvalidInputError',
      issues: [{ path: field.split('.') }],
    });
    expect(await stored()).toMatchObject({ marking: 'TS' });
  });

  test('twice by two callers who saw the same one', async () => {
    await raise('TS');
    const results = await Promise.all([lower({ newFloor: 'S' }), lower({ newFloor: 'C' })]);
    expect(results.map(({ __typename }) => __typename).sort()).toEqual([
      'LowerItemMarkingSuccess',
      'MarkingFloorChangedError',
    ]);
    expect(await listAudit(admin)).toHaveLength(1);
  });
});

describe('the catalog has the marking of the store', () => {
  test('once it is back, if it was down when the marking was lowered', async () => {
    await raise('TS');
    await catalog.goDown();
    try {
      expect(await lower()).toMatchObject({ __typename: 'LowerItemMarkingSuccess' });
      expect(await loadItem(operator)).toMatchObject({ classificationMarking: 'CUI' });
    } finally {
      await catalog.comeBack();
    }
    expect(copy()?.classificationMarking).toBe('TS');
    await expectUploadedAs('CUI');
  });

  test('if a sync uploaded the item with the higher one at the same time', async () => {
    await raise('TS');
    await writeRows(application.warehouseFolder, 'sortie', [
      { item_id: 'S-1', classification_marking: 'CUI', mission_status: 'DONE' },
    ]);
    const arrived = Promise.withResolvers<void>();
    catalog.answerWith(({ item }) => {
      if (item.classificationMarking !== 'TS') return null;
      arrived.resolve();
      return { status: 201, after: 500 };
    });
    const { id } = await operator.startSync({ syncType: 'FULL' });
    await arrived.promise;
    expect(await lower()).toMatchObject({ item: { classificationMarking: 'CUI' } });
    const asked = catalog.requests.length;
    expect(await operator.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    // The sync cannot tell which came first, so that it uploads the item again as it is.
    expect(catalog.requests.length).toBeGreaterThan(asked);
    await expectUploadedAs('CUI');
  });

  test('if the job that raised it ended before it uploaded the item', async () => {
    catalog.answerWith(({ item }) => (item.classificationMarking === 'TS' ? 'SILENCE' : null));
    const { id } = await operator.startQueryJob({
      dataType: 'sortie',
      sqlQuery: `SELECT * FROM blade.field.sortie`,
      catalogConfig: { classification: 'TS' },
      options: { maxAttempts: 1 },
    });
    await vi.waitFor(async () => expect(await stored()).toMatchObject({ marking: 'TS' }), 10_000);
    await operator.cancelJob(id);
    expect(await operator.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
    expect(copy()?.classificationMarking).toBe('CUI');
    catalog.answerWith(() => null);
    await application.database.pool.query(
      // One may be waiting already.
      `insert into pgboss.job (name, policy) values ('raised-item-uploads', 'exclusive') on conflict do nothing`,
    );
    await expectUploadedAs('TS');
    expect(copy()?.metadata).toContain(uuid(id));
    expect(copy('S-2')?.classificationMarking).toBe('TS');
  });

  test('unless it rejects the item, which the next sync uploads', async () => {
    await raise('TS');
    catalog.answerWith(({ item }) => (item.itemId === 'S-1' ? { status: 400, body: 'no' } : null));
    await lower();
    await vi.waitFor(() => {
      expect(application.log.join('\n')).toContain('the catalog rejected an item with a new marking');
    }, 20_000);
    catalog.answerWith(() => null);
    await sync();
    await expectUploadedAs('CUI');
  });
});
