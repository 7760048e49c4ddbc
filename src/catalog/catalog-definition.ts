import type { Definition } from '../shared/definition.ts';
import type { Catalog } from './catalog.ts';

/** A kind of catalog. */
export interface CatalogDefinition<Settings = unknown> extends Definition<Settings> {
  readonly kind: 'catalog';
  /**
   * Opens the catalog in a worker thread, once a thread.
   * @param sharing.threads how many threads of the process have it open: divide a limit among them.
   * @throws CatalogError if it cannot be opened.
   */
  open(settings: Settings, sharing: { readonly threads: number }): Catalog | Promise<Catalog>;
}

/** Defines a kind of catalog, which a program uses once its settings are set. */
export function defineCatalog<Settings>(
  definition: Omit<CatalogDefinition<Settings>, 'kind'>,
): CatalogDefinition<Settings> {
  return { kind: 'catalog', ...definition };
}
