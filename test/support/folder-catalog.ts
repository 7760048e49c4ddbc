import { readLines, readPresentUploads, toSegmentPath } from '../../src/catalog/folder/files.ts';
import type { JsonObject } from '../../src/shared/json.ts';

/** An item in the catalog. */
export interface CatalogItem {
  readonly catalogId: string;
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: string;
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
