import { join, resolve } from 'node:path';
import { z } from 'zod';
import { dataFolderSettings } from '../../database/settings.ts';
import { defineSettings, flag, wholeNumber } from '../../shared/settings.ts';
import { DEFAULT_DISK_MEGABYTES, DEFAULT_MEMORY_MEGABYTES } from './limits.ts';

/** The folder warehouse, and whether it is filled with the tables of the demo. */
export const folderWarehouseSettings = defineSettings({
  variables: {
    BLADE_WAREHOUSE_FOLDER: z
      .string()
      .optional()
      .describe('Folder of the folder warehouse: files or folders `<catalog>/<schema>/<table>`.'),
    BLADE_DEMO_DATA: flag()
      .optional()
      .describe(
        'Fill an empty folder warehouse with demo tables and their sources at first start; `true` unless BLADE_WAREHOUSE_FOLDER is set.',
      ),
    BLADE_WAREHOUSE_MEMORY_MB: wholeNumber(384, 1_000_000)
      .default(DEFAULT_MEMORY_MEGABYTES)
      .describe('Most memory of one engine of the folder warehouse, in megabytes.'),
    BLADE_WAREHOUSE_DISK_MB: wholeNumber(0, 100_000_000)
      .default(DEFAULT_DISK_MEGABYTES)
      .describe('Most temporary disk of one engine of the folder warehouse, in megabytes.'),
  },
  needs: { dataFolder: dataFolderSettings },
  toSettings: (
    { BLADE_WAREHOUSE_FOLDER: folder, BLADE_DEMO_DATA: hasDemoData, ...limits },
    { dataFolder },
  ) => ({
    folder: resolve(folder ?? join(dataFolder, 'warehouse')),
    hasDemoData: hasDemoData ?? folder === undefined,
    memoryMegabytes: limits.BLADE_WAREHOUSE_MEMORY_MB,
    diskMegabytes: limits.BLADE_WAREHOUSE_DISK_MB,
  }),
});
