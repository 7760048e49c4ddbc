import type { JsonValue } from '../shared/json.ts';
import { hashText } from './hash-text.ts';

/** The ids of a read, as hashes of 64 bits: an id takes 11 to 22 bytes, and two of a million are confused once in 37 million reads. */
export interface SeenIds {
  /** Finds the places of the ids that were added before. */
  findRepeated(hashes: Buffer): number[];
  /** Adds ids, up to MAX_SEEN_IDS in all: memory stays bounded, and repetitions of later ids are not noticed. */
  add(hashes: Buffer): void;
}

/** How many ids a read remembers, in at most 128 MB. */
export const MAX_SEEN_IDS = 12_000_000;

const HASH_BYTES = 8;

/** Hashes ids, 8 bytes each, in their order: the same bytes as `int8send(hashtextextended(id, 0))` in PostgreSQL. */
export function hashIds(ids: readonly string[]): Buffer {
  const hashes = Buffer.allocUnsafe(ids.length * HASH_BYTES);
  ids.forEach((id, index) => {
    const { high, low } = hashText(id);
    hashes.writeUInt32BE(high, index * HASH_BYTES);
    hashes.writeUInt32BE(low, index * HASH_BYTES + 4);
  });
  return hashes;
}

/** The ids of the items of a batch. */
export interface ReadIds {
  readonly hashes: Buffer;
  /** Those that an earlier batch of the read had. */
  readonly repeated: readonly string[];
  /** The hashes to save for an attempt that resumes the read; null for none. */
  readonly savedHashes: Buffer | null;
}

/**
 * Finds which ids of a batch are repeated, without adding them.
 * @param savesAll whether every id of the read is needed at its end.
 */
export function findReadIds(
  seenIds: Pick<SeenIds, 'findRepeated'>,
  {
    items,
    position,
  }: { readonly items: readonly { readonly itemId: string }[]; readonly position: JsonValue },
  savesAll: boolean,
): ReadIds {
  const itemIds = items.map(({ itemId }) => itemId);
  const hashes = hashIds(itemIds);
  const repeated = seenIds.findRepeated(hashes).flatMap((place) => itemIds[place] ?? []);
  // A read without positions starts over, and need not recognize anything.
  const isSaved = hashes.length > 0 && (savesAll || position !== null);
  return { hashes, repeated, savedHashes: isSaved ? hashes : null };
}

export function createSeenIds(): SeenIds {
  // A hash table with open addressing: a Set of texts or bigints would take ten times the memory.
  let slots = new Uint32Array(INITIAL_SLOTS * 2);
  let count = 0;

  /** Finds the slot of a hash, or the free one where it belongs. Low and high words of 0 mark a free slot. */
  function findSlot(low: number, high: number): number {
    const mask = slots.length / 2 - 1;
    let slot = low & mask;
    for (;;) {
      const at = slot * 2;
      const [itsLow, itsHigh] = [slots[at], slots[at + 1]];
      if ((itsLow === low && itsHigh === high) || (itsLow === 0 && itsHigh === 0)) return at;
      slot = (slot + 1) & mask;
    }
  }

  function grow(): void {
    const old = slots;
    slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const [low = 0, high = 0] = [old[at], old[at + 1]];
      if (low !== 0 || high !== 0) slots.set([low, high], findSlot(low, high));
    }
  }

  return {
    findRepeated(hashes) {
      const repeated: number[] = [];
      for (let at = 0; at < hashes.length; at += HASH_BYTES) {
        const slot = findSlot(hashes.readUInt32BE(at + 4), hashes.readUInt32BE(at));
        if (slots[slot] !== 0 || slots[slot + 1] !== 0) repeated.push(at / HASH_BYTES);
      }
      return repeated;
    },

    add(hashes) {
      for (let at = 0; at < hashes.length && count < MAX_SEEN_IDS; at += HASH_BYTES) {
        const [low, high] = [hashes.readUInt32BE(at + 4), hashes.readUInt32BE(at)];
        const slot = findSlot(low, high);
        if (slots[slot] !== 0 || slots[slot + 1] !== 0) continue;
        slots[slot] = low;
        slots[slot + 1] = high;
        count += 1;
        if (count > (slots.length / 2) * FULL) grow();
      }
    },
  };
}

const INITIAL_SLOTS = 4_096;

/** The share of used slots at which the table grows. */
const FULL = 0.75;
