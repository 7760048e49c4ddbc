import { defineCatalog } from '../catalog-definition.ts';
import { folderCatalogSettings } from './settings.ts';

/** A folder of files, for running without a catalog service. */
export const folderCatalog = defineCatalog({
  name: 'folder',
  settings: folderCatalogSettings,
  open: async (settings) => (await import('./catalog.ts')).openFolderCatalog(settings),
});
