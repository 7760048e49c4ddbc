/** What the last texts gave, for a function whose result depends on a text alone. */
export interface RecentResults<Result> {
  /** @returns undefined for a text that has not come lately, or is too long to be kept. */
  get(text: string): Result | undefined;
  keep(text: string, result: Result): void;
}

/** The most results that are kept, and the longest text of one, in characters. */
const MAX_RESULTS = 200;
const MAX_CHARACTERS = 4_000;

/** Creates an empty memory. Its results are shared: nobody may change them. */
export function createRecentResults<Result>(): RecentResults<Result> {
  // In the order in which the texts last came.
  const results = new Map<string, Result>();
  return {
    get(text) {
      const result = results.get(text);
      if (result === undefined) return undefined;
      results.delete(text);
      results.set(text, result);
      return result;
    },
    keep(text, result) {
      if (text.length > MAX_CHARACTERS) return;
      results.set(text, result);
      const [oldest] = results.keys();
      if (results.size > MAX_RESULTS && oldest !== undefined) results.delete(oldest);
    },
  };
}
