import { toCanonicalJson, UnstorableValueError } from '../../ingestion/canonical-json.ts';
import { MAX_DATA_BYTES } from '../../ingestion/transform.ts';
import type { JsonObject, JsonValue } from '../../shared/json.ts';

/**
 * Checks whether metadata can be merged into items.
 * @returns null if it can; otherwise the problem, as the end of a sentence that starts with the metadata's name.
 */
export function checkMetadata(metadata: JsonObject): string | null {
  try {
    const bytes = Buffer.byteLength(toCanonicalJson(metadata));
    if (bytes > MAX_DATA_BYTES) return `is larger than ${MAX_DATA_BYTES} bytes as JSON`;
    return hasPrototypeKey(metadata) ? 'has a key called __proto__, which cannot be kept: rename it' : null;
  } catch (error) {
    if (error instanceof UnstorableValueError) return error.message;
    throw error;
  }
}

/** Whether there is a key that Prisma would take for the prototype of the object around it, and lose. */
function hasPrototypeKey(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey);
}
