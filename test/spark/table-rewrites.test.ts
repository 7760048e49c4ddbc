import { expect } from 'vitest';
import { onEveryFront } from '../support/on-spark.ts';
import { AcceptSchemaChange } from '../support/operations.ts';
import { completeSync, findSource } from '../support/spark/completed-sync.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';

const ROWS = 2_000;

const selectVersion = (version: number, from = 0) => selectSorties(ROWS, version, from);

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
    'a DELETE of all rows that deletion vectors have left, and others before the watermark',
    [
      `ALTER TABLE blade.field.sortie SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')`,
      `DELETE FROM blade.field.sortie WHERE flight_hours >= 0 AND item_id IN ('S-7', 'S-8')`,
      `DELETE FROM blade.field.sortie WHERE item_id IS NOT NULL`,
      `INSERT INTO blade.field.sortie ${selectVersion(1, -ROWS)}`,
    ],
    /^All rows of the table were deleted, as version 3: all rows were read/,
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
      await completeSync(reader, 'INCREMENTAL');
      const before = (await findSource(reader, source))?.watermark;
      for (const change of changes) await engine.run(change);
      if (changes.some((change) => change.includes('DROP COLUMN updated_at'))) {
        const { id } = await reader.client.startSync({ syncType: 'INCREMENTAL' });
        expect(await reader.client.waitForEnd(id)).toMatchObject({ state: 'FAILED' });
        await reader.client.send(AcceptSchemaChange, { input: { id: source } });
      }
      await completeSync(reader, 'INCREMENTAL');
      const found = await findSource(reader, source);
      expect(found?.lastSyncMessage).toMatch(message);
      expect(found?.watermark).not.toBe(before);
      const seventh = (await storedItems(reader)).find(({ itemId }) => itemId === 'S-7');
      if (!changes.some((change) => change.includes(String(-ROWS))))
        expect(seventh?.data).toMatchObject({ mission_id: '1' });
      // Only once.
      await completeSync(reader, 'INCREMENTAL');
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
    await completeSync(reader, 'INCREMENTAL');
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
      const [read] = (await completeSync(reader, 'INCREMENTAL'))?.partitions.nodes ?? [];
      expect(read?.readItems).toBeLessThan(3);
      expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
    }
  });
});
