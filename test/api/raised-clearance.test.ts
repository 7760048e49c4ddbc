import { afterAll, beforeAll, describe, expect } from 'vitest';
import { toLevel } from '../../src/data-types/marking.ts';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const CLEARANCES = ['UNCLASSIFIED', 'CUI', 'CONFIDENTIAL', 'SECRET', 'TOP SECRET'] as const;
type Clearance = (typeof CLEARANCES)[number];

/** Enough that rows that have not changed are asked for by the batch. */
const COUNT = 60;
const RAISED = ['S-00', 'S-01', 'S-02'];
const BAD = { item_id: 'S-00', classification_marking: 'U', flight_hours: 'hunter2' };

const flights = (hours: number) =>
  Array.from({ length: COUNT }, (_, index) => ({
    item_id: `S-${String(index).padStart(2, '0')}`,
    classification_marking: 'U',
    flight_hours: hours,
  }));

let application: TestApplication;
let clients: Record<Clearance, ApiClient>;
const jobs: {
  readonly name: string;
  readonly id: string;
  readonly errors: number;
  readonly duplicates: number;
}[] = [];
let before: string;

beforeAll(async () => {
  application = await startTestApplication(SECRET_SETTINGS);
  const entries = CLEARANCES.map(async (clearance) => {
    const authorization = await bearer({ role: 'admin', clearance });
    return [clearance, createApiClient(application.url, authorization)] as const;
  });
  clients = Object.fromEntries(await Promise.all(entries)) as Record<Clearance, ApiClient>;
  const client = clients['TOP SECRET'];
  const { warehouseFolder } = application;
  const sync = async (name: string, { success = COUNT, errors = 0, duplicates = 0 } = {}) => {
    const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
    expect(await client.waitForEnd(id)).toMatchObject({
      progress: { successCount: success, errorCount: errors, duplicateCount: duplicates },
    });
    jobs.push({ name, id, errors, duplicates });
    return id;
  };
  await writeRows(warehouseFolder, 'sortie', [...flights(1).slice(1), BAD]);
  await addSource({ ...application, client }, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  before = await sync('before', { success: COUNT - 1, errors: 1 });
  jobs.pop();
  await writeRows(warehouseFolder, 'sortie', flights(1));
  await sync('first');
  jobs.pop();
  const { id } = await client.startQueryJob({
    dataType: 'sortie',
    sqlQuery: `SELECT * FROM blade.field.sortie WHERE item_id IN ('${RAISED.join(`', '`)}')`,
    catalogConfig: { classification: 'SECRET' },
  });
  await client.waitForEnd(id);
  await sync('puts back what the query job wrote over');
  await sync('finds all unchanged');
  await sync('knows its batches');
  await writeRows(warehouseFolder, 'sortie', flights(2));
  await sync('finds all changed');
  await writeRows(warehouseFolder, 'sortie', [
    ...flights(2).map((row, index) => (index % 2 === 0 ? row : { ...row, flight_hours: 3 })),
    { ...BAD, item_id: 'S-01' },
    { ...BAD, item_id: 'S-59' },
    { item_id: 'S-02', classification_marking: 'U', flight_hours: 9 },
  ]);
  await sync('finds some changed, some failed and one twice', { errors: 2, duplicates: 1 });
});

afterAll(async () => {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  await application.close();
});

async function ask(clearance: Clearance, query: string, variables: Record<string, unknown> = {}) {
  const { data, errors } = await clients[clearance].sendRaw(query, variables);
  expect(errors).toBeUndefined();
  // biome-ignore lint/suspicious/noExplicitAny: what an answer has is what its query asks for.
  return data as any;
}

describe.each(CLEARANCES)('a principal cleared for %s', (clearance) => {
  const isCleared = toLevel(clearance) >= toLevel('SECRET');

  test('sees and counts raised items only if the clearance covers them', async () => {
    const { items } = await ask(clearance, '{ items(first: 100) { totalCount edges { node { itemId } } } }');
    const ids = items.edges.map(({ node }: { node: { itemId: string } }) => node.itemId);
    expect(ids).toEqual(
      flights(1)
        .map(({ item_id }) => item_id)
        .filter((id) => isCleared || !RAISED.includes(id)),
    );
    expect(items.totalCount).toBe(ids.length);
  });

  test('sees for each sync the rows of these items, whatever happened to them', async () => {
    for (const { name, id, errors, duplicates } of jobs) {
      const { job } = await ask(
        clearance,
        `query ($id: ID!) { job(id: $id) { recentErrors progress { successCount errorCount duplicateCount byType { successCount } }
          errors(first: 10) { totalCount edges { node { itemId row } } } } }`,
        { id },
      );
      // A row that a later one replaced, and one that failed, are of items that were raised.
      const [hiddenSuccess, hiddenErrors] = isCleared ? [0, 0] : [RAISED.length, errors === 0 ? 0 : 1];
      expect(job.progress, name).toMatchObject({
        successCount: COUNT - hiddenSuccess,
        errorCount: errors - hiddenErrors,
        duplicateCount: isCleared ? duplicates : 0,
        byType: [{ successCount: COUNT - hiddenSuccess }],
      });
      expect(job.errors.totalCount, name).toBe(errors - hiddenErrors);
      expect(job.errors.edges, name).toHaveLength(errors - hiddenErrors);
      expect(job.recentErrors, name).toHaveLength(errors - hiddenErrors);
    }
    const { dataSources } = await ask(clearance, '{ dataSources { nodes { itemCount } } }');
    expect(dataSources.nodes).toEqual([{ itemCount: isCleared ? COUNT : COUNT - RAISED.length }]);
  });

  test('sees an error of an item that was raised later only if the clearance covers it', async () => {
    const { job } = await ask(
      clearance,
      'query ($id: ID!) { job(id: $id) { recentErrors errors(first: 10) { edges { node { itemId row } } } } }',
      { id: before },
    );
    expect(JSON.stringify(job).includes('hunter2')).toBe(isCleared);
    expect(job.errors.edges).toHaveLength(isCleared ? 1 : 0);
  });
});
