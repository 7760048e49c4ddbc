import { z } from 'zod';

/** A key that identifies a start if a client sends it again; null for none. */
export const idempotencyKeyInputSchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, {
    error: 'must have 1 to 255 printable ASCII characters without spaces, such as a UUID',
  })
  .nullish()
  .transform((key) => key ?? null);
