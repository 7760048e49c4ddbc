import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSortieTable } from '../../src/warehouse/demo/sortie-table.ts';
import { readFolderCatalog } from '../support/folder-catalog.ts';
import { SaveDataSource } from '../support/operations.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterAll(() => application.close());

test('a full sync stores every row of its source and uploads it to the catalog', async () => {
  const { client, warehouseFolder, catalogFolder, database } = application;
  const table = { catalog: 'blade', schema: 'field', table: 'sortie' };
  await createSortieTable({ folder: warehouseFolder, table, rows: 5_000 });
  await client.send(SaveDataSource, {
    input: {
      name: 'Sorties',
      dataType: 'sortie',
      catalogName: 'blade',
      schemaName: 'field',
      tableName: 'sortie',
      cursorColumn: 'updated_at',
    },
  });
  const job = await client.startSync({ syncType: 'FULL' });
  const end = await client.waitForEnd(job.id);
  expect(end).toMatchObject({
    state: 'COMPLETED',
    progress: { totalItems: 5_000, successCount: 5_000, errorCount: 0 },
  });
  const catalogIds = new Set<string>();
  for await (const item of readFolderCatalog(catalogFolder)) catalogIds.add(item.catalogId);
  expect(catalogIds.size).toBe(5_000);
  const { rows } = await database.pool.query(
    'select count(*)::int as n from blade_item join upload_batch on id = upload_batch_id and uploaded_at is not null',
  );
  expect(rows[0].n).toBe(5_000);
});
