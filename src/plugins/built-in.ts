import { folderCatalog } from '../catalog/folder/definition.ts';
import { httpCatalog } from '../catalog/http/definition.ts';
import { deployment } from '../data-types/deployment.ts';
import { logistics } from '../data-types/logistics.ts';
import { maintenance } from '../data-types/maintenance.ts';
import { sortie } from '../data-types/sortie.ts';
import { databricks } from '../warehouse/databricks/definition.ts';
import { folderWarehouse } from '../warehouse/duckdb/definition.ts';
import { sparkConnect } from '../warehouse/spark-connect/definition.ts';
import type { PluginDefinition } from './plugin.ts';

/**
 * What every program has, as a plug-in would export it. The first warehouse and the first catalog are used if no other is
 * set up.
 */
export const builtIn: readonly PluginDefinition[] = [
  maintenance,
  sortie,
  deployment,
  logistics,
  folderWarehouse,
  databricks,
  sparkConnect,
  folderCatalog,
  httpCatalog,
];
