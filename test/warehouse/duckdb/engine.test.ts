import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JsonValue } from '../../../src/shared/json.ts';
import type { KeptRows, Warehouse } from '../../../src/warehouse/warehouse.ts';
import { folderWarehouse } from '../folder-warehouse.ts';
import { never, statement } from '../reading.ts';
import { findEngines } from './find-engines.ts';

/** The only engine of a warehouse, which has just answered. */
async function findEngine(warehouse: Warehouse): Promise<number> {
  const before = new Set(findEngines().map(({ pid }) => pid));
  await warehouse.countRows(statement('SELECT 1 AS one'), never);
  const started = findEngines().find(({ pid }) => !before.has(pid));
  if (started === undefined) throw new Error('no engine was started');
  return started.pid;
}

function listTemporaryFolders(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^blade-warehouse-[0-9a-f]{8}-/.test(name));
}

/** A statement that works for years, without growing. */
const ENDLESS = 'SELECT COUNT(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.id + b.id = -1';

/** A sort that goes on for long, and writes to the temporary folder. */
const SPILLING = `SELECT md5(CAST(a.id AS STRING)) AS text, b.id FROM range(3000) a, range(3000) b ORDER BY text`;

/** The memory of an engine that makes it write there after a second, not after ten on a busy machine. */
const SPILLS_SOON = { memoryMegabytes: 500 };

async function readAll(warehouse: Warehouse, sql: string, signal = never): Promise<number> {
  const options = { batchSize: 1_000, resumeAfter: null, signal };
  let rows = 0;
  for await (const batch of (await warehouse.readRows(statement(sql), options)).batches) rows += batch.size;
  return rows;
}

describe('the end of an engine', () => {
  test.each(['SIGKILL', 'SIGSEGV', 'SIGABRT'] as const)(
    'by %s ends its statement with a reason; the next one runs, and no file stays',
    async (signal) => {
      const { warehouse } = await folderWarehouse(SPILLS_SOON);
      const pid = await findEngine(warehouse);
      const before = listTemporaryFolders();
      const failing = readAll(warehouse, SPILLING).catch((error: unknown) => error);
      await vi.waitFor(() => expect(listTemporaryFolders().length).toBeGreaterThan(before.length), 60_000);
      process.kill(pid, signal);
      expect(await failing).toMatchObject(
        signal === 'SIGKILL'
          ? { code: 'INTERRUPTED', message: 'The engine of the statement was ended from outside (SIGKILL).' }
          : { code: 'STATEMENT_FAILED', message: expect.stringContaining(`crashed its engine (${signal})`) },
      );
      expect(listTemporaryFolders()).toEqual(before);
      expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
    },
  );

  test('in the middle of a read ends the read, after whole batches', async () => {
    const { warehouse, write } = await folderWarehouse({});
    await write('many.parquet', 'SELECT i AS id FROM range(1000000) t(i)');
    const pid = await findEngine(warehouse);
    const options = { batchSize: 500, resumeAfter: null, signal: never };
    const { batches } = await warehouse.readRows(statement('SELECT * FROM blade.field.many'), options);
    const sizes: number[] = [];
    const read = async () => {
      for await (const { rows } of batches) {
        if (sizes.push(rows.length) === 3) process.kill(pid, 'SIGKILL');
      }
    };
    await expect(read()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(new Set(sizes)).toEqual(new Set([500]));
  });

  test('is not noticed by a statement of another warehouse', async () => {
    const [one, other] = [await folderWarehouse({}), await folderWarehouse()];
    const pid = await findEngine(one.warehouse);
    const rows = readAll(other.warehouse, 'SELECT * FROM range(1000000)');
    const failing = readAll(one.warehouse, ENDLESS).catch((error: unknown) => error);
    process.kill(pid, 'SIGSEGV');
    expect(await failing).toMatchObject({ code: 'STATEMENT_FAILED' });
    expect(await rows).toBe(1_000_000);
  });

  test('comes with the end of its parent, however that ends, and while it works', async () => {
    const { folder } = await folderWarehouse({});
    const before = listTemporaryFolders();
    const parent = fork(join(import.meta.dirname, 'engine-parent.ts'), [folder, SPILLING, '500']);
    onTestFinished(() => void parent.kill('SIGKILL'));
    await once(parent, 'message');
    const [{ pid } = { pid: 0 }] = findEngines(parent.pid);
    expect(pid).not.toBe(0);
    await vi.waitFor(() => expect(listTemporaryFolders().length).toBeGreaterThan(before.length), 60_000);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 60_000);
    expect(listTemporaryFolders()).toEqual(before);
  });

  test('comes after some time without work, and leaves nothing', async () => {
    const { warehouse } = await folderWarehouse({});
    const pid = await findEngine(warehouse);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), 20_000);
    expect(await readAll(warehouse, 'SELECT 1 AS one')).toBe(1);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a statement that needs too much', () => {
  const tooMuchMemory = {
    code: 'STATEMENT_FAILED',
    message: expect.stringMatching(/^The statement needs more than the 400 MB of memory that its engine may/),
  };

  test.each([
    [
      'memory that the engine counts',
      'SELECT collect_list(md5(CAST(id AS STRING))) AS all FROM range(30000000)',
    ],
    ['memory that it does not count', 'SELECT mode(md5(CAST(id AS STRING))) AS one FROM range(30000000)'],
  ])('of %s fails with the reason, and the next one runs', async (_what, sql) => {
    const { warehouse } = await folderWarehouse({ memoryMegabytes: 400 });
    await expect(readAll(warehouse, sql)).rejects.toMatchObject(tooMuchMemory);
    expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
  });

  test('of temporary disk fails with the reason, and the next one runs', async () => {
    const { warehouse } = await folderWarehouse({ memoryMegabytes: 400, diskMegabytes: 50 });
    await expect(readAll(warehouse, SPILLING)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringMatching(/^The statement needs more than the 50 MB of temporary disk/),
    });
    expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
  });

  test('of time fails with the reason even where the engine cannot be interrupted', async () => {
    const { warehouse, write } = await folderWarehouse({ statementTimeoutMs: 500 });
    const [call, length] = SLOW.levenshtein;
    await write('texts.parquet', selectTexts(length));
    const many = `SELECT ${call} AS v FROM blade.field.texts CROSS JOIN range(100)`;
    await expect(readAll(warehouse, many)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: 'The statement took longer than the 0.5 seconds that one may take.',
    });
    expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
  });
});

/** Calls whose work the bounds of a statement let through, but not in a moment, with the length of their texts. */
const SLOW = {
  levenshtein: ['levenshtein(t, u)', 700],
  rpad: ["length(rpad(t, n, 'ab'))", 2_000],
  instr: ["instr(t, concat(left(t, n), 'x'))", 2_000],
  replace: ["length(replace(t, 'ab', 'xyz'))", 100_000],
  regexp_replace: ["length(regexp_replace(t, '(a|b)+c', 'x'))", 100_000],
} as const;

function selectTexts(length: number): string {
  const [t, u] = ['ab', 'ba'].map((pair) => `repeat('${pair}', ${length / 2}) || i`);
  return `SELECT ${t} AS t, ${u} AS u, ${length} AS n FROM range(2000) r(i)`;
}

describe('cancel returns in less than three seconds', () => {
  test.each(Object.entries(SLOW))('from %s on huge texts', async (_name, [call, length]) => {
    const { warehouse, write } = await folderWarehouse({});
    await write('texts.parquet', selectTexts(length));
    const many = `SELECT ${call} AS v FROM blade.field.texts CROSS JOIN range(100)`;
    const controller = new AbortController();
    const reading = readAll(warehouse, many, controller.signal).catch((error: unknown) => error);
    let abortedAt = 0;
    setTimeout(() => {
      abortedAt = performance.now();
      controller.abort();
    }, 700);
    expect(await reading).toMatchObject({ name: 'AbortError' });
    expect(performance.now() - abortedAt).toBeLessThan(3_000);
    expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
  });
});

test.runIf(existsSync('/proc/self/environ'))(
  'an engine sees nothing of the environment that it does not need',
  async () => {
    process.env.DATABASE_URL = 'postgres://secret';
    onTestFinished(() => void delete process.env.DATABASE_URL);
    const { warehouse } = await folderWarehouse({});
    const pid = await findEngine(warehouse);
    const names = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map((entry) => entry.split('=')[0]);
    expect(
      names.filter(
        (name) =>
          !['', 'NODE_COMPILE_CACHE', 'LD_LIBRARY_PATH', 'DUCKDB_JE_MALLOC_CONF'].includes(name ?? ''),
      ),
    ).toEqual([]);
  },
);

test('rows of known batches stay in the engine until they are needed', async () => {
  const { warehouse, write } = await folderWarehouse({});
  await write('many.parquet', 'SELECT i AS id FROM range(10000) t(i)');
  const select = statement('SELECT * FROM blade.field.many');
  const options = { batchSize: 1_000, resumeAfter: null, signal: never, withFingerprints: true };
  const { batches } = await warehouse.readRows(select, { ...options, isKnown: () => true });
  let next = 0;
  for await (const { kept, size, rows: _rows } of withoutRows(batches)) {
    if (next % 2 === 0) kept?.release();
    else
      expect((await kept?.load())?.map(({ id }) => id)).toEqual(
        Array.from({ length: size }, (_, row) => next * 1_000 + row),
      );
    next += 1;
  }
  expect(next).toBe(10);
});

test('rows of batches that are not known come with their batches', async () => {
  const { warehouse, write } = await folderWarehouse({});
  await write('many.parquet', 'SELECT i AS id FROM range(10000) t(i)');
  const select = statement('SELECT * FROM blade.field.many');
  const options = { batchSize: 500, resumeAfter: null, signal: never, withFingerprints: true };
  const plain = await warehouse.readRows(select, options);
  const fingerprints: (string | null)[] = [];
  for await (const { fingerprint } of plain.batches) fingerprints.push(fingerprint);
  // Known and unknown ones in turns, and in rows of either.
  const known = new Set(fingerprints.filter((_fingerprint, index) => index % 3 === 0 || index > 10));
  const { batches } = await warehouse.readRows(select, { ...options, isKnown: (one) => known.has(one) });
  const ids: JsonValue[] = [];
  for await (const batch of batches) {
    if (!known.has(batch.fingerprint)) expect(batch.kept).toBeUndefined();
    const rows = batch.kept === undefined ? batch.rows : await batch.kept.load();
    for (const { id } of rows) ids.push(id ?? null);
  }
  expect(ids).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
});

test('kept rows can be loaded after the read has failed, and not after a cancel', async () => {
  const { warehouse, folder, write } = await folderWarehouse({});
  await write('many.parquet', 'SELECT i AS id FROM range(10000) t(i)');
  const controller = new AbortController();
  const { batches } = await warehouse.readRows(statement('SELECT * FROM blade.field.many'), {
    ...{ batchSize: 2_048, resumeAfter: null, signal: controller.signal },
    ...{ withFingerprints: true, isKnown: () => true },
  });
  const kept: KeptRows[] = [];
  const read = async () => {
    for await (const batch of batches) {
      if (batch.kept !== undefined) kept.push(batch.kept);
      await utimes(join(folder, 'blade', 'field', 'many.parquet'), 1, 1);
    }
  };
  await expect(read()).rejects.toMatchObject({ code: 'CHANGED' });
  expect((await kept[0]?.load())?.length).toBe(2_048);
  controller.abort();
  await expect(kept[1]?.load()).rejects.toMatchObject({ name: 'AbortError' });
  expect(await readAll(warehouse, 'SELECT * FROM range(5000)')).toBe(5_000);
});

async function* withoutRows<Batch extends { readonly rows: unknown }>(batches: AsyncIterable<Batch>) {
  for await (const batch of batches) {
    expect(() => batch.rows).toThrow();
    yield Object.create(batch, { rows: { value: null } }) as Batch;
  }
}
