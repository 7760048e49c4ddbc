import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { onEveryFront } from '../support/on-spark.ts';
import { completeSync, findSource } from '../support/spark/completed-sync.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';

const ROWS = 2_000;

const selectVersion = (version: number, from = 0) => selectSorties(ROWS, version, from);

onEveryFront((test) => {
  test('a table without a new version costs one statement about its history, and none of its rows is read', {
    timeout: 300_000,
  }, async ({ engine, front, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    const first = await completeSync(reader, 'FULL');
    expect(first?.partitions.nodes).toMatchObject([{ isUnchanged: false, readItems: ROWS, tableVersion: 0 }]);
    for (const [syncType, successCount] of [['FULL', ROWS] as const, ['INCREMENTAL', 0] as const]) {
      const before = front.statements.length;
      front.takeScannedRows();
      const again = await completeSync(reader, syncType);
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
    expect((await completeSync(reader, 'FULL'))?.partitions.nodes).toMatchObject([
      { isUnchanged: false, readItems: ROWS, tableVersion: 1 },
    ]);
    const { tableVersion, tableTimestamp } = (await findSource(reader, source)) ?? {};
    expect(tableVersion).toBe(1);
    expect(Date.now() - Date.parse(String(tableTimestamp))).toBeLessThan(300_000);
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
    await completeSync(reader, 'INCREMENTAL');
    for (const round of [1, 2]) {
      await engine.run(`INSERT INTO blade.field.origin ${selectSorties(1, round, ROWS + round)}`);
      await clone('origin');
      const read = (await completeSync(reader, 'INCREMENTAL'))?.partitions.nodes;
      expect(read).toMatchObject([{ isUnchanged: false }]);
      // The row of the watermark is read again.
      expect(read?.[0]?.readItems).toBeLessThan(3);
      expect((await findSource(reader, source))?.lastSyncMessage).toBeNull();
      expect(await storedItems(reader)).toHaveLength(ROWS + round);
    }
    // A clone of the clone is one of another table.
    await engine.run('CREATE TABLE blade.field.copy SHALLOW CLONE blade.field.origin');
    await clone('copy');
    await completeSync(reader, 'INCREMENTAL');
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
    await completeSync(reader, 'INCREMENTAL');
    expect(await storedItems(reader)).toHaveLength(ROWS - 1);
    await engine.run('RESTORE TABLE blade.field.sortie TO VERSION AS OF 0');
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS)}`);
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 1)}`);
    const log = join(table, '_delta_log');
    // What Delta does with the part of a log before a checkpoint.
    for (const name of await readdir(log))
      if (/^0+[0-3]\.(?:json|crc)$/.test(name)) await rm(join(log, name));
    await completeSync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /^The history of the table since version 1 is not kept any more, so the table may have been restored to an earlier version: all rows were read/,
    );
    expect(await storedItems(reader)).toHaveLength(ROWS + 2);
    await completeSync(reader, 'INCREMENTAL');
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
    await completeSync(reader, 'INCREMENTAL');
    await engine.run('RESTORE TABLE blade.field.sortie TO VERSION AS OF 0');
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS)}`);
    front.before(/HISTORY .* LIMIT 2$/, async () => {
      await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 1)}`);
      await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(1, 1, ROWS + 2)}`);
    });
    await completeSync(reader, 'INCREMENTAL');
    expect((await findSource(reader, source))?.lastSyncMessage).toMatch(
      /^The table was restored to an earlier version, as version 2: all rows were read/,
    );
    expect(await storedItems(reader)).toHaveLength(ROWS + 1);
  });
});
