import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { countItems } from '../support/data-folders.ts';
import { readTree } from '../support/folder-tree.ts';
import { JobById } from '../support/operations.ts';
import type { Program } from '../support/program.ts';
import { test as base } from '../support/slow-on-embedded.ts';
import { addSource, catalogContent, writeSorties } from '../support/tables.ts';

const ROWS = 9_000;

const test = base
  /** Where tests have their data folders, backups and tables. */
  .extend('paths', ({ folder }) => ({
    data: join(folder, 'data'),
    restored: join(folder, 'restored'),
    warehouse: join(folder, 'warehouse'),
    file: join(folder, 'blade.backup'),
  }))
  /** Starts the program on a data folder. */
  .extend(
    'start',
    ({ paths, startProgram }) =>
      (data: string, settings: Record<string, string> = {}) =>
        startProgram({
          BLADE_DATA_FOLDER: data,
          BLADE_WAREHOUSE_FOLDER: paths.warehouse,
          BLADE_WORKER_THREADS: '2',
          ...settings,
        }),
  )
  /** Runs `blade` where no server is, on a data folder. */
  .extend(
    'bladeOn',
    ({ bladeWith }) =>
      (data: string, settings: Record<string, string> = {}) =>
        bladeWith({ BLADE_DATA_FOLDER: data, ...settings }),
  );

interface Job {
  readonly state: string;
  readonly progress: { readonly processedItems: number };
}

async function loadJob({ client }: Program, id: string): Promise<Job> {
  const { job } = await client.send(JobById, { id });
  if (job === null || job === undefined) throw new Error('There is no such job');
  return job;
}

/** What the catalog of a data folder holds. */
const catalogIn = (data: string) => catalogContent({ catalogFolder: join(data, 'catalog') });

/** Syncs everything. @returns how many items were uploaded. */
async function syncAll({ client }: Program): Promise<void> {
  const ended = await client.waitForEnd((await client.startSync({ syncType: 'FULL' })).id);
  expect(ended).toMatchObject({ state: 'COMPLETED', progress: { processedItems: ROWS, errorCount: 0 } });
}

test('a backup of a running sync restores into an empty folder, and the sync goes on there to its end', async ({
  paths,
  start,
  bladeOn,
  bladeWith,
}) => {
  await writeSorties(paths.warehouse, ROWS);
  const program = await start(paths.data);
  await addSource(program, { cursorColumn: 'updated_at' });
  const { id } = await program.client.startSync({
    syncType: 'FULL',
    options: { batchSize: 50, partitionRows: 4_000 },
  });
  await vi.waitFor(
    async () => expect((await loadJob(program, id)).progress.processedItems).toBeGreaterThan(500),
    { timeout: 60_000, interval: 20 },
  );
  const backedUp = await bladeWith({ BLADE_URL: program.url })('backup', paths.file);
  expect(backedUp).toMatchObject({ code: 0, err: expect.stringMatching(/^Backed up to \S+ \(\d+ bytes\)/) });
  const duringBackup = await loadJob(program, id);
  expect(duringBackup.state).toBe('RUNNING');
  expect((await stat(paths.file)).mode & 0o777).toBe(0o600);

  // The one that was backed up goes on, without a trace of the backup.
  expect((await program.client.waitForEnd(id)).state).toBe('COMPLETED');
  const { data } = await program.client.sendRaw(
    '{ auditEntries(filter: { operations: ["backup"] }) { edges { node { outcome } } } }',
  );
  expect(data).toEqual({ auditEntries: { edges: [{ node: { outcome: 'DONE' } }] } });
  await program.end('SIGTERM');
  const left = [
    ...(await readdir(join(paths.data, 'database'))),
    ...(await readdir(join(paths.data, 'catalog'))),
  ];
  expect(left.filter((name) => name.includes('backup'))).toEqual([]);

  const restored = await bladeOn(paths.restored)('restore', paths.file);
  expect(restored).toMatchObject({ code: 0, err: '' });
  const inBackup = await catalogIn(paths.restored);
  expect(inBackup.size).toBeGreaterThan(0);
  expect(inBackup.size).toBeLessThan(ROWS);
  const second = await start(paths.restored);
  expect((await loadJob(second, id)).progress.processedItems).toBeGreaterThan(0);
  expect((await second.client.waitForEnd(id)).state).toBe('COMPLETED');
  expect(await countItems(second)).toBe(ROWS);
  const whole = await catalogIn(paths.data);
  expect(whole.size).toBe(ROWS);
  expect(await catalogIn(paths.restored)).toEqual(whole);
  await syncAll(second);
  expect(await catalogIn(paths.restored)).toEqual(whole);
}, 240_000);

test('backups during a sync always hold in the catalog what the database has as uploaded', async ({
  paths,
  folder,
  start,
  bladeOn,
  bladeWith,
}) => {
  await writeSorties(paths.warehouse, ROWS);
  const program = await start(paths.data);
  await addSource(program, { cursorColumn: 'updated_at' });
  const { id } = await program.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
  const blade = bladeWith({ BLADE_URL: program.url });
  const files: string[] = [];
  while ((await loadJob(program, id)).state !== 'COMPLETED' && files.length < 4) {
    const file = join(folder, `backup-${files.length}`);
    expect(await blade('backup', file)).toMatchObject({ code: 0 });
    files.push(file);
  }
  await program.end('SIGTERM');
  for (const [index, file] of files.entries()) {
    const data = join(folder, `restored-${index}`);
    expect(await bladeOn(data)('restore', file)).toMatchObject({ code: 0 });
    const api = await start(data, { BLADE_ROLES: 'api' });
    const answer = await api.client.sendRaw(
      '{ items(first: 100) { edges { node { catalogId uploadedAt } } } }',
    );
    const items = answer.data?.items as
      | { edges: { node: { catalogId: string; uploadedAt: string | null } }[] }
      | undefined;
    const catalog = await catalogIn(data);
    const missing = items?.edges.filter(
      ({ node }) => node.uploadedAt !== null && !catalog.has(node.catalogId),
    );
    expect(missing).toEqual([]);
    await api.end('SIGTERM');
  }
}, 240_000);

describe('a data folder without a server', () => {
  test('is backed up and restored by the same commands, and is not changed by that', async ({
    paths,
    start,
    bladeOn,
  }) => {
    await writeSorties(paths.warehouse, 300);
    const program = await start(paths.data);
    await addSource(program, { cursorColumn: 'updated_at' });
    await program.client.waitForEnd((await program.client.startSync({ syncType: 'FULL' })).id);
    await program.end('SIGKILL');
    const before = await readTree(paths.data);
    const blade = bladeOn(paths.data, { BLADE_URL: '' });
    expect(await blade('backup', paths.file)).toMatchObject({ code: 0, err: '' });
    expect(await readTree(paths.data)).toEqual(before);
    expect((await stat(paths.file)).mode & 0o777).toBe(0o600);

    expect(await blade('backup', paths.file)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^\S+blade\.backup exists already: name another file/),
    });
    expect(await blade('restore', paths.file)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^\S+data is not empty: it holds .*BLADE_DATA_FOLDER to an empty folder\.\n$/,
      ),
    });
    expect(await readTree(paths.data)).toEqual(before);

    await mkdir(paths.restored);
    expect(await bladeOn(paths.restored)('restore', paths.file)).toMatchObject({ code: 0 });
    const second = await start(paths.restored);
    expect(await countItems(second)).toBe(300);
    expect(await catalogIn(paths.restored)).toEqual(await catalogIn(paths.data));
    await second.end('SIGTERM');

    // Cut off, altered, and something else.
    const whole = await readFile(paths.file);
    const damaged = join(paths.file, '..', 'damaged');
    const fresh = bladeOn(`${paths.restored}-fresh`);
    for (const length of [0, 20, whole.length >> 1, whole.length - 1]) {
      await writeFile(damaged, whole);
      await truncate(damaged, length);
      expect(await fresh('restore', damaged)).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^\S+damaged was not restored: it .*\.\n$/),
      });
      await expect(stat(`${paths.restored}-fresh`)).rejects.toThrow('ENOENT');
    }
    for (const share of [0.2, 0.5, 0.99]) {
      const altered = Buffer.from(whole);
      const at = Math.floor(altered.length * share);
      altered[at] = (altered[at] ?? 0) ^ 1;
      await writeFile(damaged, altered);
      expect((await fresh('restore', damaged)).code).toBe(1);
      await expect(stat(`${paths.restored}-fresh`)).rejects.toThrow('ENOENT');
    }
    expect(await fresh('restore', `${damaged}-none`)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/damaged-none does not exist\.\n$/),
    });
  }, 240_000);

  test('that does not exist, or is on a PostgreSQL server, is not backed up, and the command says what to do', async ({
    paths,
    bladeOn,
  }) => {
    expect(await bladeOn(paths.data)('backup', paths.file)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^there is no database in \S+data: set BLADE_DATA_FOLDER\.\n$/),
    });
    const onServer = bladeOn(paths.data, { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
    for (const command of ['backup', 'restore']) {
      expect(await onServer(command, paths.file)).toMatchObject({
        code: 1,
        err: expect.stringContaining('docs/operations.md, "Back up and restore"'),
      });
    }
  });
});

test('the program refuses a folder whose restore was killed', async ({ paths, start }) => {
  await mkdir(join(paths.data, 'restore-is-unfinished', 'database'), { recursive: true });
  await expect(start(paths.data)).rejects.toMatchObject({
    code: 1,
    complaint: expect.stringContaining('a restore into it runs, or has not ended'),
  });
});

test('only an admin whose clearance covers everything can back up, and refusals are in the audit', async ({
  paths,
  start,
  bladeWith,
}) => {
  const program = await start(paths.data, { ...SECRET_SETTINGS, BLADE_ROLES: 'api' });
  const blade = async (claims: Record<string, string>) =>
    bladeWith({
      BLADE_URL: program.url,
      BLADE_TOKEN: (await bearer(claims)).replace('Bearer ', ''),
    })('backup', paths.file);
  for (const claims of [
    { role: 'operator', clearance: 'TOP SECRET' },
    { role: 'admin', clearance: 'SECRET' },
  ]) {
    expect(await blade(claims)).toMatchObject({ code: 6, err: expect.stringContaining('role admin') });
  }
  expect(await bladeWith({ BLADE_URL: program.url })('backup', paths.file)).toMatchObject({ code: 6 });
  expect(await readdir(join(paths.file, '..'))).toEqual(['data']);
  expect(await blade({ role: 'admin', clearance: 'TOP SECRET' })).toMatchObject({ code: 0 });
});
