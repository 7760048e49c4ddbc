import { access } from 'node:fs/promises';
import type { WarehouseConfiguration } from './registry.ts';

/**
 * Looks whether a warehouse can be reached, without waking it or running anything on it.
 * @param _timeoutMs how long it may take to answer, in milliseconds.
 * @throws when it cannot be.
 */
export async function checkWarehouse(
  configuration: WarehouseConfiguration,
  _timeoutMs: number,
): Promise<void> {
  switch (configuration.kind) {
    case 'duckdb':
      return access(configuration.folder);
  }
}
