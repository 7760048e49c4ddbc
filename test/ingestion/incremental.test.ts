import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import type { JobFactsFragment, StartSyncInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import {
  addSource,
  forgetAll,
  removeTable,
  storedItems,
  writeQuery,
  writeRows,
  writeText,
} from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

async function sync(input: Partial<StartSyncInput> = {}): Promise<JobFactsFragment> {
  const { id } = await application.client.startSync({ syncType: 'INCREMENTAL', ...input });
  return application.client.waitForEnd(id);
}

/** How many rows a sync read, once it has ended well. */
async function rowsRead(input: Partial<StartSyncInput> = {}): Promise<number | null | undefined> {
  const job = await sync(input);
  expect(job).toMatchObject({ state: 'COMPLETED', failureReason: null, progress: { errorCount: 0 } });
  expect(job.progress.successCount).toBe(job.progress.totalItems);
  return job.progress.totalItems;
}

async function watermark(): Promise<string | null> {
  const { rows } = await application.database.pool.query('select watermark from data_source');
  return rows[0].watermark;
}

async function lastMessage(): Promise<string | null> {
  const { rows } = await application.database.pool.query('select last_sync_message from data_source');
  return rows[0].last_sync_message;
}

async function itemIds(): Promise<string[]> {
  return (await storedItems(application)).map(({ itemId }) => itemId);
}

/** Makes the source `Sorties` over `blade.field.sortie`, synced by its column `cursor`. */
async function addCursorSource(cursorColumn: string | null = 'cursor'): Promise<void> {
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie', cursorColumn });
}

/** Fills the table with the rows of `(VALUES …) AS t(item_id, cursor)`, the cursor cast to a type. */
async function fillTable(type: string, rows: readonly (readonly [id: string, cursor: string | null])[]) {
  const values = rows.map(
    ([id, cursor]) => `('${id}', ${cursor === null ? 'NULL' : `'${cursor}'`}::${type})`,
  );
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `SELECT * FROM (VALUES ${values.join(', ')}) AS t(item_id, cursor)`,
  );
}

/** Fills the table with so many rows for each day of March 2026, named by day and number. */
async function fillDays(...rowsOfDays: number[]): Promise<void> {
  await fillTable(
    'DATE',
    rowsOfDays.flatMap((rows, day) =>
      Array.from({ length: rows }, (_, row) => [`D${day + 1}-${row + 1}`, `2026-03-0${day + 1}`] as const),
    ),
  );
}

describe.each([
  {
    type: 'TIMESTAMP',
    old: ['2026-01-01 00:00:00', '2026-01-02 03:04:05.000006'],
    next: ['2026-01-02 03:04:05.000007', '2026-01-02 03:04:05.123457'],
  },
  {
    type: 'TIMESTAMPTZ',
    old: ['2026-01-01 00:00:00+00', '2026-01-02 03:04:05.123456+00'],
    next: ['2026-01-02 03:04:05.123457+00', '2026-01-03 00:00:00+05'],
  },
  // As other programs write them to Parquet.
  {
    type: 'TIMESTAMP_NS',
    old: ['2026-01-01 00:00:00', '2026-01-02 03:04:05.000006789'],
    next: ['2026-01-02 03:04:05.000007001', '2026-01-02 03:04:05.123457999'],
  },
  { type: 'DATE', old: ['2025-12-31', '2026-01-01'], next: ['2026-01-02', '2026-10-01'] },
  // As texts, 10 comes before 9.
  { type: 'INTEGER', old: ['8', '9'], next: ['10', '11'] },
  {
    type: 'BIGINT',
    old: ['9007199254740992', '9007199254740993'],
    next: ['9007199254740994', '9007199254740995'],
  },
  { type: 'DECIMAL(38,10)', old: ['0.0000000001', '9.9999999999'], next: ['10.0000000000', '10.0000000001'] },
  { type: 'DOUBLE', old: ['8.5', '9.25'], next: ['10', '1e10'] },
  { type: 'TIME', old: ['08:30:00', '09:00:00.25'], next: ['09:00:00.5', '23:59:59'] },
  {
    type: 'UUID',
    old: ['0190a000-0000-7000-8000-000000000001', '0190a000-0000-7000-8000-000000000002'],
    next: ['0190a000-0000-7000-8000-000000000003', '0191a000-0000-7000-8000-000000000001'],
  },
  { type: 'VARCHAR', old: ['a', "b\"; '' --"], next: ['ba', 'é'] },
  // Texts of numbers and times are compared as such.
  { type: 'VARCHAR', old: ['8', '9'], next: ['10', '11.5'] },
  {
    type: 'VARCHAR',
    old: ['999999999999999998', '999999999999999999'],
    next: ['1709251200000000000', '12345678901234567890123456789012345678'],
  },
  {
    type: 'VARCHAR',
    old: ['999999999999999999', '999999999999999999.5'],
    next: ['1709251200000000000.25', '99999999999999999999'],
  },
  {
    type: 'VARCHAR',
    old: ['2024-03-01T09:00Z', '2024-03-01T12:00+02:00'],
    next: ['2024-03-01T11:00Z', '2024-03-02'],
  },
])('by a cursor column of type $type, an incremental sync', ({ type, old, next }) => {
  test('reads everything at first, and then what is new and the rows at the watermark', async () => {
    const first = old.map((cursor, index) => [`OLD-${index}`, cursor] as const);
    await fillTable(type, first);
    await addCursorSource();
    expect(await rowsRead()).toBe(2);
    expect(await rowsRead()).toBe(0);
    const late = ['LATE', old[1] ?? ''] as const;
    await fillTable(type, [...first, late, ['NEW-0', next[0] ?? ''], ['NEW-1', next[1] ?? '']]);
    expect(await rowsRead()).toBe(4);
    expect(await itemIds()).toEqual(['LATE', 'NEW-0', 'NEW-1', 'OLD-0', 'OLD-1']);
    await fillTable(type, [...first, late, ['NEW-0', next[0] ?? ''], ['NEWER', next[1] ?? '']]);
    expect(await rowsRead()).toBe(1);
  });
});

test('the watermark of a timestamp keeps every microsecond', async () => {
  await fillTable('TIMESTAMP', [['S-1', '2026-01-02 03:04:05.000006']]);
  await addCursorSource();
  await sync();
  expect(await watermark()).toBe('2026-01-02 03:04:05.000006');
});

test('the name of the cursor column may be written in any case', async () => {
  await fillDays(2);
  await addCursorSource('CURSOR');
  expect(await rowsRead()).toBe(2);
  expect(await watermark()).toBe('2026-03-01');
});

describe('the watermark', () => {
  test('does not move with a sync that failed', async () => {
    await fillDays(1, 1);
    await addCursorSource();
    await sync();
    await removeTable(application.warehouseFolder, 'sortie');
    expect(await sync()).toMatchObject({ state: 'FAILED' });
    expect(await watermark()).toBe('2026-03-02');
  });

  test('does not move with a sync that is given up for its errors', async () => {
    await writeQuery(
      application.warehouseFolder,
      'sortie',
      `SELECT 'S-' || i AS item_id, 'none' AS flight_hours, i AS cursor FROM range(100) AS t(i)`,
    );
    await addCursorSource();
    expect(await sync({ options: { maxErrors: 3, batchSize: 10 } })).toMatchObject({ state: 'FAILED' });
    expect(await watermark()).toBeNull();
  });

  test('does not move with a sync that was cancelled, and the next one reads the rows again', async () => {
    await writeQuery(
      application.warehouseFolder,
      'sortie',
      `SELECT 'S-' || i AS item_id, i AS cursor FROM range(20000) AS t(i)`,
    );
    await addCursorSource();
    const { client } = application;
    const { id } = await client.startSync({ syncType: 'INCREMENTAL', options: { batchSize: 100 } });
    await expect
      .poll(() => storedItems(application).then(({ length }) => length), { timeout: 10_000 })
      .toBeGreaterThan(0);
    await client.cancelJob(id);
    expect(await client.waitForEnd(id)).toMatchObject({ state: 'CANCELLED' });
    expect(await watermark()).toBeNull();
    expect(await rowsRead()).toBe(20_000);
    expect(await watermark()).toBe('19999');
    expect(await itemIds()).toHaveLength(20_000);
  });

  test('is moved by a full sync, back too where the table has been made anew', async () => {
    await fillDays(1, 1, 1);
    await addCursorSource();
    expect(await rowsRead({ syncType: 'FULL' })).toBe(3);
    expect(await watermark()).toBe('2026-03-03');
    await fillDays(2, 1);
    expect(await rowsRead({ syncType: 'FULL' })).toBe(3);
    expect(await watermark()).toBe('2026-03-02');
  });

  test('does not hold for a table whose rows are all before it: it is read whole, and the source says so', async () => {
    await fillDays(1, 1, 1);
    await addCursorSource();
    expect(await rowsRead()).toBe(3);
    await fillDays(2, 2);
    expect(await rowsRead()).toBe(4);
    expect(await watermark()).toBe('2026-03-02');
    const { rows } = await application.database.pool.query('select last_sync_message from data_source');
    expect(rows[0].last_sync_message).toMatch(/^No row of the table is at or after the watermark any more/);
    await fillDays(2, 3);
    expect(await rowsRead()).toBe(3);
  });

  test.each(['FULL', 'INCREMENTAL'] as const)(
    'is not moved by a filtered %s sync, so that what it left out is read by the next',
    async (syncType) => {
      await fillDays(2, 2, 2);
      await addCursorSource();
      expect(await rowsRead({ syncType, filter: `item_id = 'D3-2'` })).toBe(1);
      expect(await watermark()).toBeNull();
      expect(await rowsRead()).toBe(6);
      expect(await itemIds()).toHaveLength(6);
    },
  );

  test('is not moved by a limited full sync', async () => {
    await fillDays(2, 2, 2);
    await addCursorSource();
    expect(await rowsRead({ syncType: 'FULL', maxItems: 5 })).toBe(5);
    expect(await watermark()).toBeNull();
    expect(await rowsRead({ syncType: 'FULL', maxItems: 6 })).toBe(6);
    expect(await watermark()).toBe('2026-03-03');
  });
});

describe('a limited incremental sync', () => {
  test('takes the oldest whole groups of equal cursors, and repeated ones reach the end', async () => {
    await fillDays(2, 1, 3, 2, 1);
    await addCursorSource();
    expect(await rowsRead({ maxItems: 4 })).toBe(3);
    expect(await watermark()).toBe('2026-03-02');
    expect(await itemIds()).toEqual(['D1-1', 'D1-2', 'D2-1']);
    // Rows at the watermark are read again, and do not count.
    expect(await rowsRead({ maxItems: 4 })).toBe(1 + 3);
    expect(await watermark()).toBe('2026-03-03');
    expect(await rowsRead({ maxItems: 4 })).toBe(3 + 3);
    expect(await watermark()).toBe('2026-03-05');
    expect(await rowsRead({ maxItems: 4 })).toBe(1);
    expect(await itemIds()).toHaveLength(9);
  });

  test('of as many rows as there are moves the watermark to the last', async () => {
    await fillDays(2, 2);
    await addCursorSource();
    expect(await rowsRead({ maxItems: 4 })).toBe(4);
    expect(await watermark()).toBe('2026-03-02');
  });

  test('never passes unread rows of a group that is larger than the limit', async () => {
    await fillDays(1, 5);
    await addCursorSource();
    expect(await rowsRead({ maxItems: 3 })).toBe(1);
    expect(await watermark()).toBe('2026-03-01');
    expect(await lastMessage()).toBeNull();
    expect(await rowsRead({ maxItems: 3 })).toBe(3);
    expect(await watermark()).toBe('2026-03-01');
    expect(await lastMessage()).toContain(
      'the next sync with this limit reads the same rows: raise the limit',
    );
    expect(await rowsRead()).toBe(6);
    expect(await itemIds()).toHaveLength(6);
  });

  test('loses no rows without a cursor: they come before all others', async () => {
    await fillTable('DATE', [
      ['D2-1', '2026-03-02'],
      ['N-1', null],
      ['D1-1', '2026-03-01'],
      ['N-2', null],
      ['D3-1', '2026-03-03'],
    ]);
    await addCursorSource();
    expect(await rowsRead({ maxItems: 3 })).toBe(3);
    expect(await itemIds()).toEqual(['D1-1', 'N-1', 'N-2']);
    expect(await watermark()).toBe('2026-03-01');
    expect(await rowsRead({ maxItems: 3 })).toBe(1 + 2);
    expect(await itemIds()).toHaveLength(5);
  });

  test('never passes rows without a cursor that it has not all read', async () => {
    await fillTable('DATE', [
      ['N-1', null],
      ['N-2', null],
      ['N-3', null],
      ['D1-1', '2026-03-01'],
    ]);
    await addCursorSource();
    expect(await rowsRead({ maxItems: 2 })).toBe(2);
    expect(await watermark()).toBeNull();
    expect(await rowsRead()).toBe(4);
    expect(await watermark()).toBe('2026-03-01');
    expect(await itemIds()).toHaveLength(4);
  });
});

describe('rows whose cursor is empty', () => {
  test('are read by the first incremental sync and by full ones, and not again', async () => {
    await fillTable('DATE', [
      ['N-1', null],
      ['D1-1', '2026-03-01'],
    ]);
    await addCursorSource();
    expect(await rowsRead()).toBe(2);
    await fillTable('DATE', [
      ['N-2', null],
      ['D1-1', '2026-03-01'],
    ]);
    expect(await rowsRead()).toBe(1);
    expect(await rowsRead({ syncType: 'FULL' })).toBe(2);
  });

  test('are read every time where no row has a cursor', async () => {
    await fillTable('DATE', [
      ['N-1', null],
      ['N-2', null],
    ]);
    await addCursorSource();
    expect(await rowsRead()).toBe(2);
    expect(await watermark()).toBeNull();
    await fillTable('DATE', [
      ['N-1', null],
      ['N-3', null],
    ]);
    expect(await rowsRead()).toBe(2);
  });
});

test('a source without a cursor column is read whole each time', async () => {
  await fillDays(2, 2);
  await addCursorSource(null);
  expect(await rowsRead()).toBe(4);
  expect(await rowsRead()).toBe(4);
  expect(await rowsRead({ maxItems: 3 })).toBe(3);
});

test.each([
  ['the table lacks', 'updated_at', 'the table has no column updated_at to sync by'],
  ['has no order', 'spare', 'column spare is of type BOOLEAN, which has no order to sync by'],
])(
  'a cursor column that %s fails an incremental sync with the reason, and not a full one',
  async (_name, column, reason) => {
    await writeRows(application.warehouseFolder, 'sortie', [{ item_id: 'S-1', spare: true }]);
    await removeTable(application.warehouseFolder, 'sortie');
    await writeQuery(application.warehouseFolder, 'sortie', `SELECT 'S-1' AS item_id, true AS spare`);
    await addCursorSource(column);
    expect(await sync()).toMatchObject({ state: 'FAILED', failureReason: expect.stringContaining(reason) });
    expect(await rowsRead({ syncType: 'FULL' })).toBe(1);
  },
);

test('a sync decides at its start up to where it reads: rows that arrive later belong to the next one', async () => {
  await fillDays(2, 2);
  await addCursorSource();
  const { client, database } = application;
  const { id } = await client.startSync({ syncType: 'INCREMENTAL' });
  await client.waitForEnd(id);
  const { rows } = await database.pool.query('select plan from job_partition');
  expect(rows[0].plan).toMatchObject({
    watermark: { value: '2026-03-02', type: 'DATE' },
    statement: { parameters: { high: '2026-03-02' } },
  });
  await fillDays(2, 2, 1);
  expect(await rowsRead()).toBe(2 + 1);
});

describe('a cell of the cursor column without a value of its type', () => {
  const writeCursors = async (cursors: readonly string[]) => {
    await removeTable(application.warehouseFolder, 'sortie');
    await writeText(
      application.warehouseFolder,
      'sortie.csv',
      ['item_id,cursor', ...cursors.map((cursor, index) => `S-${index},${cursor}`), ''].join('\n'),
    );
  };

  test.each([
    ['numbers', ['8', '9', 'x12'], ['8', '9', 'x12', '10', '11'], '11'],
    [
      'nanoseconds',
      ['1709251200000000001', '1709251200000000002', 'x12'],
      ['1709251200000000001', '1709251200000000002', 'x12', '1709251200000000003', '1709251200000000004'],
      '1709251200000000004',
    ],
    [
      'dates',
      ['2024-03-01', 'unknown', '2024-03-02'],
      ['2024-03-01', 'unknown', '2024-03-02', '2024-03-10'],
      '2024-03-10 00:00:00',
    ],
  ])('costs its row alone among %s, which move the watermark', async (_name, before, after, end) => {
    await writeCursors(before);
    await addCursorSource();
    expect(await sync()).toMatchObject({ outcome: 'ITEMS_FAILED', progress: { errorCount: 1 } });
    await writeCursors(after);
    expect(await sync()).toMatchObject({ outcome: 'ITEMS_FAILED', progress: { errorCount: 1 } });
    expect(await watermark()).toBe(end);
    expect(await itemIds()).toHaveLength(after.length - 1);
    const { rows } = await application.database.pool.query('select item_id, message from job_error limit 1');
    const index = before.findIndex((text) => /[a-z]/.test(text));
    expect(rows[0]).toMatchObject({
      item_id: `S-${index}`,
      message: expect.stringMatching(/^cursor must be a /),
    });
    const corrected = after.map((text) => (/[a-z]/.test(text) ? (after.at(-1) ?? '') : text));
    await writeCursors(corrected);
    expect(await sync()).toMatchObject({ outcome: 'SUCCEEDED' });
    expect(await itemIds()).toHaveLength(after.length);
  });

  test('may hold NUL', async () => {
    await writeQuery(
      application.warehouseFolder,
      'sortie',
      "SELECT * FROM (VALUES ('S-1', 'a'), ('S-2', 'z' || chr(0)), ('S-3', 'b')) AS t(item_id, cursor)",
    );
    await addCursorSource();
    expect(await sync()).toMatchObject({
      outcome: 'ITEMS_FAILED',
      progress: { errorCount: 1, successCount: 2 },
    });
    expect(await watermark()).toBe('b');
  });
});

test('a time far ahead is stored, and does not move the watermark, which the source says', async () => {
  await fillTable('DATE', [
    ['S-1', '2026-03-01'],
    ['S-2', '9999-12-31'],
  ]);
  await addCursorSource();
  expect(await rowsRead()).toBe(2);
  expect(await watermark()).toBe('2026-03-01');
  const { rows } = await application.database.pool.query('select last_sync_message from data_source');
  expect(rows[0].last_sync_message).toMatch(/^cursor has times after .* UTC, which is too far ahead/);
  await fillTable('DATE', [
    ['S-1', '2026-03-01'],
    ['S-2', '9999-12-31'],
    ['S-3', '2026-03-02'],
  ]);
  expect(await rowsRead()).toBe(3);
  expect(await watermark()).toBe('2026-03-02');
});

test('a watermark that an earlier version took from a bad cell hides no rows', async () => {
  await fillTable('DATE', [['S-1', '2026-03-01']]);
  await addCursorSource();
  await application.database.pool.query(
    "update data_source set watermark = 'unknown', watermark_type = null",
  );
  expect(await rowsRead()).toBe(1);
  expect(await watermark()).toBe('2026-03-01');
});
