import { defineSettings } from '../shared/settings.ts';
import { folderCatalogSettings } from './folder/settings.ts';
import { httpCatalogSettings } from './http/settings.ts';
import type { CatalogConfiguration } from './registry.ts';

/** Which catalog items go to: a catalog service if one is set, and otherwise the folder. */
export const catalogSettings = defineSettings({
  variables: {},
  needs: { folder: folderCatalogSettings, http: httpCatalogSettings },
  toSettings: (_values, { folder, http }): CatalogConfiguration =>
    http === null ? { kind: 'folder', ...folder } : { kind: 'http', ...http },
});
