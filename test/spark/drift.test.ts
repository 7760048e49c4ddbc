import { expect } from 'vitest';
import type { StartSyncInput } from '../generated/graphql.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { DriftReads } from '../support/operations.ts';
import { runSync } from '../support/spark/completed-sync.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems } from '../support/tables.ts';
import type { TestApplication } from '../support/test-application.ts';

const ROWS = 2_000;

async function sync(application: TestApplication, source: string, input: StartSyncInput) {
  const id = await runSync(application, input);
  const { dataSource, job } = await application.client.send(DriftReads, { source, job: id });
  return { ...dataSource, readItems: job?.partitions.nodes.reduce((sum, part) => sum + part.readItems, 0) };
}

const INCREMENTAL = { syncType: 'INCREMENTAL' } as const;

onEveryFront((test) => {
  test('a row that is committed late with a cursor before the watermark is reported, and read by the next INCREMENTAL sync', {
    timeout: 300_000,
  }, async ({ engine, front, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(
      `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS ${selectSorties(ROWS, 0)}`,
    );
    const source = await addSource(reader, { cursorColumn: 'updated_at' });
    expect(await sync(reader, source, INCREMENTAL)).toMatchObject({ drift: 0, driftMessage: null });

    await engine.run(`INSERT INTO blade.field.sortie SELECT 'LATE', '1', 1.5D, timestamp_micros(7)`);
    await engine.run(`INSERT INTO blade.field.sortie ${selectSorties(10, 1, ROWS)}`);
    await engine.run(
      `UPDATE blade.field.sortie SET updated_at = timestamp_micros(9000) WHERE item_id = 'S-7'`,
    );
    front.takeScannedRows();
    expect(await sync(reader, source, INCREMENTAL)).toMatchObject({
      drift: 1,
      driftMessage: expect.stringMatching(/^1 row of the table is not in the copy: run a FULL sync/),
      readItems: 12,
    });

    expect(await sync(reader, source, INCREMENTAL)).toMatchObject({
      drift: 0,
      lastSyncMessage: expect.stringMatching(/^The copy lacked 1 row of the table.*: all rows were read/),
      readItems: ROWS + 11,
    });
    expect((await storedItems(reader)).map(({ itemId }) => itemId)).toContain('LATE');

    await engine.run(`INSERT INTO blade.field.sortie SELECT 'NEW', '1', 1.5D, timestamp_micros(9001)`);
    front.takeScannedRows();
    expect(await sync(reader, source, INCREMENTAL)).toMatchObject({ drift: 0, readItems: 2 });
    // The count of the table scans nothing.
    expect(front.takeScannedRows()).toBeLessThanOrEqual(2 * (ROWS + 12));
  });

  test('a view is read by one statement; a job that asks for several says that they are from different moments', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE OR REPLACE TABLE blade.field.flown USING DELTA AS ${selectSorties(ROWS, 0)}`);
    await engine.run('CREATE OR REPLACE VIEW blade.field.flights AS SELECT * FROM blade.field.flown');
    const source = await addSource(reader, { tableName: 'flights' });
    expect(await sync(reader, source, { syncType: 'FULL' })).toMatchObject({
      lastSyncMessage: null,
      drift: 0,
    });
    const options = { partitionRows: ROWS / 2 };
    expect(await sync(reader, source, { syncType: 'FULL', options })).toMatchObject({
      lastSyncMessage: expect.stringMatching(/its partitions were read at different moments/),
      drift: 0,
    });
  });
});
