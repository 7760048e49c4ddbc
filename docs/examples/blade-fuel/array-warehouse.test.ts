import { test } from 'node:test';
import type { Row } from 'blade-ingestion';
import { warehouseTests } from 'blade-ingestion/testing';
import { openArrayWarehouse } from './array-warehouse.ts';

const tests = warehouseTests(
  async () => {
    const tables = new Map<string, readonly Row[]>();
    return {
      warehouse: await openArrayWarehouse(tables, {}),
      writeTable: async ({ name, rows }) => void tables.set(name, rows),
    };
  },
  // Rows as JSON have no other types.
  { types: ['BOOLEAN', 'STRING'] },
);

for (const { name, run } of tests) test(name, run);
