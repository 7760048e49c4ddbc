import { z } from 'zod';
import type { IssueParams } from '../../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../../shared/storable-text.ts';

const MAX_LABELS = 20;

/** The keys of labels: those of Kubernetes, without a limit on the parts. */
const KEY_PATTERN = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$/;

const labelSchema = z.object({
  key: z.string().regex(KEY_PATTERN, {
    error: 'must have 1 to 63 letters, digits and . _ / -, and begin and end with a letter or digit',
  }),
  value: z
    .string()
    .max(255, { error: 'must have at most 255 characters' })
    .refine(isStorableText, { error: UNSTORABLE_TEXT }),
});

/** Labels, each key once. The output has the values by key. */
export const labelsInputSchema = z
  .array(labelSchema)
  .max(MAX_LABELS, { error: `must be at most ${MAX_LABELS}` })
  .superRefine((labels, context) => {
    const seen = new Set<string>();
    for (const [index, { key }] of labels.entries()) {
      if (seen.has(key))
        context.addIssue({
          code: 'custom',
          path: [index, 'key'],
          params: { code: 'DUPLICATE' } satisfies IssueParams,
          message: `${key} is given twice`,
        });
      seen.add(key);
    }
  })
  .nullish()
  .transform((labels) => Object.fromEntries((labels ?? []).map(({ key, value }) => [key, value])));
