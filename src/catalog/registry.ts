import type { Catalog } from './catalog.ts';
import { openFolderCatalog } from './folder.ts';

/** Which catalog items go to, and what it takes to reach it. Plain data: it can be handed to a thread. */
export type CatalogConfiguration = { readonly kind: 'folder'; readonly folder: string };

/**
 * Opens the catalog that the configuration names. A new kind is a file beside this one and a line here.
 * @throws CatalogError when it cannot be opened.
 */
export async function openCatalog(configuration: CatalogConfiguration): Promise<Catalog> {
  switch (configuration.kind) {
    case 'folder':
      return await openFolderCatalog({ folder: configuration.folder });
  }
}
