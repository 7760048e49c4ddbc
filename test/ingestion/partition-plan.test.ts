import { type parse as parseSql, transpile } from '@polyglot-sql/sdk';
import { describe, expect, test, vi } from 'vitest';
import { createDataTypes } from '../../src/data-types/data-types.ts';
import { sortie } from '../../src/data-types/sortie.ts';
import { planPartition } from '../../src/ingestion/partition-plan.ts';
import type { TableInput } from '../../src/ingestion/plan-parts.ts';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { parseStatement } from '../../src/sql-check/parse-statement.ts';
import { folderWarehouse } from '../warehouse/folder-warehouse.ts';
import { batchesOf, fieldTable, never } from '../warehouse/reading.ts';

const parsed: string[] = [];

// Files share their modules, which may have loaded the parser before.
vi.hoisted(() => vi.resetModules());

vi.mock(import('@polyglot-sql/sdk'), async (load) => {
  const library = await load();
  const parse: typeof parseSql = (sql, ...rest) => {
    parsed.push(sql);
    return library.parse(sql, ...rest);
  };
  return { ...library, parse, transpile: vi.fn(library.transpile) };
});

const INPUT: TableInput = {
  ...{ kind: 'TABLE', table: fieldTable('sortie'), dataType: 'sortie', syncType: 'FULL' },
  ...{ filter: "flight_hours > 2 and mission_status <> 'CANCELLED'", maxItems: null },
  ...{ cursorColumn: 'updated_at', watermark: null, lookback: 0, partitionRows: 1_000 },
  ...{ watermarkVersion: null, copy: null, schema: null, choice: null, deletesGone: false },
};

const ROWS = `SELECT 'S-' || i AS item_id, i AS flight_hours, 'FLOWN' AS mission_status,
  TIMESTAMP '2024-01-01' + to_seconds(i) AS updated_at, i::DECIMAL(10, 2) AS hours FROM range(100) t(i)`;

async function planSorties(input: Partial<TableInput> = {}) {
  const { warehouse, write } = await folderWarehouse();
  await write('sortie.parquet', ROWS);
  const dataTypes = createDataTypes([sortie]);
  const context = { warehouse, dataTypes, allowedSchemas: ANY_SCHEMA, latestWatermark: null, signal: never };
  const partitions = await planPartition(context, { ...INPUT, ...input });
  const statements = partitions.map(({ plan }) => {
    if (plan.kind !== 'STATEMENT') throw new Error('a table is read by a statement');
    return plan.statement;
  });
  return { warehouse, statements };
}

describe('a later attempt reads the text that was planned, so it resumes where the first one ended', () => {
  test.each<[name: string, input: Partial<TableInput>]>([
    ['of a whole source', {}],
    ['without a filter', { filter: null }],
    ['without a cursor column', { cursorColumn: null }],
    ['up to a limit', { maxItems: 10 }],
    ['split into partitions', { partitionRows: 20 }],
    [
      'past a watermark',
      { syncType: 'INCREMENTAL', watermark: { value: '2024-01-01 00:00:10', type: 'TIMESTAMP_NTZ' } },
    ],
    [
      'past a watermark up to a limit',
      { syncType: 'INCREMENTAL', watermark: { value: '2024-01-01', type: null }, maxItems: 10 },
    ],
    [
      'by a decimal',
      { syncType: 'INCREMENTAL', cursorColumn: 'hours', watermark: { value: '1.5', type: 'DECIMAL(10,2)' } },
    ],
    [
      'by a text',
      { syncType: 'INCREMENTAL', cursorColumn: 'item_id', watermark: { value: 'S-3', type: 'STRING' } },
    ],
  ])('%s', async (_name, input) => {
    const { statements } = await planSorties(input);
    expect(statements).not.toHaveLength(0);
    for (const statement of statements) {
      const { sql, parameters, withUnreadable } = JSON.parse(JSON.stringify(statement));
      expect(parseStatement({ sql, parameters, withUnreadable }, ANY_SCHEMA)).toEqual(statement);
    }
  });
});

test('a partition with a filter is planned and read with one parse of each text', async () => {
  parsed.length = 0;
  vi.mocked(transpile).mockClear();
  const { warehouse, statements } = await planSorties();
  for (const statement of statements) await batchesOf(warehouse, statement, 1_000);
  const texts = parsed.filter((sql) => sql.includes('flight_hours'));
  // The filter as it was written and as it is sent, and the translations of the two statements.
  expect(texts).toHaveLength(4);
  expect(new Set(texts).size).toBe(texts.length);
  // Read and written as trees.
  expect(transpile).not.toHaveBeenCalled();
});
