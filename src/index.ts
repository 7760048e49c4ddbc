// The package `blade-ingestion`: runs the program inside another one, and defines what plug-ins add to it.
export { type Blade, type BladeOptions, createBlade, type StartedBlade } from './blade.ts';
export type {
  Catalog,
  CatalogGeneration,
  CatalogLookup,
  CatalogUpload,
  HeldState,
  ItemKey,
  RemovalOutcome,
  UploadOutcome,
} from './catalog/catalog.ts';
export { type CatalogDefinition, defineCatalog } from './catalog/catalog-definition.ts';
export { CatalogError } from './catalog/catalog-error.ts';
export type { BladeItem } from './data-types/blade-item.ts';
export type { ColumnKind } from './data-types/column-kind.ts';
export { type DataType, type DataTypeFacts, defineDataType } from './data-types/data-type.ts';
export type { Marking } from './data-types/marking.ts';
export { defineSettings, type SettingsSlice, secret } from './shared/settings.ts';
export { openFolderWarehouse } from './warehouse/duckdb/open.ts';
export type {
  AllowedTable,
  CheckedSql,
  CheckedStatement,
  OnWaiting,
  ParameterValue,
  ReadOptions,
  ReadPosition,
  Row,
  RowBatch,
  RowStream,
  TableColumn,
  TableName,
  Warehouse,
  WarehouseErrorCode,
} from './warehouse/warehouse.ts';
export { WarehouseError } from './warehouse/warehouse.ts';
export {
  defineWarehouse,
  type ReadingLimits,
  type WarehouseDefinition,
} from './warehouse/warehouse-definition.ts';
