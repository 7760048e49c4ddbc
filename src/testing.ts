// The package `blade-ingestion/testing`: proves a warehouse or a catalog, in any test runner.
export { ANY_SCHEMA } from './sql-check/allowed-schemas.ts';
export { allowTable } from './sql-check/checked-statement.ts';
export { parseStatement } from './sql-check/parse-statement.ts';
export { catalogTests, type StoredItem, type TestedCatalog } from './testing/catalog-tests.ts';
export type { ConformanceTest } from './testing/conformance-test.ts';
export {
  type TestedWarehouse,
  type TestTable,
  type WarehouseTestOptions,
  warehouseTests,
} from './testing/warehouse-tests.ts';
