import type { Warehouse } from '../warehouse.ts';
import type { ReadingLimits } from '../warehouse-definition.ts';

/**
 * Opens a folder of files as a warehouse: `<folder>/<catalog>/<schema>/<table>.(parquet|csv|ndjson)`. Rows from anywhere can
 * be queried once they are written there. DuckDB is loaded only now.
 * @throws WarehouseError UNAVAILABLE if there is no such folder.
 */
export async function openFolderWarehouse(
  options: { readonly folder: string } & ReadingLimits,
): Promise<Warehouse> {
  return (await import('./warehouse.ts')).openDuckDbWarehouse(options);
}
