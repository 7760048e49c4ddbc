import { expect } from 'vitest';
import type { RowBatch, Warehouse } from '../../src/warehouse/warehouse.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { JobProgress, PauseJob, ResumeJob } from '../support/operations.ts';
import { selectSorties } from '../support/spark/sorties.ts';
import { addSource, storedItems, uuid } from '../support/tables.ts';
import { fieldTable, never, statement } from '../warehouse/reading.ts';

const ROWS = 20_000;

const selectVersion = (version: number, from = 0) => selectSorties(ROWS, version, from);

async function readVersion(warehouse: Warehouse, version: string | null): Promise<RowBatch[]> {
  const options = { batchSize: 1_000, resumeAfter: null, signal: never, version };
  const { batches } = await warehouse.readRows(statement('SELECT * FROM blade.field.sortie'), options);
  return Array.fromAsync(batches);
}

/** What is committed while a sync reads. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['an UPDATE of all rows', `UPDATE blade.field.sortie SET mission_id = '1'`],
  [
    'a DELETE of half of the rows',
    `DELETE FROM blade.field.sortie WHERE updated_at < timestamp_micros(${ROWS / 2})`,
  ],
  ['an INSERT of as many rows', `INSERT INTO blade.field.sortie ${selectVersion(1, ROWS)}`],
  ['CREATE OR REPLACE', `CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS ${selectVersion(1)}`],
  ['new ids for all rows', `UPDATE blade.field.sortie SET item_id = concat('N-', item_id)`],
  ['DROP COLUMN', `ALTER TABLE blade.field.sortie DROP COLUMN flight_hours`],
];

onEveryFront((test) => {
  test.for(CHANGES)(
    'a sync in several partitions has one version, whatever is committed meanwhile: %s',
    {
      timeout: 300_000,
    },
    async ([, change], { engine, front, reader }) => {
      const { client } = reader;
      await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
      await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
      await engine.run(
        `CREATE TABLE blade.field.sortie USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name') AS ${selectVersion(0)}`,
      );
      await addSource(reader, { cursorColumn: 'updated_at' });
      const { id } = await client.startSync({ syncType: 'FULL', options: { partitionRows: ROWS / 4 } });
      for await (const { jobProgress } of client.watch(JobProgress, { id })) {
        if (jobProgress.progress.successCount === 0) continue;
        await engine.run(change);
        break;
      }
      expect(await client.waitForEnd(id)).toMatchObject({
        state: 'COMPLETED',
        progress: { totalItems: ROWS, successCount: ROWS, errorCount: 0 },
      });
      const reads = front.statements.filter(({ sql }) => /VERSION AS OF 0\b.*bucket/s.test(sql));
      expect(reads.length).toBeGreaterThan(2);
      const items = await storedItems(reader);
      expect(items).toHaveLength(ROWS);
      expect(new Set(items.map(({ data }) => (data as { mission_id: string }).mission_id))).toEqual(
        new Set(['0']),
      );
      expect(new Set(items.map(({ itemId }) => itemId.slice(0, 2)))).toEqual(new Set(['S-']));
    },
  );

  test('a table that is dropped and created again while its sync is paused is read again, whole', {
    timeout: 300_000,
  }, async ({ engine, reader }) => {
    const { client } = reader;
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run('DROP TABLE IF EXISTS blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    await addSource(reader);
    const { id } = await client.startSync({
      syncType: 'FULL',
      options: { partitionRows: ROWS / 4, batchSize: 500 },
    });
    let isPausing = false;
    for await (const { jobProgress } of client.watch(JobProgress, { id })) {
      if (jobProgress.state === 'PAUSED') break;
      if (isPausing || jobProgress.progress.successCount === 0) continue;
      isPausing = true;
      await client.send(PauseJob, { input: { id } });
    }
    await engine.run('DROP TABLE blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(1)}`);
    await client.send(ResumeJob, { input: { id } });
    expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
    const items = await storedItems(reader);
    expect(items).toHaveLength(ROWS);
    expect(new Set(items.map(({ data }) => (data as { mission_id: string }).mission_id))).toEqual(
      new Set(['1']),
    );
  });

  test('a large table is one partition and scanned once, besides its watermark, by statements that name the job', {
    timeout: 300_000,
  }, async ({ engine, front, reader }) => {
    const { client } = reader;
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    await addSource(reader);
    front.takeScannedRows();
    const { id } = await client.startSync({ syncType: 'FULL' });
    expect(await client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: ROWS },
    });
    expect(front.takeScannedRows()).toBeLessThan(1.1 * ROWS);
    const tags = new Set(front.statements.map(({ tag }) => tag?.replace(/ partition .*/, '')));
    expect(tags).toEqual(new Set([`BLADE job ${uuid(id)}`]));
  });

  test('another table that takes the name between two statements is noticed, though it has the version, too', {
    timeout: 300_000,
  }, async ({ engine, front, open }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    await engine.run('DROP TABLE blade.field.sortie');
    await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    let isSwapped = false;
    const warehouse = await open(front.openWarehouse());
    const version = await warehouse.findVersion([fieldTable('sortie')], never);
    // After everything that was asked about it.
    front.before(/VERSION AS OF/, async () => {
      await engine.run('DROP TABLE blade.field.sortie');
      await engine.run(`CREATE TABLE blade.field.sortie USING DELTA AS ${selectVersion(1)}`);
      isSwapped = true;
    });
    await expect(readVersion(warehouse, version)).rejects.toMatchObject({ code: 'CHANGED' });
    expect(isSwapped).toBe(true);
  });

  test('a version whose files were removed by VACUUM is gone, and says so', {
    timeout: 300_000,
  }, async ({ engine, front, open }) => {
    await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
    await engine.run(`CREATE OR REPLACE TABLE blade.field.sortie USING DELTA AS ${selectVersion(0)}`);
    const warehouse = await open(front.openWarehouse());
    const version = await warehouse.findVersion([fieldTable('sortie')], never);
    await engine.run(`UPDATE blade.field.sortie SET mission_id = '1'`);
    await engine.run('VACUUM blade.field.sortie RETAIN 0 HOURS');
    await expect(readVersion(warehouse, version)).rejects.toMatchObject({ code: 'CHANGED' });
  });
});
