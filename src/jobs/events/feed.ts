import { setTimeout } from 'node:timers/promises';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import { estimateBytes } from '../../shared/estimate-bytes.ts';

/** Why entries are missing from a feed: its place is unknown or deleted, or too much came since. */
export type GapReason = 'UNKNOWN' | 'EXPIRED' | 'BEHIND';

/** Where a subscriber begins to read. */
export type After<Place> = { readonly place: Place } | 'BEGINNING' | 'UNKNOWN';

/** An entry of a feed with its place, or that some are missing before the next one. Subscribers share it: it must not be changed. */
export type Entry<Value, Place> =
  | { readonly value: Value; readonly place: Place }
  /** The place where the feed continues; null for its beginning. */
  | { readonly gap: GapReason; readonly place: Place | null };

export interface Page<Value, Place> {
  readonly entries: readonly Entry<Value, Place>[];
  /** Whether nothing ever follows them. */
  readonly isLast: boolean;
  /** Whether nothing follows them yet, so that the next read waits until the topic is woken. */
  readonly isWhole: boolean;
  /** Where the next read begins, if not behind the last entry. */
  readonly end?: Place;
}

/** The most bytes of a page, if its first row has not more: all that is held for a subscriber that does not read. */
const PAGE_BYTES = 1_000_000;

/** Returns the first rows of a page, as many as fit into its bytes, and at least one. */
export function fitPage<Row>(rows: readonly Row[]): readonly Row[] {
  let bytes = 0;
  const count = rows.findIndex((row, index) => {
    bytes += estimateBytes(row);
    return index > 0 && bytes > PAGE_BYTES;
  });
  return count === -1 ? rows : rows.slice(0, count);
}

/** What a subscriber has to know of a feed. */
export interface FeedSource<Value, Place> {
  /** Reads what comes next, a page at most; null for the beginning. */
  read(after: Place | null): Promise<Page<Value, Place>>;
  readonly onError: (error: unknown) => void;
}

/** Wakes the subscribers of a topic when there may be more to read. */
export interface Waker {
  wake(topic: string): void;
  wakeAll(): void;
  /**
   * Reads a feed at the subscriber's own pace: what it does not read is not held, but read later.
   * @param first comes before all that is read.
   */
  follow<Value, Place>(
    topic: string,
    source: FeedSource<Value, Place>,
    after: After<Place>,
    first?: Entry<Value, Place> | null,
  ): AsyncIterableIterator<Entry<Value, Place>>;
  /** Ends all subscriptions. */
  close(): void;
}

export function createWaker(): Waker {
  const readers = new Map<string, Set<Reader>>();
  let isClosed = false;

  function open(topic: string): Reader {
    let { promise, resolve } = Promise.withResolvers<void>();
    const reader: Reader = {
      hasEnded: isClosed,
      woken: () => promise,
      wake() {
        resolve();
        ({ promise, resolve } = Promise.withResolvers<void>());
      },
      end() {
        reader.hasEnded = true;
        reader.wake();
        const others = readers.get(topic);
        others?.delete(reader);
        if (others?.size === 0) readers.delete(topic);
      },
    };
    readers.set(topic, (readers.get(topic) ?? new Set()).add(reader));
    return reader;
  }

  return {
    wake(topic) {
      for (const reader of readers.get(topic) ?? []) reader.wake();
    },
    wakeAll() {
      for (const all of readers.values()) for (const reader of all) reader.wake();
    },
    follow: (topic, source, after, first = null) => followFeed(open(topic), source, after, first),
    close() {
      isClosed = true;
      for (const all of [...readers.values()]) for (const reader of [...all]) reader.end();
    },
  };
}

interface Reader {
  hasEnded: boolean;
  /** Resolves when there may be more to read. */
  woken(): Promise<void>;
  wake(): void;
  end(): void;
}

function followFeed<Value, Place>(
  reader: Reader,
  { read, onError }: FeedSource<Value, Place>,
  start: After<Place>,
  first: Entry<Value, Place> | null,
): AsyncIterableIterator<Entry<Value, Place>> {
  let after = typeof start === 'object' ? start.place : null;
  let waiting: readonly Entry<Value, Place>[] =
    first !== null ? [first] : start === 'UNKNOWN' ? [{ gap: 'UNKNOWN', place: null }] : [];
  let next = 0;
  let isLast = false;
  /** Where the next read begins, if that is not behind the last entry. */
  let end: Place | undefined;
  /** Resolves when there may be more than what was read last; null if there is more. */
  let more: Promise<void> | null = null;

  async function readMore(): Promise<void> {
    await more;
    if (reader.hasEnded) return;
    // Before the read, so that what comes meanwhile is not waited for.
    const woken = reader.woken();
    try {
      if (end !== undefined) after = end;
      const page = await read(after);
      ({ entries: waiting, isLast, end } = page);
      next = 0;
      more = page.isWhole ? woken : null;
    } catch (error) {
      onError(error);
      if (!reader.hasEnded) await setTimeout(READ_RETRY_MS);
    }
  }

  return createIterator<Entry<Value, Place>>(
    async () => {
      for (;;) {
        if (reader.hasEnded) return DONE;
        const entry = waiting[next];
        if (entry !== undefined) {
          next += 1;
          after = entry.place;
          return { done: false, value: entry };
        }
        if (isLast) reader.end();
        else await readMore();
      }
    },
    () => reader.end(),
  );
}

/** How long to wait before a read that failed is tried again, in milliseconds. */
const READ_RETRY_MS = 1_000;

/**
 * Creates a function that reads once for all that ask for the same within one turn of the event loop or while that is read.
 * @param read reads what an owner asks for by a key.
 */
export function shareReads<Owner extends object, Result>() {
  const pending = new WeakMap<Owner, Map<string, Promise<Result>>>();
  return (owner: Owner, key: string, read: () => Promise<Result>): Promise<Result> => {
    const ofOwner = pending.get(owner) ?? new Map<string, Promise<Result>>();
    pending.set(owner, ofOwner);
    let result = ofOwner.get(key);
    if (result === undefined) {
      result = new Promise<Result>((resolve, reject) => {
        setImmediate(() => {
          // What begins after this may have to see more than this read.
          ofOwner.delete(key);
          read().then(resolve, reject);
        });
      });
      ofOwner.set(key, result);
    }
    return result;
  };
}
