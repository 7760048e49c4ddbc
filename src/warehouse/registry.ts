import { openDuckDbWarehouse } from './duckdb.ts';
import type { Warehouse } from './warehouse.ts';

/** Which warehouse rows come from, and what it takes to reach it. Plain data: it can be handed to a thread. */
export type WarehouseConfiguration = { readonly kind: 'duckdb'; readonly folder: string };

/**
 * Opens the warehouse that the configuration names. A new kind is a file beside this one and a line here.
 * @throws WarehouseError UNAVAILABLE when it cannot be opened.
 */
export async function openWarehouse(configuration: WarehouseConfiguration): Promise<Warehouse> {
  switch (configuration.kind) {
    case 'duckdb':
      return await openDuckDbWarehouse({ folder: configuration.folder });
  }
}
