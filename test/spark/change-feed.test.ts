import { expect } from 'vitest';
import type { CreateDataSourceInput } from '../generated/graphql.ts';
import { readLog } from '../support/job-events.ts';
import { onEveryFront, test } from '../support/on-spark.ts';
import { AcceptSchemaChange, JobReads, SetWatermark, SourceReads } from '../support/operations.ts';
import type { SparkEngine } from '../support/spark/connect.ts';
import { addSource, storedItems } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

const TABLE = 'blade.field.sortie';

/** Rows are `(item_id, flight_hours)`. */
async function createTable(engine: SparkEngine, rows: string, name = TABLE, feed = true) {
  await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
  await engine.run(`DROP TABLE IF EXISTS ${name}`);
  await engine.run(
    `CREATE TABLE ${name} (item_id STRING, flight_hours DOUBLE, mission_id STRING, updated_at TIMESTAMP) USING DELTA
     TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableChangeDataFeed' = '${feed}')`,
  );
  await engine.run(`INSERT INTO ${name} ${select(rows)}`);
}

const select = (rows: string) =>
  `SELECT id, CAST(hours AS DOUBLE), 'M', timestamp_micros(1000) FROM VALUES ${rows} AS t(id, hours)`;

const add = (reader: TestApplication, input: Partial<CreateDataSourceInput> = {}) =>
  addSource(reader, { readMode: 'CHANGE_FEED', deletePolicy: 'MARK', maxDeletePercent: 100, ...input });

async function sync({ client }: TestApplication, syncType: 'FULL' | 'INCREMENTAL' = 'INCREMENTAL') {
  const { id } = await client.startSync({ syncType });
  const { state, progress } = await client.waitForEnd(id);
  const { job } = await client.send(JobReads, { id });
  const log = (await readLog(client, id)).map(({ message }) => message);
  return {
    ...{ state, deleted: progress.deletedCount, log, ...job?.partitions.nodes[0] },
    snapshots: log.filter((message) => message.startsWith('All rows of')),
  };
}

/** The items that are not deleted: hours by id. */
async function readItems(reader: TestApplication) {
  const { rows } = await reader.database.pool.query<{ id: string; hours: number }>(
    `select item_id as id, (data ->> 'flight_hours')::float8 as hours from blade_item where deleted_at is null order by 1`,
  );
  return Object.fromEntries(rows.map(({ id, hours }) => [id, hours]));
}

onEveryFront((test) => {
  test('the change feed brings what was updated and inserted, and deletes what was deleted, by one statement', {
    timeout: 600_000,
  }, async ({ engine, front, reader }) => {
    await createTable(
      engine,
      `('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5), ('f', 6), (NULL, 7), (NULL, 8)`,
    );
    await add(reader);
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', readItems: 8, snapshots: [] });
    const first = await readItems(reader);
    expect(Object.keys(first)).toHaveLength(8);

    await engine.run(`UPDATE ${TABLE} SET flight_hours = 10 WHERE item_id = 'a'`);
    await engine.run(`UPDATE ${TABLE} SET flight_hours = 11 WHERE item_id = 'a'`);
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'b' OR flight_hours = 8`);
    await engine.run(`INSERT INTO ${TABLE} ${select(`('g', 20), ('h', 21)`)}`);
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'h'`);
    // Two changes of one key in one version.
    await engine.run(`MERGE INTO ${TABLE} t USING (SELECT * FROM VALUES ('c', 'gone'), ('x', 'new') AS s(key, what)) s
    ON t.item_id = s.key AND s.what = 'gone' WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (item_id, flight_hours, mission_id, updated_at) VALUES ('c', 30, 'M', timestamp_micros(1))`);
    await engine.run(`INSERT INTO ${TABLE} ${select(`('i', 40)`)}`);
    await engine.run(`UPDATE ${TABLE} SET item_id = 'z' WHERE item_id = 'd'`);
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'e'`);
    await engine.run(`INSERT INTO ${TABLE} ${select(`('e', 50)`)}`);
    const before = front.statements.length;
    const second = await sync(reader);
    expect(second).toMatchObject({ state: 'COMPLETED', deleted: 3, snapshots: [], isUnchanged: false });
    const reads = front.statements.slice(before).filter(({ sql }) => /flight_hours|table_changes/.test(sql));
    expect(reads).toHaveLength(1);
    const nameless = Object.entries(first).filter(([id, hours]) => id.startsWith('sha256-') && hours === 7);
    expect(await readItems(reader)).toEqual({
      ...{ a: 11, c: 30, e: 50, f: 6, g: 20, i: 40, z: 4 },
      ...Object.fromEntries(nameless),
    });

    const unchanged = front.statements.length;
    expect(await sync(reader)).toMatchObject({ isUnchanged: true });
    expect(front.statements).toHaveLength(unchanged + 1);
    // A FULL sync finds the same.
    const items = await readItems(reader);
    expect(await sync(reader, 'FULL')).toMatchObject({ state: 'COMPLETED', deleted: 0 });
    expect(await readItems(reader)).toEqual(items);
  });
});

onEveryFront((test) => {
  test('all rows are read once if the feed is lost and then switched off, whatever the watermark says', {
    timeout: 600_000,
  }, async ({ engine, front, reader }) => {
    await createTable(engine, `('a', 1), ('b', 2)`);
    await add(reader, { readMode: 'AUTO', cursorColumn: 'updated_at' });
    await sync(reader);
    await engine.run(
      `UPDATE ${TABLE} SET flight_hours = 5, updated_at = timestamp_micros(1) WHERE item_id = 'a'`,
    );
    front.before(/table_changes/, async () => {
      await engine.run(`UPDATE ${TABLE} SET flight_hours = 6 WHERE item_id = 'a'`);
      await engine.run(`VACUUM ${TABLE} RETAIN 0 HOURS`);
      await engine.run(`ALTER TABLE ${TABLE} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')`);
    });
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED' });
    expect(await readItems(reader)).toEqual({ a: 6, b: 2 });
  });
});

test('deletes of the feed go by the policy of the source and its cap, which is no way to lose them', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  await createTable(engine, `('a', 1), ('b', 2), ('c', 3), ('d', 4)`);
  const kept = await add(reader, { deletePolicy: 'KEEP' });
  await sync(reader);
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'a'`);
  expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 0, snapshots: [] });
  expect(Object.keys(await readItems(reader))).toEqual(['a', 'b', 'c', 'd']);

  const change = (settings: string) =>
    reader.client.sendRaw(
      `mutation { updateDataSource(input: { id: "${kept}", ${settings} }) { __typename } }`,
    );
  await change('deletePolicy: MARK, maxDeletePercent: 25');
  // Another policy needs all rows once.
  expect(await sync(reader)).toMatchObject({ deleted: 1, readItems: 3 });
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id IN ('b', 'c')`);
  const refused = await sync(reader);
  expect(refused).toMatchObject({ state: 'COMPLETED', deleted: 0 });
  expect(refused.log.join('\n')).toMatch(/the change feed of the table deletes 2 of its 3 items/);
  expect(await sync(reader)).toMatchObject({ deleted: 0 });
  await change('maxDeletePercent: 70');
  expect(await sync(reader)).toMatchObject({ deleted: 2, snapshots: [] });
  expect(Object.keys(await readItems(reader))).toEqual(['d']);
});

test.for(['SNAPSHOT', 'CURSOR'])(
  'rows that go while the source reads all rows (%s), and deletes none, are deleted once it reads the feed',
  {
    timeout: 600_000,
  },
  async (mode, { engine, reader }) => {
    await createTable(engine, `('a', 1), ('b', 2), ('c', 3), ('d', 4)`);
    const source = await add(reader);
    const change = (readMode: string) =>
      reader.client.sendRaw(
        `mutation { updateDataSource(input: { id: "${source}", readMode: ${readMode} }) { __typename } }`,
      );
    await sync(reader);
    await change(mode);
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'a'`);
    await engine.run(`UPDATE ${TABLE} SET flight_hours = 20 WHERE item_id = 'b'`);
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 0 });
    await change('CHANGE_FEED');
    expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 1, snapshots: [] });
    expect(await readItems(reader)).toEqual({ b: 20, c: 3, d: 4 });
  },
);

test('a key that moves from the table of one source to that of another stays an item', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  const other = 'blade.field.flown';
  await createTable(engine, `('a', 1), ('b', 2)`);
  await createTable(engine, `('c', 3), ('d', 4)`, other);
  await add(reader, { name: 'A' });
  await add(reader, { name: 'B', tableName: 'flown' });
  await sync(reader);
  // One key moves to the source that is read later, the other one to the source that is read before.
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'a'`);
  await engine.run(`DELETE FROM ${other} WHERE item_id = 'd'`);
  await engine.run(`INSERT INTO ${other} ${select(`('a', 10)`)}`);
  await engine.run(`INSERT INTO ${TABLE} ${select(`('d', 40)`)}`);
  // Both are read before one of them is judged.
  expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 0 });
  expect(await readItems(reader)).toEqual({ a: 10, b: 2, c: 3, d: 40 });
  expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 0 });
});

test('an item that a sync with a filter has stored is deleted, though its row came and went between two reads of the feed', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  await createTable(engine, `('a', 1), ('b', 2)`);
  await add(reader);
  await sync(reader);
  await engine.run(`INSERT INTO ${TABLE} ${select(`('x', 7)`)}`);
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'x'`);
  // The copy never had it.
  expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', deleted: 0, snapshots: [] });

  await engine.run(`INSERT INTO ${TABLE} ${select(`('x', 7)`)}`);
  const { id } = await reader.client.startSync({ syncType: 'INCREMENTAL', filter: 'flight_hours > 6' });
  expect(await reader.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
  expect(await readItems(reader)).toEqual({ a: 1, b: 2, x: 7 });
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'x'`);
  const reason = /The copy has items whose rows have come and gone/;
  expect(await sync(reader)).toMatchObject({ deleted: 1, snapshots: [expect.stringMatching(reason)] });
  expect(await readItems(reader)).toEqual({ a: 1, b: 2 });
});

test('rows without an id are the items that they are in a FULL sync, also after a column was added', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  await createTable(engine, `('a', 1), (NULL, 7), (NULL, 8)`);
  await add(reader);
  await sync(reader);
  await engine.run(`ALTER TABLE ${TABLE} ADD COLUMN extra INT`);
  await engine.run(`DELETE FROM ${TABLE} WHERE flight_hours = 7`);
  // Their ids are derived from all columns.
  const reason = /The schema of the table has changed: extra INT? ?.*added/;
  expect(await sync(reader)).toMatchObject({ deleted: 2, snapshots: [expect.stringMatching(reason)] });
  expect(Object.values(await readItems(reader)).toSorted()).toEqual([1, 8]);
  await engine.run(`DELETE FROM ${TABLE} WHERE flight_hours = 8`);
  expect(await sync(reader)).toMatchObject({ deleted: 1, snapshots: [] });
  expect(Object.values(await readItems(reader))).toEqual([1]);
});

test('rows that come to share an id are noticed, and the item stays while one of them is left', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  await createTable(engine, `('a', 1), ('b', 2)`);
  const source = await add(reader);
  await sync(reader);
  await engine.run(`INSERT INTO ${TABLE} ${select(`('a', 3), ('c', 4)`)}`);
  expect(await sync(reader)).toMatchObject({ state: 'COMPLETED', snapshots: [] });
  const found = await reader.client.sendRaw(`{ dataSource(id: "${source}") { drift driftMessage } }`);
  expect(found.data?.dataSource).toEqual({
    drift: 1,
    driftMessage: expect.stringMatching(/^1 row of the table is not in the copy/),
  });
  expect(await sync(reader)).toMatchObject({
    snapshots: [expect.stringMatching(/The copy lacks rows of the table/)],
  });
  await engine.run(`DELETE FROM ${TABLE} WHERE flight_hours = 3`);
  expect(await sync(reader)).toMatchObject({ deleted: 0, snapshots: [expect.stringMatching(/share an id/)] });
  expect(await readItems(reader)).toEqual({ a: 1, b: 2, c: 4 });
});

/** Why the feed of a table cannot be used: the statements, and what the log of the job says. */
const OBSTACLES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'it was switched off',
    [`ALTER TABLE ${TABLE} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')`],
    /The table keeps no change feed: set delta\.enableChangeDataFeed$/,
  ],
  [
    'it was off for a while',
    [
      `ALTER TABLE ${TABLE} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')`,
      `DELETE FROM ${TABLE} WHERE item_id = 'a'`,
      `ALTER TABLE ${TABLE} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')`,
    ],
    /DELTA_MISSING_CHANGE_DATA/,
  ],
  [
    'its files were vacuumed',
    [
      `UPDATE ${TABLE} SET flight_hours = 9`,
      `SET spark.databricks.delta.retentionDurationCheck.enabled = false`,
      `VACUUM ${TABLE} RETAIN 0 HOURS`,
    ],
    /FILE_NOT_EXIST/,
  ],
  ['another table has its name', ['CREATE OR REPLACE'], /The table was replaced by another one of its name/],
  [
    'it was restored',
    [`RESTORE TABLE ${TABLE} TO VERSION AS OF 1`],
    /The table was restored to an earlier version/,
  ],
];

test.for(OBSTACLES)(
  'all rows are read, and the log says why, where the change feed cannot be used: %s',
  { timeout: 600_000 },
  async ([, changes, reason], { engine, reader }) => {
    await createTable(engine, `('a', 1), ('b', 2), ('c', 3)`);
    await add(reader);
    await sync(reader);
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'b'`);
    await engine.run(`INSERT INTO ${TABLE} ${select(`('x', 7)`)}`);
    await sync(reader);
    for (const change of changes)
      if (change === 'CREATE OR REPLACE') await createTable(engine, `('a', 100)`);
      else await engine.run(change);
    const { state, snapshots } = await sync(reader);
    expect({ state, snapshots }).toEqual({ state: 'COMPLETED', snapshots: [expect.stringMatching(reason)] });
    await sync(reader, 'FULL');
    const items = await readItems(reader);
    const { rows } = await reader.database.pool.query(
      `select count(*)::int as count from blade_item where deleted_at is null`,
    );
    expect(rows[0]).toEqual({ count: Object.keys(items).length });
    expect(items).not.toHaveProperty(changes.some((change) => change.startsWith('RESTORE')) ? 'x' : 'b');
  },
);

test('after a column was renamed all rows are read, after that of the ids once it is accepted', {
  timeout: 600_000,
}, async ({ engine, reader }) => {
  await createTable(engine, `('a', 1), ('b', 2), ('c', 3)`);
  const source = await add(reader);
  await sync(reader);
  await engine.run(`ALTER TABLE ${TABLE} RENAME COLUMN mission_id TO mission`);
  const renamed = /The schema of the table has changed: mission_id renamed to mission$/;
  expect(await sync(reader)).toMatchObject({ readItems: 3, snapshots: [expect.stringMatching(renamed)] });

  await engine.run(`ALTER TABLE ${TABLE} ADD COLUMN extra INT`);
  await engine.run(`ALTER TABLE ${TABLE} RENAME COLUMN item_id TO mission_id`);
  expect(await sync(reader)).toMatchObject({ state: 'FAILED' });
  await reader.client.send(AcceptSchemaChange, { input: { id: source } });
  const { state, snapshots } = await sync(reader);
  expect({ state, snapshots }).toEqual({
    state: 'COMPLETED',
    snapshots: [expect.stringMatching(/The schema of the table was accepted with other columns$/)],
  });
  const items = await storedItems(reader);
  expect(items.filter(({ itemId }) => itemId.startsWith('sha256-'))).toHaveLength(3);
  expect(Object.keys(await readItems(reader))).toHaveLength(3);
});

test.for(['CHANGE_FEED', 'AUTO'] as const)(
  'a watermark that is set to none makes the next sync read all rows once, though the table has a change feed: %s',
  { timeout: 600_000 },
  async (readMode, { engine, reader }) => {
    await createTable(engine, `('a', 1), ('b', 2)`);
    const id = await add(reader, { readMode, cursorColumn: readMode === 'AUTO' ? 'updated_at' : null });
    await sync(reader, 'FULL');
    expect(await sync(reader)).toMatchObject({ isUnchanged: true });
    const expected = (await reader.client.send(SourceReads, { id })).dataSource?.watermark ?? null;
    expect(expected === null).toBe(readMode === 'CHANGE_FEED');
    // Without a new version, too.
    await reader.client.send(SetWatermark, { input: { id, value: null, expected } });
    const reason = /The watermark of the source was set to none/;
    expect(await sync(reader)).toMatchObject({ readItems: 2, snapshots: [expect.stringMatching(reason)] });
    await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'a'`);
    expect(await sync(reader)).toMatchObject({ deleted: 1, readItems: 0, snapshots: [] });
    expect(await readItems(reader)).toEqual({ b: 2 });
  },
);

test('AUTO reads the change feed where the table has one, and otherwise from the watermark', {
  timeout: 600_000,
}, async ({ engine, server, reader }) => {
  await createTable(engine, `('a', 1), ('b', 2), ('c', 3)`, TABLE, false);
  await add(reader, { readMode: 'AUTO', cursorColumn: 'updated_at' });
  await sync(reader);
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'a'`);
  const off = server.statements.length;
  expect(await sync(reader)).toMatchObject({ deleted: 0, snapshots: [] });
  await engine.run(`ALTER TABLE ${TABLE} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')`);
  expect(await sync(reader)).toMatchObject({ deleted: 1, readItems: 2, snapshots: [] });
  expect(server.statements.slice(off).some(({ sql }) => sql.includes('table_changes'))).toBe(false);
  await engine.run(`DELETE FROM ${TABLE} WHERE item_id = 'b'`);
  expect(await sync(reader)).toMatchObject({ deleted: 1, readItems: 0, snapshots: [] });
  expect(Object.keys(await readItems(reader))).toEqual(['c']);
});
