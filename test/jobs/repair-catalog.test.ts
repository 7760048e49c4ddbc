import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { checkCatalogFolder } from '../../src/catalog/folder/folder-check.ts';
import type { Choice } from '../../src/shared/definition.ts';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { createApiClient } from '../support/api-client.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { type CatalogItem, readFolderCatalog } from '../support/folder-catalog.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { test as base } from '../support/on-server.ts';
import { JobErrors, RepairCatalog, RetryJob } from '../support/operations.ts';
import { addSource, storedItems, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ROWS = 1_000;

const MARKINGS = ['UNCLASSIFIED', 'CONFIDENTIAL', 'SECRET'] as const;

const flights = Array.from({ length: ROWS }, (_, index) => ({
  item_id: `S-${String(index).padStart(4, '0')}`,
  flight_hours: index / 4,
  mission_status: `état ${index} "quoted"\n🛩️`,
  classification_marking: MARKINGS[index % MARKINGS.length],
}));

const repairs = Array.from({ length: 50 }, (_, index) => ({ item_id: `M-${index}`, aircraft_tail: 'AF-1' }));

const test = base
  /** Starts a program that has synced sorties and maintenance. */
  .extend('start', async ({ open }) => async (catalog?: Choice) => {
    const program = await open(startTestApplication({}, catalog === undefined ? {} : { catalog }));
    await writeRows(program.warehouseFolder, 'sortie', flights);
    await writeRows(program.warehouseFolder, 'repairs', repairs);
    await addSource(program);
    await addSource(program, { name: 'Repairs', dataType: 'maintenance', tableName: 'repairs' });
    const { id } = await program.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    expect(await program.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    return program;
  })
  .extend('program', ({ start }) => start())
  .extend('server', ({ open }) => open(startCatalogServer()))
  .extend('withService', ({ start, server }) => start(server.choice));

async function startRepair({ client }: Pick<TestApplication, 'client'>): Promise<string> {
  const { repairCatalog } = await client.send(RepairCatalog, {});
  if (repairCatalog.__typename !== 'RepairCatalogSuccess') throw new Error(JSON.stringify(repairCatalog));
  return repairCatalog.job.id;
}

async function repair(program: TestApplication): Promise<JobFactsFragment> {
  return program.client.waitForEnd(await startRepair(program));
}

/** The folder holds exactly what the store does: marking, content, data and metadata of each item. */
async function expectWhole(program: TestApplication): Promise<void> {
  const stored = await storedItems(program);
  expect(stored.filter(({ uploadedAt }) => uploadedAt === null)).toEqual([]);
  const held = new Map<string, CatalogItem>();
  for await (const item of readFolderCatalog(program.catalogFolder)) held.set(item.catalogId, item);
  expect(held.size).toBe(stored.length);
  for (const { dataType, itemId, marking, contentHash, data, metadata } of stored) {
    const expected = { dataType, itemId, classificationMarking: marking, contentHash, data };
    expect(held.get(`BLADE-${dataType}-${itemId}`)).toMatchObject(expected);
    expect(held.get(`BLADE-${dataType}-${itemId}`)?.metadata).toMatchObject(metadata);
  }
  expect(await checkCatalogFolder(program.catalogFolder)).toEqual([]);
}

const compared = (restored: number) => ({
  kind: 'REPAIR',
  state: 'COMPLETED',
  progress: {
    ...{ percent: 100, totalItems: ROWS + 50, processedItems: ROWS + 50, successCount: ROWS + 50 },
    ...{ errorCount: 0, restoredCount: restored },
  },
});

async function changeLines(path: string, change: (lines: string[]) => string[]): Promise<void> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  await writeFile(
    path,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

async function firstSegment({ catalogFolder }: TestApplication): Promise<string> {
  const [name = ''] = (await readdir(join(catalogFolder, 'sortie'))).toSorted();
  return join(catalogFolder, 'sortie', name);
}

describe('a repair', () => {
  test('of a whole catalog uploads nothing', async ({ program }) => {
    const uploads = await readFile(join(program.catalogFolder, 'uploads.ndjson'), 'utf8');
    expect(await repair(program)).toMatchObject(compared(0));
    expect(await readFile(join(program.catalogFolder, 'uploads.ndjson'), 'utf8')).toBe(uploads);
    await expectWhole(program);
  });

  test('restores an item that was deleted, one that is damaged and one with an old content', async ({
    program,
  }) => {
    await changeLines(await firstSegment(program), ([_deleted, damaged = '', old = '', ...rest]) => [
      `${damaged.slice(0, 40)}#${damaged.slice(41, 90)}`,
      old.replace('état', 'autre état'),
      ...rest,
    ]);
    expect(await repair(program)).toMatchObject(compared(3));
    await expectWhole(program);
    expect(await repair(program)).toMatchObject(compared(0));
  });

  test('restores a whole folder that is gone, and counts it', async ({ program }) => {
    await rm(program.catalogFolder, { recursive: true });
    expect(await repair(program)).toMatchObject(compared(ROWS + 50));
    await expectWhole(program);
  });

  test('is one at a time, and can be cancelled, retried and listed', async ({ program }) => {
    const { client } = program;
    await rm(program.catalogFolder, { recursive: true });
    const ids = await Promise.allSettled(Array.from({ length: 5 }, () => startRepair(program)));
    const [first, ...others] = ids.filter(({ status }) => status === 'fulfilled');
    if (first?.status !== 'fulfilled') throw new Error('none was started');
    expect(others).toEqual([]);
    expect(JSON.stringify(ids.map((one) => (one.status === 'rejected' ? String(one.reason) : '')))).toContain(
      'RepairAlreadyRunningError',
    );
    await client.cancelJob(first.value);
    const end = await client.waitForEnd(first.value);
    expect(['CANCELLED', 'COMPLETED']).toContain(end.state);
    const { retryJob } = await client.send(RetryJob, { input: { id: first.value, mode: 'ALL' } });
    if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
    expect(await client.waitForEnd(retryJob.job.id)).toMatchObject({ kind: 'REPAIR', state: 'COMPLETED' });
    await expectWhole(program);
  });
});

const fuzz = fuzzParameters(0.02, 'repair');

/** Ways to damage a segment. */
const DAMAGES: readonly ((path: string, chance: Chance) => Promise<unknown>)[] = [
  (path) => rm(path),
  async (path, chance) => {
    const bytes = await readFile(path);
    for (let count = 1 + chance.below(20); count > 0; count--)
      bytes[chance.below(bytes.length)] = chance.below(256);
    await writeFile(path, bytes);
  },
  async (path, chance) => truncate(path, chance.below((await readFile(path)).length)),
  (path) => changeLines(path, (lines) => lines.filter((_line, index) => index % 3 !== 0)),
  (path) =>
    changeLines(path, (lines) =>
      lines.map((line) => line.replace(/"flight_hours":[0-9.]+/, '"flight_hours":-1')),
    ),
  (path) => changeLines(path, (lines) => lines.map((line) => line.replace('"SECRET"', '"UNCLASSIFIED"'))),
  (path) => writeFile(path, ''),
];

test.for(Array.from({ length: fuzz.numRuns }, (_, run) => fuzz.seed + run))(
  'random damage of the folder is repaired from the store (seed %i)',
  async (seed, { program }) => {
    const chance = createChance(seed);
    for (const dataType of ['sortie', 'maintenance']) {
      for (const name of (await readdir(join(program.catalogFolder, dataType))).toSorted()) {
        const [first, ...others] = DAMAGES;
        if (first === undefined || chance.below(2) === 0) continue;
        await chance.oneOf([first, ...others])(join(program.catalogFolder, dataType, name), chance);
      }
    }
    const end = await repair(program);
    expect(end, `seed ${chance.seed}`).toMatchObject(compared(end.progress.restoredCount ?? -1));
    await expectWhole(program);
    expect(await repair(program)).toMatchObject(compared(0));
  },
);

test('a folder that is lost in the middle of a repair is whole at its end', async ({ program }) => {
  const { client, catalogFolder } = program;
  await rm(join(catalogFolder, 'sortie'), { recursive: true });
  const id = await startRepair(program);
  await vi.waitFor(async () => expect(await readdir(catalogFolder)).toContain('sortie'), {
    interval: 1,
    timeout: 10_000,
  });
  await rm(catalogFolder, { recursive: true, force: true, maxRetries: 5 });
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
  await expectWhole(program);
});

describe('with a catalog service, a repair', () => {
  test('restores what is missing or different, and lists what is refused', async ({
    withService: program,
    server,
  }) => {
    expect(await repair(program)).toMatchObject(compared(0));
    server.damage('BLADE:sortie/S-0001', null);
    server.damage('BLADE:sortie/S-0002', { data: '{"item_id":"S-0002"}' });
    server.damage('BLADE:sortie/S-0005', { classificationMarking: 'UNCLASSIFIED' });
    server.damage('BLADE:maintenance/M-7', { metadata: '{}' });
    server.damage('BLADE:maintenance/M-8', null);
    server.answerWith(({ item }) => (item.itemId === 'M-8' ? { status: 400, body: 'no' } : null));
    const end = await repair(program);
    expect(end).toMatchObject({
      state: 'COMPLETED',
      progress: { processedItems: ROWS + 50, restoredCount: 4, errorCount: 1, successCount: ROWS + 49 },
    });
    const { job } = await program.client.send(JobErrors, { id: end.id });
    expect(job?.errors.edges).toMatchObject([
      { node: { stage: 'UPLOAD', dataType: 'maintenance', itemId: 'M-8' } },
    ]);
    server.answerWith(() => null);
    const { retryJob } = await program.client.send(RetryJob, { input: { id: end.id, mode: 'FAILED_ITEMS' } });
    if (retryJob.__typename !== 'RetryJobSuccess') throw new Error(JSON.stringify(retryJob));
    expect(await program.client.waitForEnd(retryJob.job.id)).toMatchObject({
      state: 'COMPLETED',
      progress: { restoredCount: 1, errorCount: 0 },
    });
    expect(server.items.size).toBe(ROWS + 50);
    expect(await repair(program)).toMatchObject(compared(0));
  });
});

test.extend('server', ({ open }) => open(startCatalogServer({ hasLookup: false })))(
  'a repair fails with the reason if the service cannot say what it holds',
  async ({ withService: program }) => {
    expect(await repair(program)).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringContaining('The catalog cannot say which items it holds'),
    });
  },
);

test('items above the clearance of who starts a repair are restored, and neither counted nor named', async ({
  open,
  server,
}) => {
  const program = await open(startTestApplication(SECRET_SETTINGS, { catalog: server.choice }));
  const clientFor = async (clearance: string) =>
    open(Promise.resolve(createApiClient(program.url, await bearer({ role: 'admin', clearance }))));
  const [all, some] = [await clientFor('TOP SECRET'), await clientFor('CONFIDENTIAL')];
  await writeRows(program.warehouseFolder, 'sortie', flights.slice(0, 300));
  await addSource({ client: all });
  await all.waitForEnd((await all.startSync({ syncType: 'FULL' })).id);
  expect(server.items.size).toBe(300);
  // Marked UNCLASSIFIED, CONFIDENTIAL and SECRET in turn.
  for (let index = 0; index < 12; index++) {
    server.damage(`BLADE:sortie/S-${String(index).padStart(4, '0')}`, null);
  }
  const refused = new Set(['S-0001', 'S-0002']);
  server.answerWith(({ item }) => (refused.has(item.itemId) ? { status: 400, body: item.itemId } : null));
  const id = await startRepair({ client: some });
  const end = await some.waitForEnd(id);
  expect(end).toMatchObject({
    state: 'COMPLETED',
    progress: { processedItems: 200, successCount: 199, errorCount: 1, restoredCount: 7 },
    recentErrors: [expect.stringContaining('S-0001')],
  });
  const { job } = await some.send(JobErrors, { id });
  expect(job?.errors.edges).toMatchObject([{ node: { itemId: 'S-0001' } }]);
  expect(JSON.stringify(end)).not.toContain('S-0002');
  expect(await all.waitForEnd(id)).toMatchObject({
    progress: { processedItems: 300, successCount: 298, errorCount: 2, restoredCount: 10 },
  });
  expect(server.items.size).toBe(298);
});

test('an operator cannot retry a repair, which only an admin may start', async ({ open }) => {
  const program = await open(startTestApplication(SECRET_SETTINGS));
  const clientFor = async (role: string) =>
    open(Promise.resolve(createApiClient(program.url, await bearer({ role, clearance: 'TOP SECRET' }))));
  const [admin, operator] = [await clientFor('admin'), await clientFor('operator')];
  const id = await startRepair({ client: admin });
  expect(await admin.waitForEnd(id)).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 0 } });
  const { retryJob } = await operator.send(RetryJob, { input: { id, mode: 'ALL' } });
  expect(retryJob).toMatchObject({ __typename: 'ForbiddenError' });
  const { rows } = await program.database.pool.query(
    'select operation, outcome::text from audit_entry order by time, id',
  );
  expect(rows).toEqual([
    { operation: 'repairCatalog', outcome: 'DONE' },
    { operation: 'retryJob', outcome: 'REFUSED' },
  ]);
});
