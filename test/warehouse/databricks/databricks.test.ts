import type { TRowSet } from '@databricks/sql/thrift/TCLIService_types.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { warehouseTests } from '../../../src/testing/warehouse-tests.ts';
import type { DatabricksOptions } from '../../../src/warehouse/databricks/session.ts';
import { openDatabricksWarehouse } from '../../../src/warehouse/databricks/warehouse.ts';
import { formatType } from '../../../src/warehouse/spark-sql/type.ts';
import { findUnreadableReason } from '../../../src/warehouse/value.ts';
import type { Warehouse } from '../../../src/warehouse/warehouse.ts';
import type { ResultForm } from '../../support/databricks/service.ts';
import { int64 } from '../../support/databricks/thrift-library.ts';
import {
  type DatabricksServer,
  type DatabricksServerOptions,
  startDatabricksServer,
  testClient,
  testToken,
} from '../../support/databricks-server.ts';
import { temporaryFolder } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from '../reading.ts';
import { toDuckDbQuery } from '../test-table.ts';
import { duckDbValueCases } from '../value-cases.ts';

const table = fieldTable('sortie');
const all = statement('SELECT * FROM blade.field.sortie');
const oneRow = statement('SELECT 1 AS id');

async function databricks(options: DatabricksServerOptions = {}, changes: Partial<DatabricksOptions> = {}) {
  const server = await startDatabricksServer(options);
  const warehouse = openDatabricksWarehouse({ ...server.configuration, ...changes });
  onTestFinished(async () => {
    await warehouse.close();
    await server.close();
  });
  return {
    server,
    warehouse,
    ...createTools(server, warehouse),
    sorties: (rows: number) =>
      server.run(`CREATE TABLE blade.field.sortie AS SELECT i AS id FROM range(${rows}) t(i)`),
  };
}

function createTools(server: DatabricksServer, warehouse: Warehouse) {
  return {
    write: (name: string, query: string) =>
      server.run(`CREATE OR REPLACE TABLE blade.field.${name} AS ${query}`),
    rows: async (sql: string, parameters = {}) =>
      (await batchesOf(warehouse, statement(sql, parameters), 1000)).flatMap((batch) => [...batch.rows]),
  };
}

function count(wire: readonly string[], operation: string): number {
  return wire.filter((name) => name === operation).length;
}

test('a column whose name looks like a heading hides no other', async () => {
  const { write, warehouse } = await databricks();
  await write('value', `SELECT 1 AS "# of crew", 'x' AS "#", 2 AS cursor`);
  expect(await warehouse.describeTable(fieldTable('value'), never)).toEqual([
    { name: '# of crew', type: 'INT' },
    { name: '#', type: 'STRING' },
    { name: 'cursor', type: 'INT' },
  ]);
});

describe.each(['arrow', 'links'] as const)(
  'with results as %s it keeps what every warehouse promises',
  (form) => {
    let server: DatabricksServer;

    beforeAll(async () => {
      server = await startDatabricksServer({ form, pageRows: 3000 });
    });

    afterAll(() => server.close());

    const tests = warehouseTests(async () => {
      const warehouse = openDatabricksWarehouse(server.configuration);
      const folder = await temporaryFolder();
      return {
        warehouse,
        writeTable: async (table) =>
          createTools(server, warehouse).write(table.name, await toDuckDbQuery(folder, table)),
      };
    });
    for (const { name, run } of tests) test(name, run);

    test.each(duckDbValueCases)('%s is converted to JSON', async (_name, expression, type, expected) => {
      const warehouse = openDatabricksWarehouse(server.configuration);
      onTestFinished(() => warehouse.close());
      const { write, rows } = createTools(server, warehouse);
      await write('value', `SELECT ${expression} AS value`);
      expect(await rows('SELECT * FROM blade.field.value')).toEqual([{ value: expected }]);
      const described = await warehouse.describeTable(fieldTable('value'), never);
      expect(described).toEqual([{ name: 'value', type }]);
    });
  },
);

describe('results', () => {
  test.each([
    ['arrow', { useCloudFetch: true }],
    ['arrow', { useCloudFetch: false }],
    ['links', { useCloudFetch: true }],
    ['columns', { useCloudFetch: true }],
  ] as const)('as %s, %o, come whole and in exact batches', async (form, changes) => {
    const { warehouse, sorties } = await databricks({ form, pageRows: 1000 }, changes);
    await sorties(10_007);
    const batches = await batchesOf(warehouse, all, 700);
    expect(batches.map(({ rows }) => rows.length)).toEqual([...Array(14).fill(700), 207]);
    expect(batches.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(
      Array.from({ length: 10_007 }, (_, index) => index),
    );
  });

  test('of a warehouse without Arrow keep every digit, too', async () => {
    const { rows, write } = await databricks({ form: 'columns' });
    await write(
      'old',
      `SELECT true AS yes, 7::TINYINT AS tiny, 9007199254740993 AS big, 12.50::DECIMAL(5,2) AS price, 'NaN'::DOUBLE AS odd,
        TIMESTAMPTZ '2024-03-31 08:30:00.250001+02' AS at, DATE '2024-02-29' AS day, '\\x00\\xFF'::BLOB AS bytes,
        [9007199254740993] AS list, NULL::INTEGER AS nothing`,
    );
    expect(await rows('SELECT * FROM blade.field.old')).toEqual([
      {
        yes: true,
        tiny: 7,
        big: '9007199254740993',
        price: '12.50',
        odd: 'NaN',
        at: '2024-03-31T06:30:00.250001Z',
        day: '2024-02-29',
        bytes: 'AP8=',
        list: ['9007199254740993'],
        nothing: null,
      },
    ]);
  });

  test('a VARIANT is what it holds', async () => {
    const { rows, write } = await databricks();
    await write('variant', `SELECT '{"a": [1, 12345678901234567890]}'::JSON AS value`);
    expect(await rows('SELECT * FROM blade.field.variant')).toEqual([
      { value: { a: [1, '12345678901234567890'] } },
    ]);
  });

  test.each(['arrow', 'columns'] as const)('as %s say which columns are texts', async (form) => {
    const { warehouse, server } = await databricks({ form });
    await server.run(
      "CREATE TABLE blade.field.sortie AS SELECT '1.5' AS text, 1.5::DECIMAL(5,2) AS price, DATE '2024-01-02' AS day, 1 AS n",
    );
    const [batch] = await batchesOf(warehouse, all, 10);
    expect(batch?.textColumns).toEqual(['text']);
  });

  test('with a value that cannot be converted keep the other rows', async () => {
    const { rows, write } = await databricks();
    await write(
      'mixed',
      `SELECT i AS id, CASE WHEN i = 1 THEN '{"a":1,"a":2}' ELSE '{"a":1}' END::JSON AS value FROM range(3) t(i)`,
    );
    const read = await rows('SELECT * FROM blade.field.mixed');
    expect(read.map(({ id }) => id)).toEqual([0, 1, 2]);
    const reasons = read.map(({ value }) => findUnreadableReason(value));
    expect(reasons).toEqual([null, 'it has the key a twice', null]);
  });

  test.each(['arrow', 'links'] as const)('as %s of any length take no more memory', async (form) => {
    const { warehouse, server } = await databricks({ form });
    await server.run(
      "CREATE TABLE blade.field.sortie AS SELECT i AS id, 'name ' || i AS name FROM range(200000) t(i)",
    );
    const { batches } = await warehouse.readRows(all, { batchSize: 5000, resumeAfter: null, signal: never });
    let rows = 0;
    let most = 0;
    for await (const batch of batches) {
      rows += batch.rows.length;
      most = Math.max(most, process.memoryUsage().heapUsed);
    }
    expect(rows).toBe(200_000);
    expect(most).toBeLessThan(300_000_000);
  });

  test('are read anew by a resume, as the order of rows is not the same each time', async () => {
    const { warehouse, sorties } = await databricks();
    await sorties(10);
    const { resumed, batches } = await warehouse.readRows(all, {
      batchSize: 4,
      resumeAfter: { rows: 4 },
      signal: never,
    });
    expect(resumed).toBe(false);
    expect((await Array.fromAsync(batches)).map(({ rows }) => rows.length)).toEqual([4, 4, 2]);
  });
});

describe('a session', () => {
  test('is not opened before the first statement, serves all of them, and is closed', async () => {
    const { server, warehouse, sorties } = await databricks();
    await sorties(3);
    expect(server.wire).toEqual([]);
    await Promise.all([warehouse.countRows(all, never), warehouse.countRows(all, never)]);
    await batchesOf(warehouse, all, 10);
    await warehouse.close();
    expect(count(server.wire, 'OpenSession')).toBe(1);
    expect(count(server.wire, 'ExecuteStatement')).toBe(3);
    expect(count(server.wire, 'CloseOperation')).toBe(3);
    expect(server.wire.at(-1)).toBe('CloseSession');
  });

  test('that has ended is replaced, and the statement runs again', async () => {
    const { server, warehouse, sorties } = await databricks();
    await sorties(3);
    expect(await warehouse.countRows(all, never)).toBe(3);
    server.expireSessions();
    expect(await warehouse.countRows(all, never)).toBe(3);
    expect(count(server.wire, 'OpenSession')).toBe(2);
    expect(count(server.wire, 'ExecuteStatement')).toBe(3);
  });

  test('that could not be opened is opened by the next statement', async () => {
    const { server, warehouse, sorties } = await databricks();
    await sorties(3);
    server.fail({ operation: 'OpenSession', status: 400 });
    await expect(warehouse.countRows(all, never)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await warehouse.countRows(all, never)).toBe(3);
  });

  test('is told who asks', async () => {
    const { server, warehouse } = await databricks();
    await warehouse.countRows(oneRow, never);
    expect([...server.userAgents].join()).toContain('blade-ingestion');
  });
});

describe('signing in', () => {
  test('a service principal gets its token from the workspace', async () => {
    const { warehouse } = await databricks({}, { credentials: { kind: 'oauth', ...testClient } });
    expect(await warehouse.countRows(oneRow, never)).toBe(1);
  });

  test('and asks for it again where that failed on its way, once for all statements', async () => {
    const { server, warehouse } = await databricks({}, { credentials: { kind: 'oauth', ...testClient } });
    server.fail({ operation: 'token', status: 503 });
    await warehouse.countRows(oneRow, never);
    await warehouse.countRows(oneRow, never);
    expect(count(server.wire, 'token')).toBe(2);
  });

  test.each([
    ['a token', { kind: 'token', token: 'wrong-secret' }, 'refused the credentials (HTTP 403)'],
    [
      'a service principal',
      { kind: 'oauth', clientId: 'someone', clientSecret: 'wrong-secret' },
      'returned no token for the service principal (HTTP 401)',
    ],
  ] as const)('%s that is not known is told so, once and without it', async (_name, credentials, message) => {
    const { server, warehouse } = await databricks({}, { credentials });
    const error = await warehouse.countRows(oneRow, never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining(message) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong-secret');
    expect(count(server.wire, 'OpenSession')).toBeLessThanOrEqual(1);
  });

  test('a certificate that nobody vouches for is not taken', async () => {
    const { warehouse } = await databricks({}, { certificateAuthority: undefined });
    await expect(warehouse.countRows(oneRow, never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('certificate'),
    });
  });
});

describe('a request that fails on its way', () => {
  test.each([
    ['OpenSession', { status: 503, retryAfter: '0', times: 20 }],
    ['OpenSession', { status: 503, retryAfter: new Date(0).toUTCString() }],
    ['OpenSession', { times: 2 }],
    ['ExecuteStatement', { status: 429, retryAfter: '0', times: 3 }],
    ['ExecuteStatement', { status: 502 }],
    ['ExecuteStatement', { isCarriedOut: true }],
    ['GetOperationStatus', { status: 503 }],
    ['FetchResults', { status: 429, after: 2, times: 2 }],
    ['FetchResults', { after: 1 }],
    ['CloseOperation', { status: 500 }],
  ])('%s %o: is sent again, and nobody notices', async (operation, fault) => {
    const { server, warehouse, sorties } = await databricks({ pageRows: 100, directMs: 0 });
    await sorties(1000);
    server.fail({ operation, ...fault });
    const batches = await batchesOf(warehouse, all, 300);
    expect(batches.flatMap(({ rows }) => rows.map(({ id }) => id))).toEqual(
      Array.from({ length: 1000 }, (_, index) => index),
    );
  });

  test('a download is, too', async () => {
    const { server, warehouse, sorties } = await databricks({ form: 'links', pageRows: 100 });
    await sorties(1000);
    server.fail({ operation: 'download', after: 3, times: 2 });
    const batches = await batchesOf(warehouse, all, 300);
    expect(batches.map(({ rows }) => rows.length)).toEqual([300, 300, 300, 100]);
  });

  test('is given up after some times, and the reason told', async () => {
    const { server, warehouse } = await databricks();
    server.fail({ operation: 'ExecuteStatement', status: 429, retryAfter: '0', times: 100 });
    await expect(warehouse.countRows(oneRow, never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The warehouse accepts no more requests at this time (HTTP 429).',
    });
    expect(count(server.wire, 'ExecuteStatement')).toBe(6);
  });

  test('waits as long as the server asks', async () => {
    const { server, warehouse } = await databricks();
    server.fail({ operation: 'OpenSession', status: 429, retryAfter: '1' });
    const started = performance.now();
    await warehouse.countRows(oneRow, never);
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  test.each([400, 404, 501])('with HTTP %i is not sent again', async (status) => {
    const { server, warehouse } = await databricks();
    server.fail({ operation: 'ExecuteStatement', status, times: 100 });
    await expect(warehouse.countRows(oneRow, never)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(count(server.wire, 'ExecuteStatement')).toBe(1);
  });

  test('loses no row in silence: rows that were lost with an answer end the read', async () => {
    const { server, warehouse, sorties } = await databricks({ pageRows: 100 });
    await sorties(1000);
    server.fail({ operation: 'FetchResults', after: 3, isCarriedOut: true });
    await expect(batchesOf(warehouse, all, 50)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test.each(
    (['arrow', 'columns', 'links'] as const).flatMap((form) =>
      Array.from({ length: 6 }, (_, after) => [form, after] as const),
    ),
  )('loses no row in silence with results as %s, whichever answer is lost: %i', async (form, after) => {
    // Some warehouses give the place of a page in the result, others do not.
    for (const alter of [undefined, withoutPlaceAtTheEnd]) {
      const { server, warehouse, sorties } = await databricks({ form, pageRows: 100, directMs: 0, alter });
      await sorties(500);
      server.fail({ operation: 'FetchResults', after, isCarriedOut: true });
      const read = await batchesOf(warehouse, all, 50).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'INTERRUPTED' });
        return null;
      });
      if (read !== null) expect(read.flatMap(({ rows }) => rows)).toHaveLength(500);
    }
  });

  test('for good in the middle of a result ends the read as one that can be done again', async () => {
    const { server, warehouse, sorties } = await databricks({ pageRows: 100 });
    await sorties(1000);
    server.fail({ operation: 'FetchResults', after: 3, times: 100 });
    await expect(batchesOf(warehouse, all, 50)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('as does a session that ends there', async () => {
    const { server, warehouse, sorties } = await databricks({ pageRows: 100 });
    await sorties(1000);
    const { batches } = await warehouse.readRows(all, { batchSize: 10, resumeAfter: null, signal: never });
    const read = async () => {
      for await (const _batch of batches) server.expireSessions();
    };
    await expect(read()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });

  test('is not sent again to a host that nobody has', async () => {
    const { warehouse } = await databricks({}, { port: 1 });
    await expect(warehouse.countRows(oneRow, never)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The warehouse cannot be reached (ECONNREFUSED).',
    });
  });
});

function withoutPlaceAtTheEnd(page: TRowSet): void {
  if (page.arrowBatches?.length === 0) page.startRowOffset = int64(0) as never;
}

describe('a result is whole, or an error', () => {
  test.each(['arrow', 'columns', 'links'] as const)('where a row fails late, as %s', async (form) => {
    const { warehouse } = await databricks({ form, pageRows: 1_000, directMs: 0 });
    const late = statement(
      `SELECT id, CAST(CASE WHEN id = 150000 THEN 'x' ELSE '1' END AS INT) AS v FROM range(300000)`,
    );
    await expect(batchesOf(warehouse, late, 5_000)).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message: expect.stringContaining('CAST_INVALID_INPUT'),
    });
  });

  test.each([
    [
      'a page with fewer rows than it says',
      'arrow',
      (page) => {
        for (const batch of page.arrowBatches ?? [])
          batch.rowCount = int64(Number(batch.rowCount) + 1) as never;
      },
    ],
    [
      'a file with fewer rows than its link says',
      'links',
      (page) => {
        for (const link of page.resultLinks ?? []) link.rowCount = int64(Number(link.rowCount) + 1) as never;
      },
    ],
    [
      'a link that is missing among others',
      'links',
      (page) => {
        const [link] = page.resultLinks ?? [];
        if (link === undefined) return;
        const behind = Object.assign(Object.create(Object.getPrototypeOf(link)), link, {
          startRowOffset: int64((Number(link.startRowOffset) + 2 * Number(link.rowCount)) as never),
        });
        page.resultLinks = [link, behind];
      },
    ],
  ] satisfies readonly (readonly [string, ResultForm, (page: TRowSet) => void])[])(
    'where the warehouse sends %s',
    async (_name, form, alter) => {
      const { warehouse, sorties } = await databricks({ form, pageRows: 100, directMs: 0, alter });
      await sorties(500);
      await expect(batchesOf(warehouse, all, 50)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    },
  );
});

describe('a warehouse that starts', () => {
  test('is waited for, and the waiting is told with its end', async () => {
    const { server, warehouse, sorties } = await databricks();
    await sorties(3);
    const release = server.hold();
    const told: (boolean | string)[] = [];
    const waits = Promise.withResolvers<void>();
    const counted = warehouse.countRows(all, never, (isWaiting) => {
      told.push(isWaiting);
      waits.resolve();
    });
    await waits.promise;
    expect(told).toEqual([true]);
    release();
    expect(await counted).toBe(3);
    expect(told).toEqual([true, false]);
  });

  test('is waited for also where it refuses sessions', async () => {
    const { server, warehouse } = await databricks({}, { retryDelayMs: 5 });
    server.fail({ operation: 'OpenSession', status: 503, times: 6 });
    const told: (boolean | string)[] = [];
    expect(await warehouse.countRows(oneRow, never, (isWaiting) => told.push(isWaiting))).toBe(1);
    expect(told).toEqual([true, false]);
  });

  test('and one that is ready is no reason to tell', async () => {
    const { warehouse } = await databricks({}, { waitingNoticeMs: 20_000 });
    const told: (boolean | string)[] = [];
    await warehouse.countRows(oneRow, never, (isWaiting) => told.push(isWaiting));
    expect(told).toEqual([]);
  });
});

describe('aborting cancels the statement in the warehouse', () => {
  test('while it waits there', async () => {
    const { server, warehouse } = await databricks();
    server.hold();
    const stop = new AbortController();
    const counted = warehouse.countRows(oneRow, stop.signal);
    await server.seen('GetOperationStatus', 2);
    stop.abort();
    await expect(counted).rejects.toMatchObject({ name: 'AbortError' });
    await server.seen('CancelOperation');
  });

  test('while it runs', async () => {
    const { server, warehouse } = await databricks({ directMs: 0 });
    const stop = new AbortController();
    const counted = warehouse.countRows(
      statement('SELECT a.id FROM range(1000000) a, range(1000000) b WHERE a.id * b.id = -1'),
      stop.signal,
    );
    await server.seen('GetOperationStatus');
    stop.abort();
    await expect(counted).rejects.toMatchObject({ name: 'AbortError' });
    await server.seen('CancelOperation');
  });

  test('while its answer is awaited', async () => {
    const { server, warehouse } = await databricks({ directMs: 300 });
    const stop = new AbortController();
    const counted = warehouse.countRows(
      statement('SELECT a.id FROM range(1000000) a, range(1000000) b WHERE a.id * b.id = -1'),
      stop.signal,
    );
    await server.seen('ExecuteStatement');
    stop.abort();
    await expect(counted).rejects.toMatchObject({ name: 'AbortError' });
    await server.seen('CancelOperation');
  });

  test('in the middle of its result', async () => {
    const { server, warehouse, sorties } = await databricks({ pageRows: 100 });
    await sorties(10_000);
    const stop = new AbortController();
    const { batches } = await warehouse.readRows(all, {
      batchSize: 100,
      resumeAfter: null,
      signal: stop.signal,
    });
    const read = async () => {
      for await (const _batch of batches) stop.abort();
    };
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
    await server.seen('CancelOperation');
  });

  test('and a later statement runs as if nothing had been', async () => {
    const { server, warehouse, sorties } = await databricks();
    await sorties(3);
    const release = server.hold();
    const stop = new AbortController();
    const counted = warehouse.countRows(all, stop.signal);
    await server.seen('GetOperationStatus');
    stop.abort();
    await expect(counted).rejects.toMatchObject({ name: 'AbortError' });
    release();
    expect(await warehouse.countRows(all, never)).toBe(3);
    expect(count(server.wire, 'OpenSession')).toBe(1);
  });
});

describe('parameters and errors', () => {
  test('parameters are sent with their types, never within the statement', async () => {
    const { server, rows } = await databricks();
    const parameters = {
      text: "x'; --",
      whole: 42,
      big: 2 ** 40,
      part: 1.5,
      yes: true,
      nothing: null,
      unused: 1,
    };
    const sql = 'SELECT :text AS `a`, :whole AS `b`, :big AS `c`, :part AS `d`, :yes AS `e`, :nothing AS `f`';
    await rows(sql, parameters);
    expect(server.statements.map((statement) => statement.sql)).toEqual([sql]);
    const sent = server.statements[0]?.parameters.map(({ name, type, value }) => [
      name,
      type,
      value?.stringValue,
    ]);
    expect(sent).toEqual([
      ['big', 'BIGINT', '1099511627776'],
      ['nothing', null, undefined],
      ['part', 'DOUBLE', '1.5'],
      ['text', 'STRING', "x'; --"],
      ['whole', 'INTEGER', '42'],
      ['yes', 'BOOLEAN', 'TRUE'],
    ]);
  });

  test('a missing table is told as Databricks tells it, without the plan of the statement', async () => {
    const { warehouse } = await databricks();
    const error = await warehouse.describeTable(table, never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'TABLE_NOT_FOUND',
      message:
        '[TABLE_OR_VIEW_NOT_FOUND] The table or view `sortie` cannot be found. Verify the spelling and correctness of the schema and catalog. SQLSTATE: 42P01; line 1 pos 14',
    });
  });

  test('a failing cast is told without the cell and without the stack of the server', async () => {
    const { rows } = await databricks();
    await expect(rows("SELECT CAST('cell' AS INT)")).rejects.toMatchObject({
      code: 'STATEMENT_FAILED',
      message:
        '[CAST_INVALID_INPUT] The value \'…\' of the type "STRING" cannot be cast to "INT32" because it is malformed. SQLSTATE: 22018',
    });
  });

  test('the token is in no error', async () => {
    const { server, warehouse } = await databricks();
    server.fail({ operation: 'ExecuteStatement', status: 500, times: 100 });
    const error = await warehouse.countRows(oneRow, never).catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(testToken);
  });
});

test.each([
  ['int', 'INT'],
  ['decimal(10,2)', 'DECIMAL(10,2)'],
  ['timestamp_ntz', 'TIMESTAMP_NTZ'],
  ['array<struct<Part:string,n:decimal(5,2)>>', 'ARRAY<STRUCT<Part: STRING, n: DECIMAL(5,2)>>'],
  ['map<string,array<map<int,date>>>', 'MAP<STRING, ARRAY<MAP<INT, DATE>>>'],
  ['struct<a b:int,`c,d`:string>', 'STRUCT<`a b`: INT, `c,d`: STRING>'],
  ['interval day to second', 'INTERVAL DAY TO SECOND'],
])('the type %s is written as %s', (described, written) => {
  expect(formatType(described)).toBe(written);
});
