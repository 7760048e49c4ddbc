import { type CatalogItem, readFolderCatalog } from './folder-catalog.ts';
import type { TestApplication } from './test-application.ts';

/** The items of the catalog's folder, each as its last upload left it, by their ids. */
export async function catalogItems({ catalogFolder }: TestApplication): Promise<Map<string, CatalogItem>> {
  const items = new Map<string, CatalogItem>();
  for await (const item of readFolderCatalog(catalogFolder)) items.set(item.itemId, item);
  return items;
}
