import { describe, expect, test } from 'vitest';
import type { ParameterValue, Row, RowBatch, Warehouse } from '../../src/warehouse/warehouse.ts';
import { batchesOf, never, statement } from './reading.ts';
import { valueCases } from './value-cases.ts';

/** A warehouse with tables of the test's own, gone after the test. */
export interface TestWarehouse {
  readonly warehouse: Warehouse;
  /** Makes the table `blade.field.<table>` of the rows of a query of DuckDB. */
  write(table: string, query: string): Promise<void>;
  /** All rows of a statement. */
  rows(sql: string, parameters?: Readonly<Record<string, ParameterValue>>): Promise<Row[]>;
}

/** What every warehouse promises. */
export function testWarehouse(open: () => Promise<TestWarehouse>): void {
  describe('reading', () => {
    test('gives every row once, in batches of exactly the size asked for', async () => {
      const { warehouse, write } = await open();
      await write('many', numbers(10_007));
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
      const { warehouse, write } = await open();
      await write('some', numbers(rows));
      const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.some'), batchSize);
      expect(batches.slice(0, -1).every((batch) => batch.rows.length === batchSize)).toBe(true);
      expect(idsOf(batches)).toEqual(Array.from({ length: rows }, (_, index) => index));
    });

    test('counts the rows that a statement gives', async () => {
      const { warehouse, write } = await open();
      await write('many', numbers(1000));
      const select = statement('SELECT id, id FROM blade.field.many WHERE id >= :low ORDER BY id; -- all', {
        low: 10,
      });
      expect(await warehouse.countRows(select, never)).toBe(990);
    });

    test('several statements run side by side', async () => {
      const { warehouse, write } = await open();
      await write('many', numbers(5000));
      const select = statement('SELECT * FROM blade.field.many');
      const reads = await Promise.all([1, 2, 3].map(() => batchesOf(warehouse, select, 999)));
      for (const batches of reads) expect(idsOf(batches)).toHaveLength(5000);
    });

    test('leaving a stream early releases it', async () => {
      const { warehouse, write } = await open();
      await write('many', numbers(100_000));
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
      const { warehouse } = await open();
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
      const { warehouse, write, rows } = await open();
      await write('moving', `SELECT i AS id, ${expression} AS updated_at FROM range(100) t(i)`);
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
      const { rows } = await open();
      const parameters = { text: "'; drop table x; --", number: 1.5, whole: 42, yes: true, nothing: null };
      expect(
        await rows(
          'SELECT :text AS text, :number AS number, :whole AS whole, :yes AS yes, :nothing AS nothing, :whole + 1 AS more',
          parameters,
        ),
      ).toEqual([{ ...parameters, more: 43 }]);
    });

    test('CAST fails where TRY_CAST gives NULL, as on Databricks', async () => {
      const { rows } = await open();
      expect(await rows("SELECT TRY_CAST('x' AS INT) AS a, TRY_CAST(:b AS DATE) AS b", { b: 'x' })).toEqual([
        { a: null, b: null },
      ]);
      await expect(rows("SELECT CAST('x' AS INT) AS a")).rejects.toMatchObject({ code: 'STATEMENT_FAILED' });
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
      const { warehouse } = await open();
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
      const { warehouse } = await open();
      const time = await timeToAbort((signal, abort) => {
        setTimeout(abort, 100);
        return warehouse.countRows(statement(`${heavy} HAVING SUM(a.id) > 0`), signal);
      });
      expect(time).toBeLessThan(1000);
    });

    test('between two batches ends the stream, with no more rows', async () => {
      const { warehouse, write } = await open();
      await write('many', numbers(100_000));
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
      const { warehouse } = await open();
      const signal = AbortSignal.abort();
      const error = { name: 'AbortError' };
      await expect(warehouse.countRows(statement('SELECT 1'), signal)).rejects.toMatchObject(error);
      const options = { batchSize: 1, resumeAfter: null, signal };
      await expect(warehouse.readRows(statement('SELECT 1'), options)).rejects.toMatchObject(error);
    });

    test('closing the warehouse ends a statement that runs', async () => {
      const { warehouse } = await open();
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

  describe('each SQL type is carried to JSON without loss, and described by its Databricks name', () => {
    test.each(valueCases)('%s', async (_name, expression, type, expected) => {
      const { warehouse, write, rows } = await open();
      await write('value', `SELECT ${expression} AS value`);
      const table = { catalog: 'blade', schema: 'field', table: 'value' };
      const signal = new AbortController().signal;
      expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: expected }]);
      expect(await warehouse.describeTable(table, signal)).toEqual([{ name: 'value', type }]);
    });
  });

  test('keys that mean something to JavaScript are keys like any other', async () => {
    const { rows } = await open();
    const [row] = await rows("SELECT 1 AS `__proto__`, 2 AS `constructor`, map('__proto__', 3) AS `map`");
    expect(JSON.stringify(row)).toBe('{"__proto__":1,"constructor":2,"map":{"__proto__":3}}');
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });

  test('columns of one name are kept apart', async () => {
    const { rows } = await open();
    expect(await rows('SELECT 1 AS id, 2 AS id')).toEqual([{ id: 1, 'id:1': 2 }]);
  });
}

const numbers = (rows: number) =>
  `SELECT i AS id, 'name ' || i AS name, i % 7 AS kind FROM range(${rows}) t(i)`;
const heavy = 'SELECT SUM(a.id * b.id) AS total FROM range(1000000) a, range(1000000) b';

function idsOf(batches: readonly RowBatch[]): unknown[] {
  return batches.flatMap((batch) => batch.rows.map((row) => row.id));
}
