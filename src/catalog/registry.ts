import type { Catalog } from './catalog.ts';
import { openFolderCatalog } from './folder/catalog.ts';
import { divideHttpCatalogLimits, type HttpCatalogOptions } from './http/options.ts';

/** Which catalog items go to, and what it takes to reach it. Plain data: it can be handed to a thread. */
export type CatalogConfiguration =
  | { readonly kind: 'folder'; readonly folder: string }
  | ({ readonly kind: 'http' } & HttpCatalogOptions);

/**
 * Opens the catalog that the configuration names. A new kind is a file beside this one and a line here.
 * @throws CatalogError when it cannot be opened.
 */
export async function openCatalog(configuration: CatalogConfiguration): Promise<Catalog> {
  switch (configuration.kind) {
    case 'folder':
      return await openFolderCatalog({ folder: configuration.folder });
    case 'http':
      // Loaded only where it is used: a thread has its own copy of all that it loads.
      return await (await import('./http/catalog.ts')).openHttpCatalog(configuration);
  }
}

/** The configuration of one of several threads, so that all of them together keep to the limits. */
export function divideCatalogLimits(
  configuration: CatalogConfiguration,
  threads: number,
): CatalogConfiguration {
  return configuration.kind === 'http' ? divideHttpCatalogLimits(configuration, threads) : configuration;
}
