import { z } from 'zod';
import { MARKINGS, parseMarking } from '../../data-types/marking.ts';
import type { IssueParams } from '../../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../../shared/storable-text.ts';

/** A known marking, in any case and with spaces around it. */
export const markingSchema = z.string().transform((text, context) => {
  const marking = parseMarking(text);
  if (marking !== undefined) return marking;
  context.addIssue({
    code: 'custom',
    params: { code: 'UNKNOWN' } satisfies IssueParams,
    message: `${JSON.stringify(text.slice(0, 40))} is no known marking; known are ${MARKINGS.join(', ')}`,
  });
  return z.NEVER;
});

const MAX_REASON_LENGTH = 1_000;

/** Why a marking is raised or lowered. */
export const reasonSchema = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty: give the reason' })
  .max(MAX_REASON_LENGTH, { error: `must have at most ${MAX_REASON_LENGTH} characters` })
  .refine(isStorableText, { error: UNSTORABLE_TEXT });
