import {
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { checkCatalogFolder } from '../../src/catalog/folder/folder-check.ts';
import type { Choice } from '../../src/shared/definition.ts';
import type { JobFactsFragment, JobOptionsInput, SyncType } from '../generated/graphql.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { createChance } from '../support/chance.ts';
import { JobProgress, PauseJob, ResumeJob } from '../support/operations.ts';
import { test as base } from '../support/slow-on-server.ts';
import {
  addSource,
  catalogContent,
  type StoredItem,
  storedItems,
  uploadedContent,
  writeRows,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import { createTestDatabase } from '../support/test-database.ts';

const ROWS = 3_000;

const MARKINGS = ['UNCLASSIFIED', 'CONFIDENTIAL', 'SECRET'];

function flights(first: number, count: number, change: object = {}): object[] {
  return Array.from({ length: count }, (_, index) => ({
    item_id: `S-${String(first + index).padStart(5, '0')}`,
    flight_hours: index % 7,
    classification_marking: MARKINGS[index % MARKINGS.length],
    ...change,
  }));
}

const test = base
  /** Starts a program with a source of sorties and one of maintenance. */
  .extend('start', async ({ open }) => async (catalog?: Choice) => {
    const application = await open(startTestApplication({}, catalog === undefined ? {} : { catalog }));
    const { warehouseFolder } = application;
    await writeRows(warehouseFolder, 'sortie', flights(0, ROWS));
    await writeRows(warehouseFolder, 'repairs', [
      { item_id: 'M-1', aircraft_tail: 'AF-1' },
      { item_id: 'M-2', aircraft_tail: 'AF-2' },
    ]);
    await addSource(application);
    await addSource(application, { name: 'Repairs', dataType: 'maintenance', tableName: 'repairs' });
    return application;
  })
  .extend('program', async ({ start }) => start());

async function sync(
  { client }: TestApplication,
  { syncType = 'FULL', ...options }: JobOptionsInput & { syncType?: SyncType } = {},
): Promise<JobFactsFragment> {
  const { id } = await client.startSync({ syncType, options: { batchSize: 100, ...options } });
  return client.waitForEnd(id);
}

/** Every item of the store is uploaded, and in the catalog with its present content. */
async function expectWhole(application: TestApplication): Promise<readonly StoredItem[]> {
  const items = await storedItems(application);
  expect(items.filter(({ uploadedAt }) => uploadedAt === null)).toEqual([]);
  expect(await catalogContent(application)).toEqual(uploadedContent(items));
  return items;
}

/** What a service holds; JSON from the store has other white space. */
function contentIn({ items }: CatalogServer): Map<string, object> {
  return new Map(
    [...items].map(([name, { classificationMarking, data, metadata }]) => [
      name,
      { classificationMarking, data: JSON.parse(data), metadata: JSON.parse(metadata) },
    ]),
  );
}

async function countUploads({ catalogFolder }: TestApplication): Promise<number> {
  const text = await readFile(join(catalogFolder, 'uploads.ndjson'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '').length;
}

const allSucceeded = {
  state: 'COMPLETED',
  progress: { successCount: ROWS + 2, errorCount: 0, percent: 100 },
};

/** What can happen to a catalog's folder while nothing runs. */
const LOSSES: readonly [what: string, lose: (folder: string) => Promise<unknown>][] = [
  ['deleted', (folder) => rm(folder, { recursive: true })],
  ['moved away', (folder) => rename(folder, `${folder}-elsewhere`)],
  [
    'replaced by an empty one',
    async (folder) => {
      await rm(folder, { recursive: true });
      await mkdir(folder);
    },
  ],
  ['emptied of a data type', (folder) => rm(join(folder, 'sortie'), { recursive: true })],
  ['stripped of its generation', (folder) => rm(join(folder, 'generation.json'))],
  ['left with a damaged generation', (folder) => writeFile(join(folder, 'generation.json'), '{"id"')],
  [
    'stripped of some files',
    async (folder) => {
      const names = await readdir(join(folder, 'sortie'));
      for (const name of names.filter((_name, index) => index % 3 === 1))
        await rm(join(folder, 'sortie', name));
    },
  ],
  [
    'truncated in one of its files',
    async (folder) => {
      const path = await findSegment(folder);
      await truncate(path, Math.floor((await stat(path)).size / 2));
    },
  ],
  [
    'altered in one of its files',
    async (folder) => {
      const path = await findSegment(folder);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace('"itemId":"S-', '"itemId":"X-'));
    },
  ],
  [
    'emptied in one of its files',
    async (folder) => {
      await truncate(await findSegment(folder));
    },
  ],
];

async function findSegment(folder: string): Promise<string> {
  const [name = ''] = await readdir(join(folder, 'sortie'));
  return join(folder, 'sortie', name);
}

test('a copy of a catalog folder with other times of its files loses nothing', async ({
  program: application,
}) => {
  await sync(application);
  const uploads = await countUploads(application);
  for (const name of await readdir(join(application.catalogFolder, 'sortie')))
    await utimes(join(application.catalogFolder, 'sortie', name), new Date(0), new Date(0));
  await sync(application);
  expect(await countUploads(application)).toBe(uploads);
});

describe('a catalog folder that was', () => {
  test.for(LOSSES)(
    '%s is whole again after a FULL sync of unchanged rows',
    async ([, lose], { program: application }) => {
      expect(await sync(application)).toMatchObject(allSucceeded);
      await sync(application);
      const before = await expectWhole(application);
      await lose(application.catalogFolder);
      expect(await sync(application)).toMatchObject(allSucceeded);
      const after = await expectWhole(application);
      expect(after.map(({ writtenBy }) => writtenBy)).toEqual(before.map(({ writtenBy }) => writtenBy));
      const uploads = await countUploads(application);
      await sync(application);
      expect(await countUploads(application)).toBe(uploads);
      // The next start takes it.
      expect(await checkCatalogFolder(application.catalogFolder)).toEqual([]);
    },
  );

  test.for([1, 2, 3])(
    'replaced by an older copy is whole again after a sync (%i)',
    async (copies, { program: application }) => {
      const { catalogFolder, warehouseFolder } = application;
      await sync(application);
      const copy = `${catalogFolder}-copy`;
      await cp(catalogFolder, copy, { recursive: true });
      for (let edition = 1; edition <= copies; edition++) {
        await writeRows(warehouseFolder, 'sortie', [
          ...flights(0, 500, { mission_status: `EDITION ${edition}` }),
          ...flights(500, ROWS - 500 + edition),
        ]);
        await sync(application);
      }
      const uploads = await countUploads(application);
      await rm(catalogFolder, { recursive: true });
      await cp(copy, catalogFolder, { recursive: true });
      const kept = await countUploads(application);
      expect(kept).toBeLessThan(uploads);
      expect(await sync(application)).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
      await expectWhole(application);
      // Only what the copy lacks was uploaded again.
      expect(await countUploads(application)).toBeLessThanOrEqual(uploads);
    },
  );
});

test('an INCREMENTAL sync and a query job restore rows that they do not read', async ({
  program: application,
}) => {
  await sync(application);
  await rm(application.catalogFolder, { recursive: true });
  await writeRows(application.warehouseFolder, 'sortie', flights(0, 5));
  expect(await sync(application, { syncType: 'INCREMENTAL' })).toMatchObject({ state: 'COMPLETED' });
  expect(await expectWhole(application)).toHaveLength(ROWS + 2);
  const { id } = await application.client.startQueryJob({
    dataType: 'sortie',
    sqlQuery: "SELECT * FROM blade.field.sortie WHERE item_id = 'S-00001'",
  });
  await application.client.waitForEnd(id);
  await rm(application.catalogFolder, { recursive: true });
  await sync(application);
  expect(await expectWhole(application)).toHaveLength(ROWS + 2);
});

test.for(Array.from({ length: 4 }, (_, index) => index))(
  'a folder that is lost in the middle of a sync is whole at its end (%i)',
  async (_run, { program: application }) => {
    const { client, catalogFolder } = application;
    const chance = createChance();
    const lastUpload = 1 + chance.below(25);
    const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100, maxAttempts: 10 } });
    await vi.waitFor(async () => expect(await countUploads(application)).toBeGreaterThanOrEqual(lastUpload), {
      timeout: 20_000,
      interval: 5,
    });
    await rename(catalogFolder, `${catalogFolder}-gone`);
    const end = await client.waitForEnd(id);
    expect(end, `seed ${chance.seed}`).toMatchObject(allSucceeded);
    await expectWhole(application);
    const uploads = await countUploads(application);
    await sync(application);
    expect(await countUploads(application)).toBe(uploads);
  },
);

test('a job is not COMPLETED while its catalog cannot be restored', async ({ program: application }) => {
  const { client, catalogFolder } = application;
  await sync(application);
  await rm(catalogFolder, { recursive: true });
  await mkdir(catalogFolder);
  await writeFile(join(catalogFolder, 'thesis.txt'), 'of somebody else');
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100, maxAttempts: 1 } });
  const end = await client.waitForEnd(id);
  expect(end).toMatchObject({ state: 'FAILED' });
  expect(end.failureReason).toContain("The catalog's folder holds files, but no uploads.ndjson");
  expect(await readdir(catalogFolder)).toEqual(['thesis.txt']);
});

test('several workers that find the same loss upload each batch once', async ({ open }) => {
  const database = await open(createTestDatabase());
  const first = await open(startTestApplication({}, {}, database));
  const { catalogFolder, warehouseFolder } = first;
  const folders = { BLADE_CATALOG_FOLDER: catalogFolder, BLADE_WAREHOUSE_FOLDER: warehouseFolder };
  await open(startTestApplication({ ...folders, BLADE_ROLES: 'worker' }, {}, database));
  const tables = Array.from({ length: 8 }, (_, index) => `sortie_${index}`);
  for (const [index, tableName] of tables.entries()) {
    await writeRows(warehouseFolder, tableName, flights(index * 1_000, 400));
    await addSource(first, { name: tableName, tableName });
  }
  expect(await sync(first)).toMatchObject({ state: 'COMPLETED' });
  const uploads = await countUploads(first);
  for (let round = 0; round < 2; round++) {
    await rm(catalogFolder, { recursive: true });
    expect(await sync(first)).toMatchObject({ state: 'COMPLETED', progress: { successCount: 3_200 } });
    await expectWhole(first);
    expect(await countUploads(first)).toBe(uploads);
  }
});

test('a part that is lost after some sources of a sync have ended is whole when the sync ends', async ({
  program: application,
}) => {
  const { client, catalogFolder, warehouseFolder } = application;
  const tables = Array.from({ length: 4 }, (_, index) => `sortie_${index}`);
  for (const [index, tableName] of tables.entries()) {
    await writeRows(warehouseFolder, tableName, flights(10_000 + index * 1_000, 200));
    await addSource(application, { name: tableName, tableName });
  }
  await sync(application);
  for (const [index, tableName] of tables.entries())
    await writeRows(
      warehouseFolder,
      tableName,
      flights(10_000 + index * 1_000, 200, { mission_id: 'CHANGED' }),
    );
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 1 } });
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (jobProgress.progress.completedSources > 0) break;
  expect((await client.send(PauseJob, { input: { id } })).pauseJob.__typename).toBe('PauseJobSuccess');
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (jobProgress.state === 'PAUSED') break;
  await rm(join(catalogFolder, 'maintenance'), { recursive: true });
  await client.send(ResumeJob, { input: { id } });
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
  await expectWhole(application);
});

test('two catalogs that are used in turn are each whole', async ({ open, folder }) => {
  const database = await open(createTestDatabase());
  const warehouse = join(folder, 'warehouse');
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  let edition = 0;
  async function syncTo(catalogFolder: string): Promise<void> {
    const application = await startTestApplication(
      { BLADE_CATALOG_FOLDER: catalogFolder, BLADE_WAREHOUSE_FOLDER: warehouse },
      {},
      database,
    );
    try {
      edition++;
      await writeRows(warehouse, 'sortie', [
        ...flights(0, 100, { mission_status: `EDITION ${edition}` }),
        ...flights(100, 400),
      ]);
      if (edition === 1) await addSource(application);
      expect(await sync(application)).toMatchObject({ state: 'COMPLETED', progress: { successCount: 500 } });
      await expectWhole({ ...application, catalogFolder });
    } finally {
      await application.close();
    }
  }
  for (const catalogFolder of [a, b, a, a, b]) await syncTo(catalogFolder);
});

describe('a catalog service', () => {
  const testHttp = test
    .extend('server', ({ open }) => open(startCatalogServer()))
    .extend('program', async ({ start, server }) => start(server.choice));

  testHttp(
    'that was reset while idle holds everything again after a sync',
    async ({ program: application, server }) => {
      await sync(application);
      const before = contentIn(server);
      expect(before.size).toBe(ROWS + 2);
      server.reset();
      expect(await sync(application)).toMatchObject(allSucceeded);
      expect(contentIn(server)).toEqual(before);
      const requests = server.requests.length;
      await sync(application);
      expect(server.requests.length).toBe(requests);
    },
  );

  testHttp(
    'that is reset in the middle of a sync holds everything at its end',
    async ({ program: application, server }) => {
      let isReset = false;
      server.answerWith(({ ordinal }) => {
        if (ordinal > 1_000 && !isReset) {
          isReset = true;
          server.reset();
        }
        return null;
      });
      expect(await sync(application)).toMatchObject(allSucceeded);
      expect(isReset).toBe(true);
      expect(server.items.size).toBe(ROWS + 2);
    },
  );

  testHttp(
    'that refuses to take an item back keeps the job from COMPLETED',
    async ({ program: application, server }) => {
      const { client, warehouseFolder } = application;
      await sync(application);
      server.reset();
      await writeRows(warehouseFolder, 'sortie', flights(0, 10));
      server.answerWith(({ item }) => (item.itemId === 'S-02999' ? { status: 400, body: 'no' } : null));
      const { id } = await client.startSync({
        syncType: 'FULL',
        options: { batchSize: 100, maxAttempts: 1 },
      });
      const end = await client.waitForEnd(id);
      expect(end.state).toBe('FAILED');
      expect(end.failureReason).toContain('1 of them could not be uploaded again: The catalog answered 400');
      server.answerWith(() => null);
      expect(await sync(application)).toMatchObject({ state: 'COMPLETED' });
      expect(server.items.size).toBe(ROWS + 2);
    },
  );
});

const testWithout = test
  .extend('server', ({ open }) => open(startCatalogServer({ hasGeneration: false })))
  .extend('program', async ({ start, server }) => start(server.choice));

testWithout(
  'a service without generations is trusted to keep what it accepted',
  async ({ program: application, server }) => {
    await sync(application);
    const requests = server.requests.length;
    expect(await sync(application)).toMatchObject(allSucceeded);
    expect(server.requests.length).toBe(requests);
  },
);
