import type { BladeItem } from '../../src/data-types/blade-item.ts';
import type { JsonObject } from '../../src/shared/json.ts';

/** An item for tests of catalogs. */
export function item(itemId: string, data: JsonObject = {}, dataType = 'sortie'): BladeItem {
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
