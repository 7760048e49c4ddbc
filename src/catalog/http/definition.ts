import { defineCatalog } from '../catalog-definition.ts';
import { divideHttpCatalogLimits, type HttpCatalogOptions } from './options.ts';
import { httpCatalogSettings } from './settings.ts';

/** A catalog service. */
export const httpCatalog = defineCatalog({
  name: 'http',
  settings: httpCatalogSettings,
  open: async (settings: HttpCatalogOptions, { threads }) =>
    (await import('./catalog.ts')).openHttpCatalog(divideHttpCatalogLimits(settings, threads)),
});
