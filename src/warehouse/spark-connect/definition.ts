import { checkPort } from '../spark-sql/check-port.ts';
import { defineWarehouse } from '../warehouse-definition.ts';
import type { SparkRemote } from './connection-string.ts';
import { sparkConnectSettings } from './settings.ts';

/** Any Spark that offers Spark Connect. */
export const sparkConnect = defineWarehouse({
  name: 'spark',
  settings: sparkConnectSettings,
  open: async (remote: SparkRemote, limits) =>
    (await import('./warehouse.ts')).openSparkWarehouse({ remote, ...limits }),
  checkReachable: checkPort,
});
