import type { JsonValue } from '../shared/json.ts';

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

/** Hashes ids, 8 bytes each, in their order. */
export function hashIds(ids: readonly string[]): Buffer {
  const hashes = Buffer.allocUnsafe(ids.length * HASH_BYTES);
  ids.forEach((id, index) => {
    const { low, high } = hashText(id);
    hashes.writeUInt32LE(low, index * HASH_BYTES);
    hashes.writeUInt32LE(high, index * HASH_BYTES + 4);
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

/** Finds which ids of a batch are repeated, without adding them. */
export function findReadIds(
  seenIds: Pick<SeenIds, 'findRepeated'>,
  {
    items,
    position,
  }: { readonly items: readonly { readonly itemId: string }[]; readonly position: JsonValue },
): ReadIds {
  const itemIds = items.map(({ itemId }) => itemId);
  const hashes = hashIds(itemIds);
  const repeated = seenIds.findRepeated(hashes).flatMap((place) => itemIds[place] ?? []);
  // A read without positions starts over, and need not recognize anything.
  return { hashes, repeated, savedHashes: position === null || hashes.length === 0 ? null : hashes };
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
        const slot = findSlot(hashes.readUInt32LE(at), hashes.readUInt32LE(at + 4));
        if (slots[slot] !== 0 || slots[slot + 1] !== 0) repeated.push(at / HASH_BYTES);
      }
      return repeated;
    },

    add(hashes) {
      for (let at = 0; at < hashes.length && count < MAX_SEEN_IDS; at += HASH_BYTES) {
        const [low, high] = [hashes.readUInt32LE(at), hashes.readUInt32LE(at + 4)];
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

/** Hashes a text as MurmurHash3 mixes: fast, and as even as chance for ids that differ in a digit. */
function hashText(text: string): { readonly low: number; readonly high: number } {
  let low = 0xdeadbeef ^ text.length;
  let high = 0x41c6ce57 ^ text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  // No hash is 0, which marks a free slot.
  return { low: low >>> 0, high: high >>> 0 || 1 };
}
