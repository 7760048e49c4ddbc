import { access } from 'node:fs/promises';
import { defineWarehouse } from '../warehouse-definition.ts';
import { openFolderWarehouse } from './open.ts';
import { folderWarehouseSettings } from './settings.ts';

/** A folder of files, read by DuckDB. */
export const folderWarehouse = defineWarehouse({
  name: 'duckdb',
  settings: folderWarehouseSettings,
  open: ({ folder, memoryMegabytes, diskMegabytes }, limits) =>
    openFolderWarehouse({ folder, memoryMegabytes, diskMegabytes, ...limits }),
  findProblem: async (sql) => (await import('./dialect.ts')).findFolderProblem(sql),
  checkReachable: ({ folder }) => access(folder),
});
