import type { BladeItem } from '../data-types/blade-item.ts';
import type { JsonObject } from '../shared/json.ts';

/** Creates an item for tests of catalogs. */
export function createItem(itemId: string, data: JsonObject = {}, dataType = 'sortie'): BladeItem {
  const text = JSON.stringify(data);
  return {
    dataType,
    itemId,
    classificationMarking: 'SECRET',
    data: text,
    metadata: '{"source":"test"}',
    queryMetadata: null,
    contentHash: `hash of ${text}`,
  };
}
