/** Texts under keys. The ones that were used least recently are dropped. */
export interface TextStore {
  find(key: string): string | undefined;
  keep(key: string, text: string): void;
}

/** Creates a store that keeps at most so many texts and characters. */
export function createTextStore(maxTexts: number, maxCharacters: number): TextStore {
  // A map keeps the order in which keys were added.
  const texts = new Map<string, string>();
  let characters = 0;

  function drop(key: string): void {
    characters -= texts.get(key)?.length ?? 0;
    texts.delete(key);
  }

  function add(key: string, text: string): void {
    drop(key);
    texts.set(key, text);
    characters += text.length;
  }

  return {
    find(key) {
      const text = texts.get(key);
      if (text !== undefined) add(key, text);
      return text;
    },
    keep(key, text) {
      add(key, text);
      for (const oldest of texts.keys()) {
        if (texts.size <= maxTexts && characters <= maxCharacters) return;
        drop(oldest);
      }
    },
  };
}
