import { stat, utimes } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openDuckDbWarehouse } from '../../src/warehouse/duckdb.ts';
import type { RowBatch } from '../../src/warehouse/warehouse.ts';
import { batchesOf, folderWarehouse, never, statement } from './folder-warehouse.ts';

const numbers = (rows: number) =>
  `SELECT i AS id, 'name ' || i AS name, i % 7 AS kind FROM range(${rows}) t(i)`;
const heavy = 'SELECT SUM(a.id * b.id) AS total FROM range(1000000) a, range(1000000) b';

function idsOf(batches: readonly RowBatch[]): unknown[] {
  return batches.flatMap((batch) => batch.rows.map((row) => row.id));
}

describe('reading', () => {
  test('gives every row once, in batches of exactly the size asked for', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(10_007));
    const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.many'), 500);
    expect(batches.map((batch) => batch.rows.length)).toEqual([...Array(20).fill(500), 7]);
    expect(idsOf(batches)).toEqual(Array.from({ length: 10_007 }, (_, index) => index));
  });

  test.each([
    [0, 10],
    [1, 1],
    [2048, 2048],
    [2049, 2048],
    [4096, 1],
    [5, 100_000],
  ])('%i rows in batches of %i', async (rows, batchSize) => {
    const { warehouse, write } = await folderWarehouse();
    await write('some.parquet', numbers(rows));
    const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.some'), batchSize);
    expect(batches.slice(0, -1).every((batch) => batch.rows.length === batchSize)).toBe(true);
    expect(idsOf(batches)).toEqual(Array.from({ length: rows }, (_, index) => index));
  });

  test('counts the rows that a statement gives', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(1000));
    const select = statement('SELECT id, id FROM blade.field.many WHERE id >= :low ORDER BY id; -- all', {
      low: 10,
    });
    expect(await warehouse.countRows(select, never)).toBe(990);
  });

  test('several statements run side by side', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(5000));
    const select = statement('SELECT * FROM blade.field.many');
    const reads = await Promise.all([1, 2, 3].map(() => batchesOf(warehouse, select, 999)));
    for (const batches of reads) expect(idsOf(batches)).toHaveLength(5000);
  });

  test('leaving a stream early releases it', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100_000));
    const { batches } = await warehouse.readRows(statement('SELECT * FROM blade.field.many'), {
      batchSize: 10,
      resumeAfter: null,
      signal: never,
    });
    for await (const batch of batches) {
      expect(batch.rows).toHaveLength(10);
      break;
    }
    await warehouse.close();
  });

  test('a closed warehouse says so', async () => {
    const { warehouse } = await folderWarehouse();
    await warehouse.close();
    await expect(warehouse.countRows(statement('SELECT 1'), never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});

describe('the statements of a sync', () => {
  test.each([
    ['TIMESTAMP_NTZ', "TIMESTAMP '2024-01-01 00:00:00.000001' + to_microseconds(i)"],
    ['TIMESTAMP', "TIMESTAMPTZ '2024-01-01 00:00:00.000001+00' + to_microseconds(i)"],
    ['DATE', "DATE '2024-01-01' + i::INTEGER"],
    ['BIGINT', '9007199254740993 + i'],
    ['INT', 'i::INTEGER'],
    ['SMALLINT', 'i::SMALLINT'],
    ['DECIMAL(38,9)', '(12345678901234567890.123456789 + i)::DECIMAL(38,9)'],
    ['STRING', "'v' || lpad(i::VARCHAR, 5, '0')"],
  ])('a cursor of %s goes through text and back to the last digit', async (type, expression) => {
    const { warehouse, write, rows } = await folderWarehouse();
    await write('moving.parquet', `SELECT i AS id, ${expression} AS updated_at FROM range(100) t(i)`);
    const table = { catalog: 'blade', schema: 'field', table: 'moving' };
    const columns = await warehouse.describeTable(table, never);
    expect(columns[1]).toEqual({ name: 'updated_at', type });
    const from = '`blade`.`field`.`moving`';
    const bounds = await rows(
      `SELECT CAST(MIN(\`updated_at\`) AS STRING) AS low, CAST(MAX(\`updated_at\`) AS STRING) AS high, COUNT(*) AS total FROM ${from}`,
    );
    const low = String(bounds[0]?.low);
    const high = String(bounds[0]?.high);
    expect(bounds[0]?.total).toBe(100);
    const between = `SELECT * FROM ${from} WHERE (id >= 0) AND \`updated_at\` > CAST(:low AS ${type}) AND \`updated_at\` <= CAST(:high AS ${type}) LIMIT 1000`;
    const found = await rows(between, { low, high });
    expect(found.map((row) => row.id)).toEqual(Array.from({ length: 99 }, (_, index) => index + 1));
    expect(await rows(between, { low: high, high })).toEqual([]);
    const next = `SELECT CAST(\`updated_at\` AS STRING) AS value FROM ${from} WHERE \`updated_at\` IS NOT NULL ORDER BY \`updated_at\` LIMIT 1 OFFSET 99`;
    expect(await rows(next)).toEqual([{ value: high }]);
  });

  test('parameters are bound, whatever they hold', async () => {
    const { rows } = await folderWarehouse();
    const parameters = { text: "'; drop table x; --", number: 1.5, whole: 42, yes: true, nothing: null };
    expect(
      await rows(
        'SELECT :text AS text, :number AS number, :whole AS whole, :yes AS yes, :nothing AS nothing, :whole + 1 AS more',
        parameters,
      ),
    ).toEqual([{ ...parameters, more: 43 }]);
  });

  test('CAST fails where TRY_CAST gives NULL, as on Databricks', async () => {
    const { rows } = await folderWarehouse();
    expect(await rows("SELECT TRY_CAST('x' AS INT) AS a, TRY_CAST(:b AS DATE) AS b", { b: 'x' })).toEqual([
      { a: null, b: null },
    ]);
    await expect(rows("SELECT CAST('x' AS INT) AS a")).rejects.toMatchObject({ code: 'STATEMENT_FAILED' });
  });

  test.each([
    [
      "SELECT date_format(timestamp_seconds, 'yyyy-MM-dd') AS value FROM (SELECT CAST('2024-05-06' AS TIMESTAMP_NTZ) AS timestamp_seconds)",
      '2024-05-06',
    ],
    ['SELECT concat_ws("-", "a", \'b\') AS value', 'a-b'],
    ["SELECT 'abc' RLIKE '^a' AS value", true],
    ['SELECT 7 DIV 2 AS value', 3],
    ['SELECT 7 / 2 AS value', 3.5],
    ['SELECT size(array(1, 2)) AS value', 2],
    ['SELECT array(10, 20)[1] AS value', 20],
    ['SELECT array(10, 20)[n - 1] AS value FROM (SELECT 1 AS n)', 10],
    ["SELECT map('a', 1)['a'] AS value", 1],
    ['SELECT r.id AS value FROM range(3, 4) r', 3],
    ['SELECT n AS value FROM range(3, 4) r(n)', 3],
    ['SELECT COUNT(*) AS value FROM blade.field.nothing, range(3)', 0],
    ["SELECT nvl(NULL, 'x') AS value", 'x'],
    ["SELECT datediff(DAY, DATE '2024-01-01', DATE '2024-01-31') AS value", 30],
    ['SELECT id AS value FROM range(5) ORDER BY id DESC LIMIT 1', 4],
    ["SELECT current_timestamp() > timestamp '2020-01-01 00:00:00' AS value", true],
  ])('Databricks SQL is understood: %s', async (sql, value) => {
    const { rows, write } = await folderWarehouse();
    await write('nothing.parquet', numbers(0));
    expect(await rows(sql)).toEqual([{ value }]);
  });
});

describe('resuming', () => {
  const statements = [
    'SELECT * FROM blade.field.many',
    'SELECT * FROM blade.field.many WHERE kind <> 3',
    'SELECT kind AS id, COUNT(*) AS n FROM blade.field.many GROUP BY kind',
    'SELECT DISTINCT id % 5000 AS id FROM blade.field.many',
    'SELECT a.id FROM blade.field.many a JOIN blade.field.many b ON a.id = b.id * 2',
    'SELECT kind AS id FROM blade.field.many ORDER BY kind LIMIT 9000',
    'SELECT id FROM blade.field.many UNION SELECT id + 1 FROM blade.field.many',
    'SELECT id, ROW_NUMBER() OVER (PARTITION BY kind ORDER BY id DESC) AS place FROM blade.field.many',
  ];

  test.each(statements)('%s goes on with the identical rest', async (sql) => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(20_000));
    const whole = await batchesOf(warehouse, statement(sql), 700);
    for (const kept of new Set([1, Math.ceil(whole.length / 2), whole.length])) {
      const position = JSON.parse(JSON.stringify(whole[kept - 1]?.position));
      const { resumed, batches } = await warehouse.readRows(statement(sql), {
        batchSize: 700,
        resumeAfter: position,
        signal: never,
      });
      expect(resumed).toBe(true);
      expect(await Array.fromAsync(batches)).toEqual(whole.slice(kept));
    }
  });

  test('works from any row on, also in another instance and with another batch size', async () => {
    const { warehouse, write, folder } = await folderWarehouse();
    await write('many.parquet', numbers(5000));
    const select = statement('SELECT * FROM blade.field.many WHERE id > :low', { low: 10 });
    const [first] = await batchesOf(warehouse, select, 2051);
    const again = await openDuckDbWarehouse({ folder });
    const rest = await batchesOf(again, select, 100, first?.position);
    await again.close();
    expect(idsOf(rest)).toEqual(Array.from({ length: 5000 - 11 - 2051 }, (_, index) => index + 11 + 2051));
  });

  async function resumedAfter(change: (path: string, write: () => Promise<void>) => Promise<void>) {
    const { warehouse, write, path } = await folderWarehouse();
    await write('many.parquet', numbers(3000));
    const select = statement('SELECT * FROM blade.field.many');
    const [first] = await batchesOf(warehouse, select, 1000);
    await change(path('many.parquet'), () => write('many.parquet', numbers(4000)));
    const { resumed, batches } = await warehouse.readRows(select, {
      batchSize: 1000,
      resumeAfter: first?.position ?? null,
      signal: never,
    });
    return { resumed, ids: idsOf(await Array.fromAsync(batches)) };
  }

  test('starts over when the file has changed', async () => {
    const { resumed, ids } = await resumedAfter((_path, write) => write());
    expect(resumed).toBe(false);
    expect(ids).toHaveLength(4000);
  });

  test('starts over when only the time of the file has changed', async () => {
    const { resumed, ids } = await resumedAfter(async (path) => {
      const { mtime } = await stat(path);
      await utimes(path, mtime, new Date(mtime.getTime() + 1000));
    });
    expect(resumed).toBe(false);
    expect(ids).toHaveLength(3000);
  });

  test('starts over for another statement, other parameters, or a position of no meaning', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100));
    const select = (low: number) => statement('SELECT * FROM blade.field.many WHERE id > :low', { low });
    const [first] = await batchesOf(warehouse, select(1), 10);
    const options = { batchSize: 10, signal: never };
    for (const resumeAfter of [first?.position ?? null, {}, 'x', { rows: 3 }, { rows: 3, fingerprint: 'x' }])
      expect(await warehouse.readRows(select(2), { ...options, resumeAfter })).toMatchObject({
        resumed: false,
      });
  });

  test('starts over where the statement gives other rows each time', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100));
    const select = statement('SELECT * FROM blade.field.many ORDER BY rand()');
    const [first] = await batchesOf(warehouse, select, 10);
    const resumeAfter = first?.position ?? null;
    expect(resumeAfter).toBeNull();
  });
});

describe('aborting', () => {
  async function timeToAbort(
    work: (signal: AbortSignal, abort: () => void) => Promise<unknown>,
  ): Promise<number> {
    const controller = new AbortController();
    let abortedAt = 0;
    const abort = () => {
      abortedAt = performance.now();
      controller.abort();
    };
    await expect(work(controller.signal, abort)).rejects.toMatchObject({ name: 'AbortError' });
    return performance.now() - abortedAt;
  }

  test('before the first row ends a long aggregation at once', async () => {
    const { warehouse } = await folderWarehouse();
    const time = await timeToAbort(async (signal, abort) => {
      const { batches } = await warehouse.readRows(statement(heavy), {
        batchSize: 1,
        resumeAfter: null,
        signal,
      });
      setTimeout(abort, 100);
      return await Array.fromAsync(batches);
    });
    expect(time).toBeLessThan(1000);
  });

  test('ends counting at once', async () => {
    const { warehouse } = await folderWarehouse();
    const time = await timeToAbort((signal, abort) => {
      setTimeout(abort, 100);
      return warehouse.countRows(statement(`${heavy} HAVING SUM(a.id) > 0`), signal);
    });
    expect(time).toBeLessThan(1000);
  });

  test('between two batches ends the stream, with no more rows', async () => {
    const { warehouse, write } = await folderWarehouse();
    await write('many.parquet', numbers(100_000));
    let seen = 0;
    const time = await timeToAbort(async (signal, abort) => {
      const { batches } = await warehouse.readRows(statement('SELECT * FROM blade.field.many'), {
        batchSize: 10,
        resumeAfter: null,
        signal,
      });
      for await (const batch of batches) {
        seen += batch.rows.length;
        if (seen === 50) abort();
      }
    });
    expect(seen).toBe(50);
    expect(time).toBeLessThan(1000);
  });

  test('an aborted signal runs nothing', async () => {
    const { warehouse } = await folderWarehouse();
    const signal = AbortSignal.abort();
    const error = { name: 'AbortError' };
    await expect(warehouse.countRows(statement('SELECT 1'), signal)).rejects.toMatchObject(error);
    const options = { batchSize: 1, resumeAfter: null, signal };
    await expect(warehouse.readRows(statement('SELECT 1'), options)).rejects.toMatchObject(error);
  });

  test('closing the warehouse ends a statement that runs', async () => {
    const { warehouse } = await folderWarehouse();
    const { batches } = await warehouse.readRows(statement(heavy), {
      batchSize: 1,
      resumeAfter: null,
      signal: never,
    });
    const read = Array.fromAsync(batches).then(
      () => 'rows',
      () => 'ended',
    );
    await Promise.all([Promise.resolve(), warehouse.countRows(statement('SELECT 1'), never)]);
    await warehouse.close();
    expect(await read).toBe('ended');
  });
});

test('a long read takes no more memory than a short one', async () => {
  const { warehouse, write } = await folderWarehouse();
  await write('many.parquet', numbers(400_000));
  const { batches } = await warehouse.readRows(statement('SELECT a.* FROM blade.field.many a, range(3)'), {
    batchSize: 5000,
    resumeAfter: null,
    signal: never,
  });
  let rows = 0;
  let most = 0;
  for await (const batch of batches) {
    rows += batch.rows.length;
    most = Math.max(most, process.memoryUsage().heapUsed);
  }
  expect(rows).toBe(1_200_000);
  expect(most).toBeLessThan(300_000_000);
});
