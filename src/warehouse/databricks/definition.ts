import { once } from 'node:events';
import { connect } from 'node:net';
import { defineWarehouse } from '../warehouse-definition.ts';
import type { DatabricksOptions } from './session.ts';
import { databricksSettings } from './settings.ts';

/** A SQL warehouse of Databricks. */
export const databricks = defineWarehouse({
  name: 'databricks',
  settings: databricksSettings,
  open: async (settings: DatabricksOptions, limits) =>
    (await import('./warehouse.ts')).openDatabricksWarehouse({ ...settings, ...limits }),
  async checkReachable({ host, port = 443 }, timeoutMs) {
    const socket = connect({ host, port });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(timeoutMs) });
    } finally {
      socket.destroy();
    }
  },
});
