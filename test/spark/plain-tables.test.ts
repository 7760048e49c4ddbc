import { expect } from 'vitest';
import { onEveryFront } from '../support/on-spark.ts';
import { addSource, storedItems } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

async function sync({ client }: TestApplication, syncType: 'FULL' | 'INCREMENTAL') {
  const { id } = await client.startSync({ syncType });
  return client.waitForEnd(id);
}

onEveryFront((test) => {
  test.for(['PARQUET', 'CSV'])(
    'a sync of a table of %s, and of a view of it, reads what others have written to it since the last one',
    { timeout: 300_000 },
    async (format, { engine, reader }) => {
      await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
      await engine.run('DROP VIEW IF EXISTS blade.field.shown');
      await engine.run('DROP TABLE IF EXISTS blade.field.plain');
      await engine.run(`CREATE TABLE blade.field.plain (item_id STRING, mission_id STRING) USING ${format}`);
      await engine.run(
        'CREATE VIEW blade.field.shown AS SELECT * FROM blade.field.plain ORDER BY mission_id',
      );
      await engine.run(`INSERT INTO blade.field.plain VALUES ('A', '0'), ('B', '0')`);
      await addSource(reader, { tableName: 'plain' });
      await addSource(reader, {
        ...{ name: 'Shown', tableName: 'shown', dataType: 'deployment' },
        deletePolicy: 'MARK',
      });
      expect(await sync(reader, 'FULL')).toMatchObject({ progress: { successCount: 4 } });
      await engine.run(`INSERT INTO blade.field.plain VALUES ('C', '1')`);
      expect(await sync(reader, 'FULL')).toMatchObject({ progress: { successCount: 6 } });
      await engine.run(`INSERT OVERWRITE blade.field.plain VALUES ('D', '2')`);
      expect(await sync(reader, 'FULL')).toMatchObject({ state: 'COMPLETED', progress: { successCount: 2 } });
      expect((await storedItems(reader)).map(({ itemId }) => itemId)).toContain('D');
      const added = format === 'CSV' ? 'flight_hours STRING' : 'flight_hours DOUBLE';
      await engine.run('DROP TABLE blade.field.plain');
      await engine.run(
        `CREATE TABLE blade.field.plain (item_id STRING, mission_id STRING, ${added}) USING ${format}`,
      );
      await engine.run(`INSERT INTO blade.field.plain VALUES ('E', '3', 1.5), ('F', '3', 1.5)`);
      expect(await sync(reader, 'FULL')).toMatchObject({ state: 'COMPLETED', progress: { successCount: 4 } });
    },
  );

  test('the cursor of a source can be a column of texts with a collation, which are compared without it', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.plain');
    const text = 'STRING COLLATE UTF8_LCASE';
    await engine.run(
      `CREATE TABLE blade.field.plain (item_id ${text}, mission_id ${text}, added ${text}) USING PARQUET`,
    );
    await engine.run(`INSERT INTO blade.field.plain VALUES ('A', '0', 'b'), ('a', '0', 'B')`);
    await addSource(reader, { tableName: 'plain', cursorColumn: 'added' });
    expect(await sync(reader, 'INCREMENTAL')).toMatchObject({ progress: { successCount: 2, errorCount: 0 } });
    await engine.run(`INSERT INTO blade.field.plain VALUES ('c', '1', 'c'), ('d', '1', 'C')`);
    // Behind the watermark b is c, and not C.
    expect(await sync(reader, 'INCREMENTAL')).toMatchObject({ progress: { successCount: 2, errorCount: 0 } });
    expect((await storedItems(reader)).map(({ itemId }) => itemId).sort()).toEqual(['A', 'a', 'c']);
  });
});
