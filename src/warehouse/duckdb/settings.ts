import { join, resolve } from 'node:path';
import { z } from 'zod';
import { dataFolderSettings } from '../../database/settings.ts';
import { defineSettings, flag } from '../../shared/settings.ts';

/** The folder warehouse, and whether it is filled with the tables of the demo. */
export const folderWarehouseSettings = defineSettings({
  variables: {
    BLADE_WAREHOUSE_FOLDER: z
      .string()
      .optional()
      .describe('Folder of the folder warehouse: `<catalog>/<schema>/<table>.(parquet|csv|ndjson)`.'),
    BLADE_DEMO_DATA: flag()
      .optional()
      .describe(
        'Fill an empty folder warehouse with demo tables and their sources at first start; `true` unless BLADE_WAREHOUSE_FOLDER is set.',
      ),
  },
  needs: { dataFolder: dataFolderSettings },
  toSettings: ({ BLADE_WAREHOUSE_FOLDER: folder, BLADE_DEMO_DATA: hasDemoData }, { dataFolder }) => ({
    folder: resolve(folder ?? join(dataFolder, 'warehouse')),
    hasDemoData: hasDemoData ?? folder === undefined,
  }),
});
