// The package `blade-ingestion/testing`: proves a warehouse or a catalog, in any test runner.
export { catalogTests, type StoredItem, type TestedCatalog } from './testing/catalog-tests.ts';
export type { ConformanceTest } from './testing/conformance-test.ts';
export {
  type TestedWarehouse,
  type TestTable,
  type WarehouseTestOptions,
  warehouseTests,
} from './testing/warehouse-tests.ts';
