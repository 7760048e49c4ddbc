/** Maps 64-bit keys to 64-bit values in 16 bytes an entry, where a Map of texts would take ten times as much. */
export interface DigestTable {
  set(key: bigint, value: bigint): void;
  /** Returns 0n if there is no such key. */
  get(key: bigint): bigint;
}

export function createDigestTable(): DigestTable {
  let capacity = 1_024;
  let keys = new BigUint64Array(capacity);
  let values = new BigUint64Array(capacity);
  let size = 0;

  /** Finds the place of a key, or the empty one where it belongs. 0n marks an empty place. */
  function findPlace(key: bigint): number {
    let place = Number(key & BigInt(capacity - 1));
    while (keys[place] !== 0n && keys[place] !== key) place = (place + 1) & (capacity - 1);
    return place;
  }

  function grow(): void {
    const [oldKeys, oldValues] = [keys, values];
    capacity *= 2;
    keys = new BigUint64Array(capacity);
    values = new BigUint64Array(capacity);
    oldKeys.forEach((key, index) => {
      if (key === 0n) return;
      const place = findPlace(key);
      keys[place] = key;
      values[place] = oldValues[index] ?? 0n;
    });
  }

  const toKey = (key: bigint) => (key === 0n ? 1n : key);

  return {
    set(key, value) {
      if (size * 2 >= capacity) grow();
      const place = findPlace(toKey(key));
      if (keys[place] === 0n) size++;
      keys[place] = toKey(key);
      values[place] = value;
    },
    get(key) {
      return values[findPlace(toKey(key))] ?? 0n;
    },
  };
}
