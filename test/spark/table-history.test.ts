import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { SyncType } from '../generated/graphql.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { AcceptSchemaChange, JobReads, SourceReads } from '../support/operations.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

const ROWS = 2_000;

const selectVersion = (version: number, from = 0) => selectSorties(ROWS, version, from);

async function findSource({ client }: TestApplication, id: string) {
  return (await client.send(SourceReads, { id })).dataSource;
}

async function sync({ client }: TestApplication, syncType: SyncType) {
  const { id } = await client.startSync({ syncType });
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
  return (await client.send(JobReads, { id })).job;
}

/** What makes the watermark of a table one of another table: the statements, and what the source says of it. */
const REWRITES: readonly (readonly [string, readonly string[], RegExp])[] = [
  [
    'DROP and CREATE, with rows before and after the watermark',
    ['DROP TABLE blade.field.sortie', `CREATE TABLE blade.field.sortie USING DELTA AS ${selectMixed()}`],
    /^The table was replaced by another one of its name after version 0: all rows were read/,
  ],
  [
    'CREATE OR REPLACE',
    [`CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS ${selectMixed()}`],
    /^The table was replaced by another one of its name after version 0: all rows were read/,
  ],
  [
    'RESTORE, and rows after the watermark',
    [
      `DELETE FROM blade.field.sortie`,
      'RESTORE TABLE blade.field.sortie TO VERSION AS OF 0',
      `UPDATE blade.field.sortie SET mission_id = '1' WHERE item_id = 'S-7'`,
      `INSERT INTO blade.field.sortie ${selectVersion(1, ROWS)}`,
    ],
    /^The table was restored to an earlier version, as version 2: all rows were read/,
  ],
  [
    'a clone of another table in its place',
    [
      `CREATE OR REPLACE TABLE blade.field.cloned USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS ${selectMixed()}`,
      'DELETE FROM blade.field.sortie',
      'CREATE OR REPLACE TABLE blade.field.sortie SHALLOW CLONE blade.field.cloned',
    ],
    /^The table was replaced by a clone of another one, as version 2: all rows were read/,
  ],
  [
    'a DELETE of all rows, and others before the watermark',
    [`DELETE FROM blade.field.sortie`, `INSERT INTO blade.field.sortie ${selectVersion(1, -ROWS)}`],
    /^All rows of the table were deleted, as version 1: all rows were read/,
  ],
  [
    'a DELETE of all rows, and others before and after the watermark',
    [`DELETE FROM blade.field.sortie WHERE true`, `INSERT INTO blade.field.sortie ${selectMixed()}`],
    /^All rows of the table were deleted, as version 1: all rows were read/,
  ],
  [
    'INSERT OVERWRITE, with rows before and after the watermark',
    [`INSERT OVERWRITE blade.field.sortie ${selectMixed()}`],
    /^All rows of the table were overwritten, as version 1: all rows were read/,
  ],
  [
    'a DELETE whose condition all rows meet, and others before the watermark',
    [
      `DELETE FROM blade.field.sortie WHERE item_id IS NOT NULL`,
      `INSERT INTO blade.field.sortie ${selectVersion(1, -ROWS)}`,
    ],
    /^All rows of the table were deleted, as version 1: all rows were read/,
  ],
  [
    'a MERGE that deletes all rows, and others before and after the watermark',
    [
      `MERGE INTO blade.field.sortie AS t USING (${selectMixed()}) AS s ON t.item_id = s.item_id AND false
        WHEN NOT MATCHED THEN INSERT * WHEN NOT MATCHED BY SOURCE THEN DELETE`,
    ],
    /^All rows of the table were deleted, as version 1: all rows were read/,
  ],
  [
    'an INSERT that replaces the rows of a condition that all of them meet',
    [`INSERT INTO blade.field.sortie REPLACE WHERE item_id IS NOT NULL ${selectMixed()}`],
    /^All rows of the table were overwritten, as version 1: all rows were read/,
  ],
  [
    'DELETEs of some rows that leave none at the watermark',
    [
      `DELETE FROM blade.field.sortie WHERE item_id <> 'S-7'`,
      `UPDATE blade.field.sortie SET mission_id = '1' WHERE item_id = 'S-7'`,
    ],
    /^No row of the table is at or after the watermark any more: all rows were read/,
  ],
  [
    'a cursor of another type',
    [
      `CREATE OR REPLACE TEMPORARY VIEW kept AS SELECT item_id, mission_id, flight_hours, CAST(unix_micros(updated_at) AS STRING) AS updated_at FROM blade.field.sortie`,
      `INSERT OVERWRITE blade.field.sortie SELECT item_id, '1', flight_hours, NULL FROM kept`,
      'ALTER TABLE blade.field.sortie DROP COLUMN updated_at',
      'ALTER TABLE blade.field.sortie ADD COLUMN updated_at STRING',
      `UPDATE blade.field.sortie SET updated_at = item_id`,
    ],
    /^The watermark is a TIMESTAMP, and updated_at is now a STRING: all rows were read/,
  ],
];

/** Rows of another table: one before the watermark of the first, and one after it. */
function selectMixed(): string {
  return `SELECT * FROM VALUES ('S-7', '1', CAST(1.5 AS DOUBLE), timestamp_micros(7)),
    ('N-1', '1', CAST(1.5 AS DOUBLE), timestamp_micros(${ROWS * 2})) AS t(item_id, mission_id, flight_hours, updated_at)`;
}

onEveryFront((test) => {
  test('a table without a new version costs one statement about its history, and none of its rows is read', {
    timeout: 300_000,
  }, async ({ engine, front, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    const first = await sync(reader, 'FULL');
    expect(first?.partitions.nodes).toMatchObject([{ isUnchanged: false, readItems: ROWS, tableVersion: 0 }]);
    for (const [syncType, successCount] of [['FULL', ROWS] as const, ['INCREMENTAL', 0] as const]) {
      const before = front.statements.length;
      front.takeScannedRows();
      const again = await sync(reader, syncType);
      expect(again?.partitions.nodes).toMatchObject([
        { isUnchanged: true, readItems: 0, successCount, tableVersion: 0, percent: 100 },
      ]);
      expect(front.statements.slice(before).map(({ sql }) => sql)).toEqual([
        'DESCRIBE HISTORY `blade`.`field`.`sortie` LIMIT 1',
      ]);
      expect(front.takeScannedRows()).toBe(0);
    }
    expect(await findSource(reader, source)).toMatchObject({ tableVersion: 0, itemCount: ROWS });

    await engine.run(`UPDATE blade.field.sortie SET mission_id = '1' WHERE item_id = 'S-7'`);
    expect((await sync(reader, 'FULL'))?.partitions.nodes).toMatchObject([
      { isUnchanged: false, readItems: ROWS, tableVersion: 1 },
    ]);
    const { tableVersion, tableTimestamp } = (await findSource(reader, source)) ?? {};
    expect(tableVersion).toBe(1);
    expect(Date.now() - Date.parse(String(tableTimestamp))).toBeLessThan(300_000);
  });

  test.for(REWRITES)(
    'an INCREMENTAL sync reads all of a table whose watermark does not hold any more, and says why: %s',
    { timeout: 300_000 },
    async ([, changes, message], { engine, reader }) => {
      await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
      await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
      await engine.run(
        `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS ${selectVersion(0)}`,
      );
      const source = await addSource(reader, { cursorColumn: 'updated_at' });
      await sync(reader, 'INCREMENTAL');
      const before = (await findSource(reader, source))?.watermark;
      for (const change of changes) await engine.run(change);
      if (changes.some((change) => change.includes('DROP COLUMN updated_at'))) {
        const { id } = await reader.client.startSync({ syncType: 'INCREMENTAL' });
        expect(await reader.client.waitForEnd(id)).toMatchObject({ state: 'FAILED' });
        await reader.client.send(AcceptSchemaChange, { input: { id: source } });
      }
      await sync(reader, 'INCREMENTAL');
      const found = await findSource(reader, source);
      expect(found?.lastSyncMessage).toMatch(message);
      expect(found?.watermark).not.toBe(before);
      const seventh = (await storedItems(reader)).find(({ itemId }) => itemId === 'S-7');
      if (!changes.some((change) => change.includes(String(-ROWS))))
        expect(seventh?.data).toMatchObject({ mission_id: '1' });
      // Only once.
      await sync(reader, 'INCREMENTAL');
      expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
    },
  );

  test('an INCREMENTAL sync reads only what is new after statements that remove some of the rows', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(
      `CREATE TABLE blade.field.sortie USING DELTA PARTITIONED BY (mission_id) AS ${selectVersion(0)}`,
    );
    await engine.run(`UPDATE blade.field.sortie SET mission_id = '1' WHERE item_id IN ('S-7', 'S-8', 'S-9')`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    await sync(reader, 'INCREMENTAL');
    const last = `item_id = 'S-${ROWS - 1}'`;
    for (const change of [
      `DELETE FROM blade.field.sortie WHERE mission_id = '1' AND item_id = 'S-7'`,
      // All files of a partition.
      `DELETE FROM blade.field.sortie WHERE mission_id = '1' AND item_id IS NOT NULL`,
      `INSERT INTO blade.field.sortie REPLACE WHERE mission_id = '1'
        SELECT item_id, '1' AS mission_id, flight_hours, updated_at FROM blade.field.sortie WHERE ${last}`,
      `MERGE INTO blade.field.sortie AS t USING (SELECT 'S-11' AS item_id) AS s ON t.item_id = s.item_id
        WHEN MATCHED THEN DELETE`,
    ]) {
      await engine.run(change);
      const [read] = (await sync(reader, 'INCREMENTAL'))?.partitions.nodes ?? [];
      expect(read?.readItems).toBeLessThan(3);
      expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
    }
  });

  test('a CLONE that is repeated brings its table up to date, and an INCREMENTAL sync reads what is new', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    for (const name of ['sortie', 'origin', 'copy'])
      await engine.run(`DROP TABLE IF EXISTS blade.field.${name}`);
    await engine.run(`CREATE TABLE blade.field.origin USING DELTA AS ${selectVersion(0)}`);
    await engine.run('CREATE TABLE blade.field.sortie SHALLOW CLONE blade.field.origin');
    const clone = async (name: string) => {
      // Databricks needs no DELETE; Delta itself clones into an empty table only.
      await engine.run('DELETE FROM blade.field.sortie');
      await engine.run(`CREATE OR REPLACE TABLE blade.field.sortie SHALLOW CLONE blade.field.${name}`);
    };
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    await sync(reader, 'INCREMENTAL');
    for (const round of [1, 2]) {
      await engine.run(`INSERT INTO blade.field.origin ${selectSorties(1, round, ROWS + round)}`);
      await clone('origin');
      const read = (await sync(reader, 'INCREMENTAL'))?.partitions.nodes;
      expect(read).toMatchObject([{ isUnchanged: false }]);
      // The row of the watermark is read again.
      expect(read?.[0]?.readItems).toBeLessThan(3);
      expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
      expect(await storedItems(reader)).toHaveLength(ROWS + round);
    }
    // A clone of the clone is one of another table.
    await engine.run('CREATE TABLE blade.field.copy SHALLOW CLONE blade.field.origin');
    await clone('copy');
    await sync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /^The table was replaced by a clone of another one/,
    );
  });

  test('an INCREMENTAL sync reads all of a table that may have been restored in a part of its history that is not kept', {
    timeout: 300_000,
  }, async ({ engine, reader, folder }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    const table = join(folder, 'sortie');
    await engine.run(
      `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.checkpointInterval' = '4') LOCATION '${table}' AS ${selectVersion(0)}`,
    );
    await engine.run(`DELETE FROM blade.field.sortie WHERE item_id = 'S-7'`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    await sync(reader, 'INCREMENTAL');
    expect(await storedItems(reader)).toHaveLength(ROWS - 1);
    await engine.run('RESTORE TABLE blade.field.sortie TO VERSION AS OF 0');
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS)}`);
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 1)}`);
    const log = join(table, '_delta_log');
    // What Delta does with the part of a log before a checkpoint.
    for (const name of await readdir(log))
      if (/^0+[0-3]\.(?:json|crc)$/.test(name)) await rm(join(log, name));
    await sync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /^The history of the table since version 1 is not kept any more, so the table may have been restored to an earlier version: all rows were read/,
    );
    expect(await storedItems(reader)).toHaveLength(ROWS + 2);
    await sync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
  });

  test('an INCREMENTAL sync finds out that its table was restored, while others write to it', {
    timeout: 300_000,
  }, async ({ engine, front, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    await engine.run(`DELETE FROM blade.field.sortie WHERE item_id = 'S-7'`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    await sync(reader, 'INCREMENTAL');
    await engine.run('RESTORE TABLE blade.field.sortie TO VERSION AS OF 0');
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS)}`);
    front.before(/HISTORY .* LIMIT 2$/, async () => {
      await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 1)}`);
      await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 2)}`);
    });
    await sync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /^The table was restored to an earlier version, as version 2: all rows were read/,
    );
    expect(await storedItems(reader)).toHaveLength(ROWS + 1);
  });
});
