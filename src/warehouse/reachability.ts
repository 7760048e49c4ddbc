import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { connect } from 'node:net';
import type { WarehouseConfiguration } from './registry.ts';

/**
 * Looks whether a warehouse can be reached, without waking it or running anything on it.
 * @param timeoutMs how long it may take to answer, in milliseconds.
 * @throws when it cannot be.
 */
export async function checkWarehouse(
  configuration: WarehouseConfiguration,
  timeoutMs: number,
): Promise<void> {
  switch (configuration.kind) {
    case 'duckdb':
      return access(configuration.folder);
    case 'databricks':
      return checkPort(configuration.host, configuration.port ?? 443, timeoutMs);
  }
}

async function checkPort(host: string, port: number, timeoutMs: number): Promise<void> {
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
  } finally {
    socket.destroy();
  }
}
