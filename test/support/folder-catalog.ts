import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderCatalog } from '../../src/catalog/folder/catalog.ts';
import { readLines, readPresentUploads, toSegmentPath } from '../../src/catalog/folder/files.ts';
import type { Marking } from '../../src/data-types/marking.ts';
import type { JsonObject } from '../../src/shared/json.ts';
import type { StoredItem, TestedCatalog } from '../../src/testing.ts';

/** An item in the catalog. */
export interface CatalogItem {
  readonly catalogId: string;
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: Marking;
  readonly contentHash: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

/**
 * Reads the items of a folder catalog, each once, those of the last upload first. Takes memory for their ids only, and may
 * miss what is uploaded meanwhile.
 */
export async function* readFolderCatalog(folder: string): AsyncGenerator<CatalogItem> {
  const seen = new Set<string>();
  for (const { key, dataTypes } of (await readPresentUploads(folder)).reverse()) {
    for (const dataType of dataTypes) {
      for await (const line of readLines(toSegmentPath(folder, dataType, key))) {
        const item: CatalogItem = JSON.parse(line);
        const identity = `${dataType}/${item.itemId}`;
        if (!seen.has(identity)) {
          seen.add(identity);
          yield item;
        }
      }
    }
  }
}

/** Opens a folder catalog that is gone after the test, for `catalogTests`. */
export async function openTestedFolder(): Promise<TestedCatalog> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-catalog-test-'));
  const openAgain = () => openFolderCatalog({ folder });
  return {
    catalog: await openAgain(),
    openAgain,
    async listItems() {
      const items: StoredItem[] = [];
      for await (const { dataType, itemId, classificationMarking, data, metadata } of readFolderCatalog(
        folder,
      )) {
        items.push({ dataType, itemId, classificationMarking, data, metadata });
      }
      return items;
    },
    close: () => rm(folder, { recursive: true }),
  };
}
