import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { CatalogError } from '../../src/catalog/catalog-error.ts';
import { openFolderCatalog } from '../../src/catalog/folder/catalog.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import { createItem } from '../../src/testing/catalog-item.ts';
import { type CatalogItem, readFolderCatalog } from '../support/folder-catalog.ts';
import type { WriterTask } from './writer.ts';

const { signal } = new AbortController();
let parent: string;
let folder: string;
let catalog: Catalog;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'folder-catalog-'));
  folder = join(parent, 'made', 'by itself');
  catalog = await openFolderCatalog({ folder });
});

afterEach(async () => {
  await catalog.close();
  await rm(parent, { recursive: true, force: true });
});

describe('an upload', () => {
  test('writes one segment a data type, with one item a line', async () => {
    const outcomes = await catalog.upload(
      {
        key: 'job-1.0',
        items: [createItem('1', { a: 1 }), createItem('2', {}, 'logistics'), createItem('3')],
      },
      signal,
    );
    expect(outcomes).toEqual([{ status: 'ACCEPTED' }, { status: 'ACCEPTED' }, { status: 'ACCEPTED' }]);
    const lines = (await readFile(join(folder, 'sortie', 'job-1.0.ndjson'), 'utf8')).split('\n');
    expect(lines).toEqual([expect.any(String), expect.any(String), '']);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      catalogId: 'BLADE-sortie-1',
      dataType: 'sortie',
      itemId: '1',
      classificationMarking: 'SECRET',
      contentHash: 'hash of {"a":1}',
      data: { a: 1 },
      metadata: { source: 'test' },
    });
    expect(await readdir(join(folder, 'logistics'))).toEqual(['job-1.0.ndjson']);
  });

  test('under the same key replaces the earlier one, also in data types that it no longer has', async () => {
    await catalog.upload(
      { key: 'k', items: [createItem('1'), createItem('2'), createItem('3', {}, 'logistics')] },
      signal,
    );
    await catalog.upload({ key: 'k', items: [createItem('2', { again: true })] }, signal);
    expect(await content()).toEqual({ 'sortie/2': { again: true } });
    expect(await readdir(join(folder, 'logistics'))).toEqual([]);
    await catalog.upload({ key: 'k', items: [] }, signal);
    expect(await content()).toEqual({});
  });

  test('of an item under another key counts as the later one, whatever the keys', async () => {
    await catalog.upload({ key: 'b', items: [createItem('1', { version: 1 })] }, signal);
    await catalog.upload({ key: 'a', items: [createItem('1', { version: 2 })] }, signal);
    expect(await content()).toEqual({ 'sortie/1': { version: 2 } });
    await catalog.upload({ key: 'b', items: [createItem('1', { version: 3 })] }, signal);
    expect(await content()).toEqual({ 'sortie/1': { version: 3 } });
    await catalog.upload({ key: 'b', items: [] }, signal);
    expect(await content()).toEqual({ 'sortie/1': { version: 2 } });
  });

  test('counts after an earlier one even if the clock was set back', async () => {
    await catalog.upload({ key: 'a', items: [createItem('1', { version: 1 })] }, signal);
    await utimes(join(folder, 'sortie', 'a.ndjson'), new Date('2199-01-01'), new Date('2199-01-01'));
    await catalog.upload({ key: 'b', items: [createItem('1', { version: 2 })] }, signal);
    expect(await content()).toEqual({ 'sortie/1': { version: 2 } });
  });

  test('keeps ids and texts of every kind', async () => {
    const ids = [
      '../../etc/passwd',
      'a"b\\c',
      'line\nfeed',
      '\u2028 and \u2029',
      '😀',
      '__proto__',
      '{"itemId":"x"}',
      '/',
    ];
    const data = { text: 'separators \u2028\u2029\r\n and "quotes"', long: 'é'.repeat(700_000) };
    await catalog.upload({ key: 'k', items: ids.map((id) => createItem(id, data)) }, signal);
    const items = await present();
    expect(items.map(({ itemId }) => itemId)).toEqual(ids);
    expect(items[0]?.data).toEqual(data);
  });

  test('accepts JSON that is spread over several lines', async () => {
    await catalog.upload({ key: 'k', items: [{ ...createItem('1'), data: '{\n  "a": 1\n}' }] }, signal);
    expect(await content()).toEqual({ 'sortie/1': { a: 1 } });
  });

  test.each(['', '.', '..', '../k', 'a/b', 'a\\b', '.hidden', 'a b', 'k\0', 'é', 'x'.repeat(201)])(
    'under the unsafe key %j is refused and writes nothing',
    async (key) => {
      await expect(catalog.upload({ key, items: [createItem('1')] }, signal)).rejects.toThrow(
        /key of a batch/,
      );
      expect((await readdir(folder)).toSorted()).toEqual(['generation.json', 'uploads.ndjson']);
    },
  );

  test('rejects an item whose data type cannot name a folder, and accepts the others', async () => {
    const outcomes = await catalog.upload(
      {
        key: 'k',
        items: [createItem('1', {}, '../outside'), createItem('2'), createItem('3', {}, 'uploads.ndjson')],
      },
      signal,
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['REJECTED', 'ACCEPTED', 'REJECTED']);
    expect(Object.keys(await content())).toEqual(['sortie/2']);
    expect(await readdir(parent)).toEqual(['made']);
  });

  test('that is aborted leaves the earlier one', async () => {
    await catalog.upload({ key: 'k', items: [createItem('1', { version: 1 })] }, signal);
    const reason = new Error('cancelled');
    const controller = new AbortController();
    const upload = catalog.upload({ key: 'k', items: [createItem('1', { version: 2 })] }, controller.signal);
    controller.abort(reason);
    await expect(upload).rejects.toBe(reason);
    await expect(catalog.upload({ key: 'k', items: [] }, controller.signal)).rejects.toBe(reason);
    expect(await content()).toEqual({ 'sortie/1': { version: 1 } });
    expect(await readdir(join(folder, 'sortie'))).toEqual(['k.ndjson']);
  });
});

test('several openers of one folder see the same items, whoever uploaded them', async () => {
  const other = await openFolderCatalog({ folder });
  await other.upload({ key: 'a', items: [createItem('1', { version: 1 })] }, signal);
  await catalog.upload({ key: 'b', items: [createItem('1', { version: 2 })] }, signal);
  await other.upload({ key: 'a', items: [] }, signal);
  expect(await content()).toEqual({ 'sortie/1': { version: 2 } });
  await other.close();
});

describe('a process that is killed', () => {
  test('before its segment is in place leaves the old content', async () => {
    await catalog.upload({ key: 'w', items: [createItem('S-0', { old: true })] }, signal);
    const code = await runProcess({
      folder,
      writer: 'w',
      batches: 1,
      itemsPerBatch: 1,
      sameKey: true,
      killBefore: 'rename',
    });
    expect(code).toBe('SIGKILL');
    expect(await readdir(join(folder, 'sortie'))).toEqual([expect.stringMatching(/^\..*\.tmp$/), 'w.ndjson']);
    expect(await content()).toEqual({ 'sortie/S-0': { old: true } });
  });

  test('before its upload counts leaves the old content, and uploading again brings the new one', async () => {
    await catalog.upload({ key: 'a', items: [createItem('S-0', { old: true })] }, signal);
    const task: WriterTask = { folder, writer: 'w', batches: 1, itemsPerBatch: 1 };
    expect(await runProcess({ ...task, killBefore: 'append' })).toBe('SIGKILL');
    expect(await content()).toEqual({ 'sortie/S-0': { old: true } });
    expect(await runProcess(task)).toBe(0);
    expect(await content()).toEqual({ 'sortie/S-0': { writer: 'w', batch: 0 } });
  });

  test('at any moment loses no upload that was complete', async () => {
    const process = startProcess({ folder, writer: 'w', batches: 1_000_000, itemsPerBatch: 200 });
    let uploaded = -1;
    for await (const line of createInterface(process.stdout)) {
      uploaded = Number(line);
      if (uploaded === 20) process.kill('SIGKILL');
    }
    const items = await present();
    expect(items).toHaveLength(200);
    expect(Number(items[0]?.data.batch)).toBeGreaterThanOrEqual(uploaded);
    expect(new Set(items.map(({ data }) => data.batch)).size).toBe(1);
  });

  test('leaves files that are removed once they are older than an hour', async () => {
    await mkdir(join(folder, 'sortie'));
    const old = join(folder, 'sortie', '.old.tmp');
    await writeFile(old, 'half a li');
    await utimes(old, new Date(Date.now() - 3_700_000), new Date(Date.now() - 3_700_000));
    await writeFile(join(folder, 'sortie', '.new.tmp'), 'half a li');
    await openFolderCatalog({ folder });
    expect(await readdir(join(folder, 'sortie'))).toEqual(['.new.tmp']);
    expect(await content()).toEqual({});
  });
});

test('a line that a full disk cut off spoils no other', async () => {
  await catalog.upload({ key: 'a', items: [createItem('1')] }, signal);
  await writeFile(join(folder, 'uploads.ndjson'), '\n{"key":"lost","data', { flag: 'a' });
  await catalog.upload({ key: 'b', items: [createItem('2')] }, signal);
  await writeFile(join(folder, 'uploads.ndjson'), '\n{"key":"../../x","dataTypes":[".."]}\n42\n', {
    flag: 'a',
  });
  expect(Object.keys(await content()).sort()).toEqual(['sortie/1', 'sortie/2']);
});

test('threads and processes write at once, and agree on which upload was the last', async () => {
  const tasks = ['a', 'b', 'c', 'd'].map((writer) => ({ folder, writer, batches: 15, itemsPerBatch: 100 }));
  const sameKeyTasks = ['same', 'same'].map((writer) => ({
    ...tasks[0],
    folder,
    writer,
    batches: 15,
    itemsPerBatch: 100,
    sameKey: true,
  }));
  const [a, b, ...inThreads] = [...tasks, ...sameKeyTasks];
  const ends = await Promise.all(
    [a, b].map((task) => task && runProcess(task)).concat(inThreads.map(runThread)),
  );
  expect(ends).toEqual([0, 0, 0, 0, 0, 0]);

  const items = await present();
  expect(items.map(({ itemId }) => itemId).sort()).toEqual(
    Array.from({ length: 100 }, (_, index) => `S-${index}`).sort(),
  );
  expect(new Set(items.map(({ contentHash }) => contentHash)).size).toBe(1);
  const lines = (await readFile(join(folder, 'uploads.ndjson'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '');
  expect(lines).toHaveLength(90);
  expect(JSON.parse(lines.at(-1) ?? '').key).toContain(String(items[0]?.data.writer));

  await catalog.upload({ key: '0', items: [createItem('S-0', { last: true })] }, signal);
  expect((await content())['sortie/S-0']).toEqual({ last: true });
});

describe('a fault of the folder', () => {
  test('rejects with a reason and without the path', async () => {
    const file = join(parent, 'file');
    await writeFile(file, '');
    const opening = openFolderCatalog({ folder: join(file, 'inside') });
    await expect(opening).rejects.toThrow(
      new CatalogError("The catalog's folder could not be opened: it is not a folder."),
    );

    await writeFile(join(folder, 'sortie'), 'in the way');
    const upload = catalog.upload({ key: 'k', items: [createItem('1')] }, signal);
    await expect(upload).rejects.toBeInstanceOf(CatalogError);
    await expect(upload).rejects.toThrow(/could not be written: it is not a folder\.$/);
  });

  test.skipIf(process.getuid?.() === 0)(
    'such as a missing permission leaves the earlier content',
    async () => {
      await catalog.upload({ key: 'k', items: [createItem('1')] }, signal);
      await chmod(join(folder, 'sortie'), 0o500);
      const upload = catalog.upload({ key: 'k', items: [createItem('2')] }, signal);
      await expect(upload).rejects.toThrow(
        new CatalogError("The catalog's folder could not be written: permission denied."),
      );
      await chmod(join(folder, 'sortie'), 0o700);
      expect(Object.keys(await content())).toEqual(['sortie/1']);
    },
  );
});

async function present(): Promise<CatalogItem[]> {
  return await Array.fromAsync(readFolderCatalog(folder));
}

/** The data of each item by its data type and id. */
async function content(): Promise<Record<string, JsonObject>> {
  const items = await present();
  const content = Object.fromEntries(
    items.map(({ dataType, itemId, data }) => [`${dataType}/${itemId}`, data]),
  );
  expect(Object.keys(content)).toHaveLength(items.length);
  return content;
}

const writerPath = fileURLToPath(new URL('./writer.ts', import.meta.url));

function startProcess(task: WriterTask) {
  return spawn(process.execPath, [writerPath, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Resolves to the exit code or the signal that ended it. */
async function runProcess(task: WriterTask): Promise<unknown> {
  const child = startProcess(task);
  child.stdout.resume();
  const [code, endingSignal] = await once(child, 'close');
  return endingSignal ?? code;
}

async function runThread(task: WriterTask): Promise<unknown> {
  const [code] = await once(new Worker(writerPath, { workerData: JSON.stringify(task) }), 'exit');
  return code;
}

describe('a removal', () => {
  test('that is killed between two files leaves an upload that counts as lost, and can be repeated', async () => {
    await catalog.upload({ key: 'k', items: [createItem('1'), createItem('2')] }, signal);
    const path = join(folder, 'sortie', 'k.ndjson');
    const [, kept] = (await readFile(path, 'utf8')).split('\n');
    await writeFile(path, `${kept}\n`);
    const other = await openFolderCatalog({ folder });
    expect(await other.findMissingUploads?.(['k'], signal)).toEqual(['k']);
    expect(await other.remove?.([createItem('1')], signal)).toEqual([{ status: 'REMOVED' }]);
    await other.upload({ key: 'l', items: [createItem('2')] }, signal);
    const left: string[] = [];
    for await (const { itemId } of readFolderCatalog(folder)) left.push(itemId);
    expect(left).toEqual(['2']);
    await other.close();
  });

  test('leaves no temporary file, keeps empty uploads, and spares a segment that has none of the items', async () => {
    await catalog.upload({ key: 'k', items: [createItem('1')] }, signal);
    await catalog.upload({ key: 'l', items: [createItem('2')] }, signal);
    const untouched = await readFile(join(folder, 'uploads.ndjson'), 'utf8');
    await catalog.remove?.([createItem('3'), createItem('1', {}, 'logistics')], signal);
    expect(await readFile(join(folder, 'uploads.ndjson'), 'utf8')).toBe(untouched);
    await catalog.remove?.([createItem('1')], signal);
    expect((await readdir(join(folder, 'sortie'))).sort()).toEqual(['k.ndjson', 'l.ndjson']);
    expect(await readFile(join(folder, 'sortie', 'k.ndjson'), 'utf8')).toBe('');
    const other = await openFolderCatalog({ folder });
    expect(await other.findMissingUploads?.(['k', 'l', 'm'], signal)).toEqual(['m']);
    await other.close();
  });
});
