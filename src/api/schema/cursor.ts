import { decodeCursorChunk } from '@pothos/core';
import { z } from 'zod';

/**
 * Checks the arguments of a connection before anything is made of them; other arguments pass as they are.
 * @param isKey whether a value is a key that places of the list go by.
 */
export function pageSchema(isKey: (key: unknown) => boolean) {
  const size = z.number().min(0, { error: 'must be at least 0' }).nullish();
  const cursor = z
    .string()
    .refine((text) => isKey(keyOf(text)), {
      error: 'is not a cursor of this list: use endCursor or startCursor of a page that it gave',
    })
    .nullish();
  return z
    .looseObject({ first: size, last: size, after: cursor, before: cursor })
    .superRefine((page, context) => {
      const clash = CLASHES.find((names) => names.every((name) => page[name] != null));
      if (clash === undefined) return;
      const [one, other] = clash;
      context.addIssue({
        code: 'custom',
        path: [other],
        message: `cannot be given together with ${one}: page forward with first and after, backward with last and before`,
      });
    });
}

const CLASHES = [
  ['first', 'last'],
  ['first', 'before'],
  ['after', 'last'],
  ['after', 'before'],
] as const;

/** What a cursor holds; undefined where the text is no cursor. */
function keyOf(cursor: string): unknown {
  const text = Buffer.from(cursor, 'base64').toString();
  if (!text.startsWith(PREFIX)) return undefined;
  try {
    return decodeCursorChunk(text.slice(PREFIX.length));
  } catch {
    return undefined;
  }
}

/** What Pothos begins the cursors of Prisma's lists with. */
const PREFIX = 'GPC:';
