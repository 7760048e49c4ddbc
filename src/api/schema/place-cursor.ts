import { z } from 'zod';
import { isSnapshot } from '../../database/snapshot.ts';
import type { After } from '../../jobs/events/feed.ts';
import type { SeenPlace } from '../../jobs/events/seen-place.ts';
import { isUuid } from './input-checks.ts';

const snapshot = z.string().refine(isSnapshot);
const within = z.object({
  seen: snapshot,
  writtenIn: z.string().regex(/^\d{1,18}$/),
  id: z.string().refine(isUuid),
});
const cursorSchema = z.tuple([z.string(), snapshot, within.nullable()]);

/** Encodes a place of a feed. @param feed what is followed, unique among feeds. */
export function encodePlace(feed: string, { seen, within }: SeenPlace): string {
  return Buffer.from(JSON.stringify([feed, seen, within])).toString('base64url');
}

/** Finds where a subscriber begins to read a feed. */
export function findStart(feed: string, cursor: string | null | undefined): After<SeenPlace> {
  if (cursor == null) return 'BEGINNING';
  const place = decodePlace(feed, cursor);
  return place === null ? 'UNKNOWN' : { place };
}

/** Decodes a cursor; null if it is none of the feed. */
function decodePlace(feed: string, cursor: string): SeenPlace | null {
  try {
    const [of, seen, within] = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return of === feed ? { seen, within } : null;
  } catch {
    return null;
  }
}
