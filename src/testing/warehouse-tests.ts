import assert from 'node:assert/strict';
import type { JsonValue } from '../shared/json.ts';
import { ANY_SCHEMA } from '../sql-check/allowed-schemas.ts';
import { allowTable, readParts } from '../sql-check/checked-statement.ts';
import { parseStatement } from '../sql-check/parse-statement.ts';
import {
  type AllowedTable,
  BATCH_BYTES,
  type CheckedStatement,
  type ParameterValue,
  type ReadOptions,
  type Row,
  type RowBatch,
  type TableColumn,
  type Warehouse,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import type { ConformanceTest } from './conformance-test.ts';
import { valueCases } from './value-cases.ts';

/** A table that a test needs. */
export interface TestTable {
  readonly name: string;
  /** Its columns, with the Databricks names of their types. */
  readonly columns: readonly TableColumn[];
  /** Its rows. Values are what a `Row` of the warehouse has of the type, such as `"12.50"` of a DECIMAL(5,2). */
  readonly rows: readonly Row[];
}

/** A warehouse for one test. */
export interface TestedWarehouse {
  readonly warehouse: Warehouse;
  /** Creates the table `blade.field.<name>`, or replaces it. */
  writeTable(table: TestTable): Promise<void>;
  /** Removes what is left after the test, once the warehouse is closed. */
  close?(): Promise<void>;
}

/** What to test of a warehouse. */
export interface WarehouseTestOptions {
  /**
   * The types that its columns can have, such as `['STRING', 'BIGINT', 'ARRAY']`. Tests whose tables need another are
   * skipped. BIGINT and STRING are always needed. Default: all types.
   */
  readonly types?: readonly string[];
}

/**
 * Lists the tests of what every warehouse promises. The warehouse gets statements in the Databricks dialect, checked as in
 * production.
 * @param open opens the warehouse, once a test.
 */
export function warehouseTests(
  open: () => Promise<TestedWarehouse>,
  { types }: WarehouseTestOptions = {},
): readonly ConformanceTest[] {
  const tests: ConformanceTest[] = [];
  const add = (name: string, run: (subject: Subject) => Promise<void>) =>
    void tests.push({
      name,
      async run() {
        const { warehouse, writeTable, close } = await open();
        try {
          await run(new Subject(warehouse, writeTable));
        } finally {
          await warehouse.close();
          await close?.();
        }
      },
    });
  addReadingTests(add);
  addSyncTests(add, (type) => isAmong(type, types));
  addAbortTests(add);
  addFailureTests(add);
  for (const { name, type, value } of valueCases.filter((one) => isAmong(one.type, types))) {
    add(`${name} is described as ${type} and converted to JSON without loss`, async (subject) => {
      await subject.write('value', [{ name: 'value', type }], [{ value }]);
      assert.deepEqual(plain(await subject.rows('SELECT * FROM blade.field.value')), [{ value }]);
      assert.deepEqual(await subject.columns('value'), [{ name: 'value', type }]);
    });
  }
  return tests;
}

type Add = (name: string, run: (subject: Subject) => Promise<void>) => void;

function isAmong(type: string, types: readonly string[] | undefined): boolean {
  return types === undefined || (type.match(/[A-Z_]{3,}/g) ?? []).every((name) => types.includes(name));
}

/** A warehouse with short ways to use it. */
class Subject {
  readonly warehouse: Warehouse;
  readonly #writeTable: TestedWarehouse['writeTable'];

  constructor(warehouse: Warehouse, writeTable: TestedWarehouse['writeTable']) {
    this.warehouse = warehouse;
    this.#writeTable = writeTable;
  }

  write(name: string, columns: readonly TableColumn[], rows: readonly Row[]): Promise<void> {
    return this.#writeTable({ name, columns, rows });
  }

  /** Writes the table `many`, whose ids count from 0. */
  writeMany(count: number, text = 'name'): Promise<void> {
    const rows = Array.from({ length: count }, (_, id) => ({ id, name: `${text} ${id}`, kind: id % 7 }));
    return this.write('many', MANY_COLUMNS, rows);
  }

  async columns(table: string): Promise<readonly TableColumn[]> {
    const columns = await this.warehouse.describeTable(allowSubject(table), NEVER);
    return columns.map(({ name, type }) => ({ name, type }));
  }

  version(table: string): Promise<string | null> {
    return this.warehouse.findVersion([allowSubject(table)], NEVER);
  }

  async batches(
    select: CheckedStatement,
    batchSize: number,
    options: Partial<Pick<ReadOptions, 'resumeAfter' | 'withFingerprints' | 'version'>> = {},
  ): Promise<{ resumed: boolean; batches: RowBatch[] }> {
    const { resumeAfter = null, ...others } = options;
    const read = { batchSize, resumeAfter, signal: NEVER, ...others };
    const { resumed, batches } = await this.warehouse.readRows(select, read);
    return { resumed, batches: await Array.fromAsync(batches) };
  }

  async rows(sql: string, parameters?: CheckedStatement['parameters']): Promise<Row[]> {
    const { batches } = await this.batches(statement(sql, parameters), 1_000);
    return batches.flatMap(({ rows }) => [...rows]);
  }
}

function allowSubject(table: string): AllowedTable {
  return allowTable({ catalog: 'blade', schema: 'field', table }, ANY_SCHEMA);
}

const MANY_COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: 'BIGINT' },
  { name: 'name', type: 'STRING' },
  { name: 'kind', type: 'BIGINT' },
];
const NEVER = new AbortController().signal;
const ALL = statement('SELECT * FROM blade.field.many');
/** A statement that takes years. */
const ENDLESS =
  'SELECT SUM(a.id * b.id + c.id * d.id) AS total FROM blade.field.many a CROSS JOIN blade.field.many b CROSS JOIN blade.field.many c CROSS JOIN blade.field.many d';

function statement(sql: string, parameters: Readonly<Record<string, ParameterValue>> = {}): CheckedStatement {
  return parseStatement({ sql, parameters }, ANY_SCHEMA);
}

function listIds(batches: readonly RowBatch[]): unknown[] {
  return batches.flatMap(({ rows }) => rows.map(({ id }) => id));
}

/** Compares ids whatever their order, which a warehouse need not keep. */
function assertIds(batches: readonly RowBatch[], expected: readonly unknown[]): void {
  const ids = listIds(batches);
  assert.equal(ids.length, expected.length);
  assert.deepEqual(new Set(ids), new Set(expected));
}

function countTo(end: number, start = 0): number[] {
  return Array.from({ length: end - start }, (_, index) => index + start);
}

/** Rows with nothing but their values, so that only these are compared. */
function plain(rows: readonly Row[]): JsonValue {
  return JSON.parse(JSON.stringify(rows));
}

function addReadingTests(add: Add): void {
  add('every row comes once, in batches of at most the size asked for', async (subject) => {
    await subject.writeMany(10_007);
    const { resumed, batches } = await subject.batches(ALL, 500);
    assert.equal(resumed, true);
    assert.ok(batches.every(({ rows }) => rows.length > 0 && rows.length <= 500));
    assertIds(batches, countTo(10_007));
  });

  for (const [rows, batchSize] of [
    [0, 10],
    [1, 1],
    [2_048, 2_048],
    [2_049, 2_048],
    [4_096, 1],
    [5, 100_000],
  ] as const) {
    add(`${rows} rows come in batches of at most ${batchSize}`, async (subject) => {
      await subject.writeMany(rows + 1);
      const { batches } = await subject.batches(
        statement(`SELECT * FROM blade.field.many WHERE id < ${rows}`),
        batchSize,
      );
      assert.ok(batches.every((batch) => batch.rows.length <= batchSize));
      assert.ok(batches.every((batch) => batch.size === batch.rows.length && batch.size > 0));
      assertIds(batches, countTo(rows));
    });
  }

  add('batches of large rows end before they hold the rows asked for, and lose none', async (subject) => {
    const text = 'x'.repeat(50_000);
    await subject.writeMany(400, text);
    const { batches } = await subject.batches(ALL, 1_000);
    assert.ok(batches.every(({ rows }) => rows.length * text.length <= 2 * BATCH_BYTES));
    assertIds(batches, countTo(400));
  });

  add('the rows that a statement gives are counted', async (subject) => {
    await subject.writeMany(1_000);
    const select = statement('SELECT id, id FROM blade.field.many WHERE id >= :low ORDER BY id; -- all', {
      low: 10,
    });
    assert.equal(await subject.warehouse.countRows(select, NEVER), 990);
  });

  add('several statements run side by side', async (subject) => {
    await subject.writeMany(5_000);
    const reads = await Promise.all([1, 2, 3].map(() => subject.batches(ALL, 999)));
    for (const { batches } of reads) assertIds(batches, countTo(5_000));
  });

  add('a table that is replaced is read anew by the next statement', async (subject) => {
    await subject.writeMany(10);
    await subject.batches(ALL, 10);
    await subject.writeMany(20);
    assert.equal(await subject.warehouse.countRows(ALL, NEVER), 20);
    assert.equal((await subject.rows(ALL.sql)).length, 20);
  });

  add('a read of a version has the rows of that version, or fails with CHANGED', async (subject) => {
    await subject.writeMany(10);
    const version = await subject.version('many');
    assert.equal(await subject.version('many'), version);
    const before = await subject.batches(ALL, 10, { version });
    assertIds(before.batches, countTo(10));
    await subject.writeMany(10, 'other');
    // Without versions, there is nothing to keep.
    if (version === null) return;
    assert.notEqual(await subject.version('many'), version);
    try {
      const after = await subject.batches(ALL, 10, { version });
      assert.deepEqual(plain(after.batches[0]?.rows ?? []), plain(before.batches[0]?.rows ?? []));
    } catch (error) {
      if (!(error instanceof WarehouseError)) throw error;
      assert.equal(error.code, 'CHANGED');
    }
  });

  add('tables have the same contents until their rows are others', async (subject) => {
    const find = async () => (await subject.warehouse.findContents?.([allowSubject('many')], NEVER)) ?? null;
    await subject.writeMany(10);
    const contents = await find();
    assert.equal(await find(), contents);
    await subject.writeMany(10, 'other');
    if (contents !== null) assert.notEqual(await find(), contents);
  });

  add('the parts of a table have each row once, and the same rows in the same version', async (subject) => {
    await subject.writeMany(1_000);
    const version = await subject.version('many');
    const { warehouse } = subject;
    // The rows of other tables are shared by a hash.
    if (version === null || warehouse.findParts === undefined) return;
    const parts = await warehouse.findParts(allowSubject('many'), version, NEVER);
    assert.ok(parts.length > 0 && parts.every(({ bytes }) => bytes >= 0));
    const select = statement('SELECT * FROM blade.field.many WHERE kind <> :kind', { kind: 3 });
    const { batches: whole } = await subject.batches(select, 100, { version });
    const read: unknown[] = [];
    for (let first = 0; first < parts.length; first += 2) {
      const some = readParts(select, { first, end: Math.min(first + 2, parts.length) });
      const { batches } = await subject.batches(some, 100, { version });
      const ids = listIds(batches);
      assert.equal(await warehouse.countRows(some, NEVER), ids.length);
      read.push(...ids);
      const resumeAfter = JSON.parse(JSON.stringify(batches[0]?.position ?? null));
      const rest = await subject.batches(some, 100, { version, resumeAfter });
      if (rest.resumed && resumeAfter !== null) assert.deepEqual(listIds(rest.batches), ids.slice(100));
      const others = await subject.batches(select, 100, { version, resumeAfter });
      // The position belongs to the rows of its parts.
      if (parts.length > 2) assertIds(others.batches, listIds(whole));
    }
    assert.deepEqual(read.toSorted(), listIds(whole).toSorted());
    await subject.writeMany(1_000, 'other');
    await assert.rejects(async () => warehouse.findParts?.(allowSubject('many'), version, NEVER), {
      name: 'WarehouseError',
      code: 'CHANGED',
    });
  });

  add('a read that is left early can be closed', async (subject) => {
    await subject.writeMany(100_000);
    const { batches } = await subject.warehouse.readRows(ALL, {
      batchSize: 10,
      resumeAfter: null,
      signal: NEVER,
    });
    for await (const batch of batches) {
      assert.equal(batch.rows.length, 10);
      break;
    }
    await subject.warehouse.close();
  });

  add(
    'a read is resumed with the identical rest after a position, or starts over and says so',
    async (subject) => {
      await subject.writeMany(5_000);
      const select = statement('SELECT * FROM blade.field.many WHERE kind <> :kind', { kind: 3 });
      const { batches: whole } = await subject.batches(select, 700);
      const position = JSON.parse(JSON.stringify(whole[1]?.position));
      const { resumed, batches } = await subject.batches(select, 700, { resumeAfter: position });
      // Without a position there is nothing to resume.
      if (resumed && position !== null) assert.deepEqual(listIds(batches), listIds(whole.slice(2)));
      else assertIds(batches, listIds(whole));
    },
  );

  add('a position of another statement, or of none, is not resumed', async (subject) => {
    await subject.writeMany(100);
    const first = await subject.batches(statement('SELECT * FROM blade.field.many WHERE id > 1'), 10);
    const select = statement('SELECT * FROM blade.field.many WHERE id > 2');
    for (const resumeAfter of [first.batches[0]?.position ?? {}, {}, 'x', { rows: 3 }]) {
      const { resumed, batches } = await subject.batches(select, 10, { resumeAfter });
      assert.equal(resumed, false);
      assert.equal(listIds(batches).length, 97);
    }
  });

  add(
    'batches have the same fingerprint only if they have the same rows, and none unless asked',
    async (subject) => {
      const read = async (withFingerprints: boolean) => {
        const { batches } = await subject.batches(ALL, 100, { withFingerprints });
        return batches.map(({ fingerprint, rows }) => ({ fingerprint, rows: plain(rows) }));
      };
      await subject.writeMany(1_000);
      assert.ok((await read(false)).every(({ fingerprint }) => fingerprint === null));
      const before = await read(true);
      const again = await read(true);
      await subject.writeMany(1_000, 'other');
      const after = await read(true);
      for (const one of [...before, ...again, ...after]) {
        for (const other of before) {
          if (one.fingerprint === null || one.fingerprint !== other.fingerprint) continue;
          assert.deepEqual(one.rows, other.rows);
        }
      }
    },
  );

  add('keys that mean something to JavaScript are keys like any other', async (subject) => {
    const [row] = await subject.rows('SELECT 1 AS `__proto__`, 2 AS `constructor`');
    assert.equal(JSON.stringify(row), '{"__proto__":1,"constructor":2}');
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
  });

  add('columns of one name are kept apart', async (subject) => {
    assert.deepEqual(plain(await subject.rows('SELECT 1 AS id, 2 AS id')), [{ id: 1, 'id:1': 2 }]);
  });
}

function addSyncTests(add: Add, canHold: (type: string) => boolean): void {
  for (const { type, valueAt } of CURSORS.filter((cursor) => canHold(cursor.type))) {
    add(`a cursor of ${type} goes through text and back to the last digit`, async (subject) => {
      await subject.write(
        'moving',
        [
          { name: 'id', type: 'BIGINT' },
          { name: 'updated_at', type },
        ],
        countTo(100).map((id) => ({ id, updated_at: valueAt(id) })),
      );
      assert.deepEqual((await subject.columns('moving'))[1], { name: 'updated_at', type });
      const cursor = `CAST(\`updated_at\` AS ${type})`;
      const from = '`blade`.`field`.`moving`';
      const [bounds] = await subject.rows(
        `SELECT CAST(MIN(${cursor}) AS STRING) AS low, CAST(MAX(${cursor}) AS STRING) AS high, COUNT(*) AS total FROM ${from}`,
      );
      const low = String(bounds?.low);
      const high = String(bounds?.high);
      assert.equal(bounds?.total, 100);
      const between = `SELECT * FROM ${from} WHERE (id >= 0) AND ${cursor} > CAST(:low AS ${type}) AND ${cursor} <= CAST(:high AS ${type}) LIMIT 1000`;
      const found = await subject.rows(between, { low, high });
      assert.deepEqual(new Set(found.map(({ id }) => id)), new Set(countTo(100, 1)));
      assert.deepEqual(await subject.rows(between, { low: high, high }), []);
      const last = `SELECT CAST(${cursor} AS STRING) AS value FROM ${from} WHERE \`updated_at\` IS NOT NULL ORDER BY ${cursor} LIMIT 1 OFFSET 99`;
      assert.deepEqual(plain(await subject.rows(last)), [{ value: high }]);
    });
  }

  add(
    'a large table is split by the hash of a column into parts that have each row once',
    async (subject) => {
      await subject.writeMany(1_000);
      const bucket = "SUBSTRING(MD5(COALESCE(CAST(`name` AS STRING), '')), 1, 2)";
      const whole = '(SELECT * FROM `blade`.`field`.`many`) AS whole';
      const buckets = await subject.rows(
        `SELECT ${bucket} AS bucket, COUNT(*) AS total FROM ${whole} GROUP BY ${bucket}`,
      );
      assert.ok(buckets.length > 200);
      assert.equal(
        buckets.reduce((sum, { total }) => sum + Number(total), 0),
        1_000,
      );
      const part = (after: string, last: string) =>
        subject.rows(`SELECT * FROM ${whole} WHERE ${bucket} > :after AND ${bucket} <= :last`, {
          after,
          last,
        });
      const rows = [...(await part('', '7f')), ...(await part('7f', 'ff'))];
      assert.deepEqual(new Set(rows.map(({ id }) => id)), new Set(countTo(1_000)));
      assert.equal(rows.length, 1_000);
    },
  );

  add('parameters are bound, whatever they hold', async (subject) => {
    const parameters = { text: "'; drop table x; --", number: 1.5, whole: 42, yes: true, nothing: null };
    const sql =
      'SELECT :text AS text, :number AS number, :whole AS whole, :yes AS yes, :nothing AS nothing, :whole + 1 AS more';
    assert.deepEqual(plain(await subject.rows(sql, parameters)), [{ ...parameters, more: 43 }]);
  });
}

/** Types of cursor columns, with values that grow. */
const CURSORS: readonly { readonly type: string; valueAt(index: number): JsonValue }[] = [
  { type: 'TIMESTAMP_NTZ', valueAt: (index) => `2024-01-01T00:00:00.${toDigits(index + 1, 6)}` },
  { type: 'TIMESTAMP', valueAt: (index) => `2024-01-01T00:00:00.${toDigits(index + 1, 6)}Z` },
  { type: 'DATE', valueAt: (index) => new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10) },
  { type: 'BIGINT', valueAt: (index) => String(9_007_199_254_740_993n + BigInt(index)) },
  { type: 'INT', valueAt: (index) => index },
  { type: 'SMALLINT', valueAt: (index) => index },
  { type: 'DECIMAL(38,9)', valueAt: (index) => `${12_345_678_901_234_567_890n + BigInt(index)}.123456789` },
  { type: 'STRING', valueAt: (index) => `v${toDigits(index, 5)}` },
];

function toDigits(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

/** How long an aborted statement may take to end, in milliseconds. */
const ABORT_LIMIT_MS = 3_000;

function addAbortTests(add: Add): void {
  async function assertAborts(
    work: (signal: AbortSignal, abort: () => void) => Promise<unknown>,
  ): Promise<void> {
    const controller = new AbortController();
    let abortedAt = 0;
    const abort = () => {
      abortedAt = performance.now();
      controller.abort();
    };
    await assert.rejects(work(controller.signal, abort), { name: 'AbortError' });
    const duration = performance.now() - abortedAt;
    assert.ok(duration < ABORT_LIMIT_MS, `it took ${Math.round(duration)} ms to abort`);
  }

  add('aborting before the first row ends a long statement at once', async (subject) => {
    await subject.writeMany(20_000);
    await assertAborts(async (signal, abort) => {
      const options = { batchSize: 1, resumeAfter: null, signal };
      const { batches } = await subject.warehouse.readRows(statement(ENDLESS), options);
      setTimeout(abort, 100);
      return Array.fromAsync(batches);
    });
  });

  add('aborting ends counting at once', async (subject) => {
    await subject.writeMany(20_000);
    await assertAborts((signal, abort) => {
      setTimeout(abort, 100);
      return subject.warehouse.countRows(statement(`${ENDLESS} HAVING SUM(a.id) > 0`), signal);
    });
  });

  add('aborting between two batches ends the stream, with no more rows', async (subject) => {
    await subject.writeMany(100_000);
    let seen = 0;
    await assertAborts(async (signal, abort) => {
      const { batches } = await subject.warehouse.readRows(ALL, { batchSize: 10, resumeAfter: null, signal });
      for await (const batch of batches) {
        seen += batch.rows.length;
        if (seen === 50) abort();
      }
    });
    assert.equal(seen, 50);
  });

  add('with an aborted signal nothing runs', async (subject) => {
    const signal = AbortSignal.abort();
    const error = { name: 'AbortError' };
    const select = statement('SELECT 1 AS one');
    await assert.rejects(subject.warehouse.countRows(select, signal), error);
    const options = { batchSize: 1, resumeAfter: null, signal };
    await assert.rejects(subject.warehouse.readRows(select, options), error);
  });

  add('closing the warehouse ends a statement that runs', async (subject) => {
    await subject.writeMany(20_000);
    const { batches } = await subject.warehouse.readRows(statement(ENDLESS), {
      batchSize: 1,
      resumeAfter: null,
      signal: NEVER,
    });
    const read = Array.fromAsync(batches).then(
      () => 'rows',
      () => 'ended',
    );
    // It runs by the time that another has been answered.
    await subject.warehouse.countRows(statement('SELECT 1 AS one'), NEVER);
    await subject.warehouse.close();
    assert.equal(await read, 'ended');
  });
}

function addFailureTests(add: Add): void {
  add('a table that is not there is reported as TABLE_NOT_FOUND', async (subject) => {
    const error = { name: 'WarehouseError', code: 'TABLE_NOT_FOUND' };
    const select = 'SELECT * FROM blade.field.nothing';
    await assert.rejects(subject.columns('nothing'), error);
    await assert.rejects(subject.warehouse.countRows(statement(select), NEVER), error);
    await assert.rejects(subject.rows(select), error);
  });

  add('CAST fails where TRY_CAST gives NULL, and the failure shows no parameter', async (subject) => {
    const parameters = { text: 'hunter22' };
    assert.deepEqual(plain(await subject.rows('SELECT TRY_CAST(:text AS INT) AS value', parameters)), [
      { value: null },
    ]);
    await assert.rejects(subject.rows('SELECT CAST(:text AS INT) AS value', parameters), (error: Error) => {
      assert.equal(error.name, 'WarehouseError');
      assert.equal(Reflect.get(error, 'code'), 'STATEMENT_FAILED');
      assert.ok(!error.message.includes('hunter22'), `the message shows a parameter: ${error.message}`);
      return true;
    });
  });

  add('a closed warehouse is UNAVAILABLE', async (subject) => {
    await subject.warehouse.close();
    const counting = subject.warehouse.countRows(statement('SELECT 1 AS one'), NEVER);
    await assert.rejects(counting, { name: 'WarehouseError', code: 'UNAVAILABLE' });
  });
}
