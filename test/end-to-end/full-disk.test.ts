import { join } from 'node:path';
import { describe, expect, vi } from 'vitest';
import { countItems } from '../support/data-folders.ts';
import { JobById } from '../support/operations.ts';
import type { Program } from '../support/program.ts';
import { test as base } from '../support/slow-on-embedded.ts';
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import { addSource, catalogContent, writeQuery, writeSorties } from '../support/tables.ts';

const ROWS = 9_000;

/** A wait that a full disk makes longer, on a machine that does much else. */
const PATIENCE = { timeout: 120_000, interval: 200 };

const test = base
  /** A disk that can be filled; the test is skipped where none can be mounted. */
  .extend('mount', ({ skip }, { onCleanup }) => async (megabytes: number): Promise<SmallDisk> => {
    const disk = (await mountSmallDisk(megabytes)) ?? skip('no disk can be mounted here');
    onCleanup(() => disk.remove());
    return disk;
  })
  .extend(
    'start',
    ({ folder, startProgram }) =>
      (settings: Record<string, string>) =>
        startProgram({
          BLADE_DATA_FOLDER: join(folder, 'data'),
          BLADE_WAREHOUSE_FOLDER: join(folder, 'warehouse'),
          BLADE_WORKER_THREADS: '2',
          ...settings,
        }),
  );

/** What `/health/ready` answers. */
async function askReadiness({ url }: Program): Promise<{ status: number; disk: unknown }> {
  const response = await fetch(new URL('/health/ready', url));
  const { parts } = (await response.json()) as { parts: { disk?: unknown } };
  return { status: response.status, disk: parts.disk };
}

/** Starts a sync whose one attempt may not fail, and waits until it has saved something. */
async function startSync(program: Program): Promise<string> {
  await addSource(program, { cursorColumn: 'updated_at' });
  const options = { batchSize: 20, maxAttempts: 1 };
  const { id } = await program.client.startSync({ syncType: 'FULL', options });
  await vi.waitFor(async () => {
    const { job } = await program.client.send(JobById, { id });
    expect(job?.progress.processedItems).toBeGreaterThan(0);
  }, PATIENCE);
  return id;
}

describe('while a disk is full', () => {
  test.for([
    ['the database, which cannot extend a table,', 0, 'the database'],
    ['the database, which crashes without the next file of its log,', 12_000_000, 'the database'],
  ] as const)(
    'of %s the process is not ready and says why, and its job goes on once there is space',
    { timeout: 300_000 },
    async ([, leftBytes, name], { folder, mount, start }) => {
      const disk = await mount(400);
      await writeSorties(join(folder, 'warehouse'), 60_000);
      const program = await start({
        BLADE_DATA_FOLDER: join(disk.folder, 'data'),
        BLADE_CATALOG_FOLDER: join(folder, 'catalog'),
      });
      await addSource(program, { cursorColumn: 'updated_at' });
      const { id } = await program.client.startSync({ syncType: 'FULL', options: { maxAttempts: 1 } });
      disk.fill(leftBytes);
      await vi.waitFor(() => {
        expect(program.lines.join('\n')).toMatch(/waiting for space: /);
      }, PATIENCE);
      expect(await askReadiness(program)).toEqual({
        status: 503,
        disk: { ok: false, message: expect.stringContaining(`the disk of ${name} is full`) },
      });
      disk.free();
      await vi.waitFor(async () => {
        const { job } = await program.client.send(JobById, { id });
        expect(job).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 60_000 } });
      }, PATIENCE);
      await vi.waitFor(
        async () => expect(await askReadiness(program)).toEqual({ status: 200, disk: { ok: true } }),
        PATIENCE,
      );
      expect((await catalogContent({ catalogFolder: join(folder, 'catalog') })).size).toBe(60_000);
      expect(await program.end('SIGTERM')).toEqual({ code: 0 });
    },
  );

  test('of the catalog, the job waits with the items saved, and uploads them once there is space', async ({
    folder,
    mount,
    start,
  }) => {
    const disk = await mount(50);
    await writeSorties(join(folder, 'warehouse'), ROWS);
    const catalogFolder = join(disk.folder, 'catalog');
    const program = await start({ BLADE_CATALOG_FOLDER: catalogFolder });
    const id = await startSync(program);
    disk.fill(0);
    await vi.waitFor(() => {
      expect(program.lines.join('\n')).toMatch(/waiting for space: the disk of the catalog is full/);
    }, PATIENCE);
    expect(await askReadiness(program)).toMatchObject({ status: 503 });
    const { job } = await program.client.send(JobById, { id });
    expect(job).toMatchObject({ state: 'RUNNING' });
    disk.free();
    expect(await program.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { processedItems: ROWS, errorCount: 0 },
    });
    expect(await countItems(program)).toBe(ROWS);
    expect((await catalogContent({ catalogFolder })).size).toBe(ROWS);
    expect(await askReadiness(program)).toEqual({ status: 200, disk: { ok: true } });
  }, 300_000);

  test('of temporary files, a query that does not fit in memory waits, and can be cancelled or goes on', async ({
    folder,
    mount,
    start,
  }) => {
    const disk = await mount(1_500);
    await writeQuery(
      join(folder, 'warehouse'),
      'sortie',
      "SELECT 'S' || i AS item_id, md5(i::VARCHAR) || md5((i + 1)::VARCHAR) || md5((i + 2)::VARCHAR) AS remarks FROM range(6000000) t(i)",
    );
    const program = await start({ TMPDIR: disk.folder });
    await addSource(program);
    disk.fill(0);
    const query = {
      dataType: 'sortie',
      sqlQuery:
        'SELECT item_id, remarks FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY remarks) AS n FROM blade.field.sortie) AS numbered WHERE n <= 50',
      options: { maxAttempts: 1 },
    };
    const first = await program.client.startQueryJob(query);
    await vi.waitFor(() => {
      expect(program.lines.join('\n')).toMatch(/waiting for space: the disk of .*temporary files is full/);
    }, PATIENCE);
    expect(await askReadiness(program)).toMatchObject({ status: 503 });
    await program.client.cancelJob(first.id);
    expect((await program.client.waitForEnd(first.id)).state).toBe('CANCELLED');
    const second = await program.client.startQueryJob(query);
    disk.free();
    expect(await program.client.waitForEnd(second.id)).toMatchObject({
      state: 'COMPLETED',
      progress: { processedItems: 50 },
    });
  }, 300_000);
});
