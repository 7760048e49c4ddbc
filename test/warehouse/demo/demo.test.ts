import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRegistry } from '../../../src/plugins/registry.ts';
import { createDemoTables, DEMO_SOURCES } from '../../../src/warehouse/demo/demo-tables.ts';
import { openFolderWarehouse } from '../../../src/warehouse/duckdb/open.ts';
import { createSortieTable } from '../../support/sortie-table.ts';
import { folderWarehouse, temporaryFolder } from '../folder-warehouse.ts';
import { batchesOf, fieldTable, never, statement } from '../reading.ts';

test('an empty folder gets the tables of all demo sources, the same each time, and once', async () => {
  const folders = [await temporaryFolder(), await temporaryFolder()];
  for (const folder of folders) expect(await createDemoTables(folder)).toBe(true);
  for (const folder of folders) expect(await createDemoTables(folder)).toBe(false);
  const [first = '', second = ''] = folders;
  const files = (await readdir(join(first, 'blade', 'field'))).sort();
  expect(files).toEqual(['deployment.ndjson', 'logistics.csv', 'maintenance.csv', 'sortie.parquet']);
  for (const file of files) {
    const path = join('blade', 'field', file);
    expect((await readFile(join(first, path))).equals(await readFile(join(second, path)))).toBe(true);
  }
});

test('two processes that fill one folder do not meet', async () => {
  const folder = await temporaryFolder();
  const made = await Promise.all([createDemoTables(folder), createDemoTables(folder)]);
  expect(made.sort()).toEqual([false, true]);
  expect(await readdir(folder)).toEqual(['blade']);
});

test('each table has the columns of its data type, a cursor, and few rows that cannot become items', async () => {
  const folder = await temporaryFolder();
  await createDemoTables(folder);
  const warehouse = await openFolderWarehouse({ folder });
  const { dataTypes } = createRegistry([]);
  try {
    for (const { dataType, table, cursorColumn } of DEMO_SOURCES) {
      const columns = await warehouse.describeTable(fieldTable(table.table), never);
      expect(columns).toContainEqual({ name: cursorColumn, type: 'TIMESTAMP_NTZ' });
      const names = columns.map((column) => column.name);
      const known = (dataTypes.find(dataType)?.columns ?? []).map(({ name }) => name);
      expect(known.length).toBeGreaterThan(10);
      expect(names).toEqual(expect.arrayContaining(known));
      expect(names.filter((name) => !known.includes(name) && name !== 'classification_marking')).toEqual([
        'updated_at',
      ]);
    }
    const count = async (sql: string) => await warehouse.countRows(statement(sql), never);
    expect(await count('SELECT * FROM blade.field.sortie')).toBe(20_000);
    expect(await count('SELECT * FROM blade.field.maintenance')).toBe(5000);
    expect(await count('SELECT * FROM blade.field.deployment')).toBe(1000);
    expect(await count('SELECT * FROM blade.field.logistics')).toBe(8000);
    for (const [bad, from] of [
      ['TRY_CAST(quantity AS INT) IS NULL', 'logistics'],
      ['TRY_CAST(personnel_count AS INT) IS NULL', 'deployment'],
      ['TRY_CAST(estimated_completion AS TIMESTAMP_NTZ) IS NULL', 'maintenance'],
      ["classification_marking = 'COSMIC'", 'maintenance'],
      ['item_id IS NULL AND shipment_id IS NULL', 'logistics'],
      ['item_id IS NULL AND work_order IS NOT NULL', 'maintenance'],
      ['item_id IS NULL AND mission_id IS NOT NULL', 'sortie'],
    ]) {
      const rows = await count(`SELECT * FROM blade.field.${from} WHERE ${bad}`);
      expect(rows, bad).toBeGreaterThan(1);
      expect(rows, bad).toBeLessThan(60);
    }
  } finally {
    await warehouse.close();
  }
});

test('a table of sorties of any size is made of real flights', async () => {
  const { warehouse, folder } = await folderWarehouse();
  const table = { catalog: 'blade', schema: 'field', table: 'many' };
  await createSortieTable({ folder, table, rows: 5000 });
  const batches = await batchesOf(warehouse, statement('SELECT * FROM blade.field.many'), 1000);
  const rows = batches.flatMap((batch) => batch.rows);
  expect(new Set(rows.map((row) => row.item_id)).size).toBe(5000);
  expect(rows[0]).toMatchObject({
    departure_base: 'LAS',
    destination_base: 'PHL',
    scheduled_departure: '2001-01-01T00:01:00',
  });
  await createSortieTable({ folder, table, rows: 10 });
  expect(await warehouse.countRows(statement('SELECT * FROM blade.field.many'), never)).toBe(10);
  await expect(createSortieTable({ folder, table, rows: 3_000_001 })).rejects.toThrow(RangeError);
});
