import { checkPort } from '../spark-sql/check-port.ts';
import { defineWarehouse } from '../warehouse-definition.ts';
import type { DatabricksOptions } from './session.ts';
import { databricksSettings } from './settings.ts';

/** A SQL warehouse of Databricks. */
export const databricks = defineWarehouse({
  name: 'databricks',
  settings: databricksSettings,
  open: async (settings: DatabricksOptions, limits) =>
    (await import('./warehouse.ts')).openDatabricksWarehouse({ ...settings, ...limits }),
  checkReachable: ({ host, port = 443 }, timeoutMs) => checkPort({ host, port }, timeoutMs),
});
