import { join, resolve } from 'node:path';
import { z } from 'zod';
import { dataFolderSettings } from '../../database/settings.ts';
import { defineSettings } from '../../shared/settings.ts';

export const folderCatalogSettings = defineSettings({
  variables: {
    BLADE_CATALOG_FOLDER: z.string().optional().describe('Folder of the folder catalog.'),
  },
  needs: { dataFolder: dataFolderSettings },
  toSettings: ({ BLADE_CATALOG_FOLDER: folder }, { dataFolder }) => ({
    folder: resolve(folder ?? join(dataFolder, 'catalog')),
  }),
});
