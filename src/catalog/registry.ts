import type { Catalog } from './catalog.ts';
import { openFolderCatalog } from './folder/catalog.ts';
import { divideHttpCatalogLimits, type HttpCatalogOptions } from './http/options.ts';

/** Which catalog items are uploaded to, and how to reach it. Plain data, to be passed to threads. */
export type CatalogConfiguration =
  | { readonly kind: 'folder'; readonly folder: string }
  | ({ readonly kind: 'http' } & HttpCatalogOptions);

/**
 * Opens the configured catalog. A new kind is a file beside this one and a line here.
 * @throws CatalogError if it cannot be opened.
 */
export async function openCatalog(configuration: CatalogConfiguration): Promise<Catalog> {
  switch (configuration.kind) {
    case 'folder':
      return await openFolderCatalog({ folder: configuration.folder });
    case 'http':
      // Loaded only if it is used: each thread has its own copy of what it loads.
      return await (await import('./http/catalog.ts')).openHttpCatalog(configuration);
  }
}

/** Divides the limits of a configuration among threads, so that all of them together keep to it. */
export function divideCatalogLimits(
  configuration: CatalogConfiguration,
  threads: number,
): CatalogConfiguration {
  return configuration.kind === 'http' ? divideHttpCatalogLimits(configuration, threads) : configuration;
}
