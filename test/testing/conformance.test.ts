import { describe, expect, test } from 'vitest';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { catalogTests } from '../../src/testing/catalog-tests.ts';
import type { ConformanceTest } from '../../src/testing/conformance-test.ts';
import { warehouseTests } from '../../src/testing/warehouse-tests.ts';
import { type RowBatch, type Warehouse, WarehouseError } from '../../src/warehouse/warehouse.ts';
import { openTestedFolder } from '../support/folder-catalog.ts';
import { folderWarehouse, temporaryFolder } from '../warehouse/folder-warehouse.ts';
import { toDuckDbQuery } from '../warehouse/test-table.ts';

/** Runs one of some tests. */
function runTest(tests: readonly ConformanceTest[], name: string): Promise<void> {
  const found = tests.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no test ${name}`);
  return found.run();
}

/** Changes each batch of a warehouse. */
function withBatches(warehouse: Warehouse, change: (batch: RowBatch) => RowBatch): Warehouse {
  return {
    ...warehouse,
    async readRows(statement, options) {
      const { resumed, batches } = await warehouse.readRows(statement, options);
      async function* changed() {
        for await (const batch of batches) yield change(batch);
      }
      return { resumed, batches: changed() };
    },
  };
}

describe('the tests of a warehouse find one that', () => {
  test.each<[fault: string, name: string, spoil: (warehouse: Warehouse) => Warehouse]>([
    [
      'gives a row twice and leaves another out',
      'every row comes once, in batches of at most the size asked for',
      (warehouse) =>
        withBatches(warehouse, (batch) => ({
          ...batch,
          rows: batch.rows.map((row, index) => (index === 1 ? (batch.rows[0] ?? row) : row)),
        })),
    ],
    [
      'says that it resumed, and started over',
      'a read is resumed with the identical rest after a position, or starts over and says so',
      (warehouse) => ({
        ...warehouse,
        readRows: async (statement, options) => ({
          ...(await warehouse.readRows(statement, { ...options, resumeAfter: null })),
          resumed: true,
        }),
      }),
    ],
    [
      'gives different rows one fingerprint',
      'batches have the same fingerprint only if they have the same rows, and none unless asked',
      (warehouse) => ({
        ...warehouse,
        readRows: (statement, options) =>
          withBatches(warehouse, (batch) => ({
            ...batch,
            fingerprint: options.withFingerprints ? 'same' : null,
          })).readRows(statement, options),
      }),
    ],
    [
      'reads on after it was aborted',
      'aborting between two batches ends the stream, with no more rows',
      (warehouse) => ({
        ...warehouse,
        readRows: (statement, options) =>
          warehouse.readRows(statement, { ...options, signal: new AbortController().signal }),
      }),
    ],
    [
      'reads another version than it was asked for',
      'a read of a version has the rows of that version, or fails with CHANGED',
      (warehouse) => ({
        ...warehouse,
        readRows: (statement, options) => warehouse.readRows(statement, { ...options, version: null }),
      }),
    ],
    [
      'shows a parameter in a message',
      'CAST fails where TRY_CAST gives NULL, and the failure shows no parameter',
      (warehouse) => ({
        ...warehouse,
        async readRows(statement, options) {
          if (statement.sql.includes('TRY_CAST')) return warehouse.readRows(statement, options);
          const { text } = statement.parameters;
          throw new WarehouseError('STATEMENT_FAILED', `${text} cannot be cast`);
        },
      }),
    ],
    [
      'loses a zero of a decimal',
      'a value of DECIMAL(5,2) is described as DECIMAL(5,2) and converted to JSON without loss',
      (warehouse) => withBatches(warehouse, (batch) => ({ ...batch, rows: [{ value: 12.5 }] })),
    ],
  ])('%s', async (_fault, name, spoil) => {
    const tests = (change: (warehouse: Warehouse) => Warehouse) =>
      warehouseTests(async () => {
        const { warehouse, write } = await folderWarehouse({});
        const folder = await temporaryFolder();
        return {
          warehouse: change(warehouse),
          writeTable: async (table) => write(`${table.name}.parquet`, await toDuckDbQuery(folder, table)),
        };
      });
    await runTest(
      tests((warehouse) => warehouse),
      name,
    );
    await expect(runTest(tests(spoil), name)).rejects.toThrow();
  });

  test('and leave out what its types do not allow', () => {
    const names = warehouseTests(async () => expect.unreachable(), { types: ['BIGINT', 'STRING', 'ARRAY'] })
      .map(({ name }) => name)
      .filter((name) => name.includes('converted to JSON'));
    expect(names).toEqual([
      expect.stringContaining('a BIGINT that is a safe integer'),
      expect.stringContaining('a BIGINT that is not'),
      expect.stringContaining('the least BIGINT'),
      expect.stringContaining('a value of STRING'),
      expect.stringContaining('a NUL character'),
      expect.stringContaining('an empty STRING'),
      expect.stringContaining('a value of ARRAY<BIGINT>'),
      expect.stringContaining('a value of ARRAY<ARRAY<STRING>>'),
    ]);
  });
});

describe('the tests of a catalog find one that', () => {
  test.each<[fault: string, name: string, spoil: (catalog: Catalog) => Catalog]>([
    [
      'loses an item',
      'a batch of 2,000 items has one outcome an item',
      (catalog) => ({
        ...catalog,
        async upload({ key, items }, signal) {
          await catalog.upload({ key, items: items.slice(1) }, signal);
          return items.map(() => ({ status: 'ACCEPTED' }));
        },
      }),
    ],
    [
      'gives no outcome for some items',
      'each item is stored with its marking, its data and its metadata',
      (catalog) => ({
        ...catalog,
        upload: async (batch, signal) => (await catalog.upload(batch, signal)).slice(1),
      }),
    ],
    [
      'changes its generation with each upload',
      'its generation, if it has one, stays the same while it keeps its uploads',
      (catalog) => {
        let uploads = 0;
        return {
          ...catalog,
          upload: (batch, signal) => {
            uploads++;
            return catalog.upload(batch, signal);
          },
          readGeneration: async () => ({ id: `${uploads}`, wasEmpty: true }),
        };
      },
    ],
    [
      'says that it holds every upload',
      'it finds the uploads that it does not hold, if it can',
      (catalog) => ({ ...catalog, findMissingUploads: async () => [] }),
    ],
    [
      'says that it holds every item',
      'it compares items with what it holds, if it can',
      (catalog) => ({
        ...catalog,
        openLookup: async () => ({
          compare: async (items) => items.map(() => 'HELD'),
          close: async () => {},
        }),
      }),
    ],
    [
      'uploads what was aborted',
      'with an aborted signal nothing is uploaded',
      (catalog) => ({
        ...catalog,
        upload: (batch) => catalog.upload(batch, new AbortController().signal),
      }),
    ],
  ])('%s', async (_fault, name, spoil) => {
    const tests = (change: (catalog: Catalog) => Catalog) =>
      catalogTests(async () => {
        const tested = await openTestedFolder();
        return { ...tested, catalog: change(tested.catalog) };
      });
    await runTest(
      tests((catalog) => catalog),
      name,
    );
    await expect(runTest(tests(spoil), name)).rejects.toThrow();
  });
});
