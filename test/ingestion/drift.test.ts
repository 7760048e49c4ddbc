import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { StartSyncInput } from '../generated/graphql.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { DriftReads } from '../support/operations.ts';
import { addSource, forgetAll, storedItems, writeQuery, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let client: ApiClient;
let cleared: TestApplication;
let source: string;

beforeAll(async () => {
  application = await startTestApplication({
    BLADE_ROLES: 'api,worker',
    ...SECRET_SETTINGS,
  });
  client = createApiClient(application.url, await bearer({ role: 'admin', clearance: 'TOP SECRET' }));
  cleared = { ...application, client };
});

beforeEach(async () => {
  await writeSorties(first(20));
  source = await addSource(cleared, { cursorColumn: 'cursor_value' });
});

afterEach(() => forgetAll(application));

afterAll(async () => {
  await client.close();
  await application.close();
});

/** A row: its id, its cursor and its flight hours. It fails if they are text. */
type Sortie = readonly [id: string, cursor: number, hours?: string];

const first = (count: number): Sortie[] =>
  Array.from({ length: count }, (_none, index) => [`S-${index}`, 100 + index]);

async function writeSorties(rows: readonly Sortie[]): Promise<void> {
  const values = rows.map(([id, cursor, hours = '1.5']) => `('${id}', ${cursor}, '${hours}')`).join(', ');
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `SELECT * FROM (VALUES ${values}) AS t(item_id, cursor_value, flight_hours)`,
  );
}

async function sync(input: Partial<StartSyncInput> = {}, reader = client) {
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [source], ...input });
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
  const { dataSource, job } = await reader.send(DriftReads, { source, job: id });
  const [partition] = job?.partitions.nodes ?? [];
  return { ...dataSource, partition };
}

const INCREMENTAL = { syncType: 'INCREMENTAL' } as const;

const NONE = { drift: 0, driftMessage: null };

test('a copy that has an item for each row has no drift, also while the table stays as it is', async () => {
  expect(await sync()).toMatchObject({ ...NONE, partition: NONE });
  expect(await sync()).toMatchObject({ ...NONE, partition: { ...NONE, readItems: 0 } });
});

test('rows that an INCREMENTAL sync passes by are reported, and the next one reads all of them', async () => {
  await sync(INCREMENTAL);
  await writeSorties([...first(22), ['LATE-1', 50], ['LATE-2', 51], ['LATE-3', 52]]);
  const message =
    '3 rows of the table are not in the copy: run a FULL sync, or wait for the next INCREMENTAL one, which reads all rows';
  const reported = { drift: 3, driftMessage: message };
  expect(await sync(INCREMENTAL)).toMatchObject({ ...reported, partition: { ...reported, readItems: 3 } });
  await expect.poll(readDriftMetric, { timeout: 10_000 }).toBe(3);
  const lastSyncMessage = expect.stringMatching(
    /^The copy lacked 3 rows of the table, .*: all rows were read/,
  );
  expect(await sync(INCREMENTAL)).toMatchObject({ ...NONE, lastSyncMessage, partition: { readItems: 25 } });
  expect((await storedItems(application)).map(({ itemId }) => itemId)).toContain('LATE-2');
  await expect.poll(readDriftMetric, { timeout: 10_000 }).toBe(0);
  await writeSorties([...first(23), ['LATE-1', 50], ['LATE-2', 51], ['LATE-3', 52]]);
  expect(await sync(INCREMENTAL)).toMatchObject({ ...NONE, partition: { readItems: 2 } });
});

test('rows that share an id are no drift, whether they were there or came since', async () => {
  await writeSorties([...first(20), ['S-3', 90], ['S-4', 91]]);
  expect(await sync()).toMatchObject(NONE);
  await writeSorties([...first(20), ['S-3', 90], ['S-4', 91], ['S-5', 200], ['S-6', 201]]);
  expect(await sync(INCREMENTAL)).toMatchObject({ ...NONE, partition: { readItems: 3 } });
  await writeSorties([...first(20), ['S-3', 90], ['S-4', 91], ['S-5', 200], ['S-6', 201], ['LATE', 1]]);
  expect(await sync(INCREMENTAL)).toMatchObject({ drift: 1 });
});

test('rows that failed are drift with another cause, for which no table is read again', async () => {
  await writeSorties([...first(20), ['BAD', 90, 'two']]);
  const message =
    '1 row of the table is not in the copy, because it failed: see the errors of the sync that read it';
  expect(await sync()).toMatchObject({ drift: 1, driftMessage: message });
  await writeSorties([...first(22), ['BAD', 90, 'two'], ['WORSE', 300, 'two']]);
  expect(await sync(INCREMENTAL)).toMatchObject({ drift: 2, partition: { readItems: 4 } });
  await writeSorties([...first(22), ['BAD', 90, 'two'], ['WORSE', 300, 'two'], ['S-30', 301]]);
  expect(await sync(INCREMENTAL)).toMatchObject({ drift: 2, partition: { readItems: 2 } });
});

test('items whose rows are gone are reported', async () => {
  await sync();
  await writeSorties(first(20).slice(2));
  const driftMessage = '2 items have no row in the table any more; syncs of this source delete no items';
  expect(await sync()).toMatchObject({ drift: -2, driftMessage });
  expect(await sync(INCREMENTAL)).toMatchObject({ drift: -2, driftMessage });
});

test('drift is not known after a sync of some rows, of a text that must be read to be counted, and of shared items', async () => {
  const unknown = { drift: null, driftMessage: null };
  expect(await sync({ filter: 'cursor_value > 105' })).toMatchObject(unknown);
  expect(await sync({ maxItems: 5 })).toMatchObject(unknown);
  expect(await sync()).toMatchObject(NONE);

  const other = await addSource(cleared, { name: 'The same' });
  const { id } = await client.startSync({ syncType: 'FULL', dataSourceIds: [other] });
  await client.waitForEnd(id);
  await writeSorties(first(21));
  expect(await sync(INCREMENTAL)).toMatchObject(unknown);
  expect(await sync()).toMatchObject(NONE);

  const rows = first(22).map(([item_id, cursor_value]) => ({ item_id, cursor_value, flight_hours: 1.5 }));
  await writeRows(application.warehouseFolder, 'sortie', rows);
  expect(await sync()).toMatchObject(NONE);
  await writeRows(application.warehouseFolder, 'sortie', [...rows, { ...rows[0], cursor_value: 900 }]);
  expect(await sync(INCREMENTAL)).toMatchObject(unknown);
});

test('drift is hidden from callers without clearance for all markings', async () => {
  const reader = createApiClient(application.url, await bearer({ role: 'admin', clearance: 'SECRET' }));
  await writeSorties([...first(20), ['BAD', 90, 'two']]);
  const hidden = { drift: null, driftMessage: null };
  expect(await sync({}, reader)).toMatchObject({ ...hidden, partition: hidden });
  await reader.close();
});

async function readDriftMetric(): Promise<number> {
  const authorization = await bearer({ role: 'admin', clearance: 'TOP SECRET' });
  const answer = await fetch(new URL('/metrics', application.url), { headers: { authorization } });
  const text = await answer.text();
  return Number(/^blade_source_drift\{source="Sorties"\} (.*)$/m.exec(text)?.[1]);
}
