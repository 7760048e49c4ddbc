import { z } from 'zod';
import { clearanceOf, markings, parseMarking } from '../data-types/marking.ts';
import { dataTypeNames, defaultMarkingOf, findDataType } from '../data-types/registry.ts';
import { SyncType } from '../database/generated/prisma/enums.ts';
import { metadataProblem } from '../ingestion/transform.ts';
import type { JsonObject } from '../shared/json.ts';
import { checkFilter, checkQuery } from '../sql-check/statement.ts';
import { isStorableText, UNSTORABLE_TEXT } from './storable-text.ts';

/** The name of a known data type. */
export const dataTypeSchema = z.string().refine((name) => findDataType(name) !== undefined, {
  error: ({ input }) =>
    `there is no data type ${JSON.stringify(input)}; known are ${dataTypeNames.join(', ')}`,
});

/** A whole number within bounds, with one message for all that it is not. */
const wholeNumber = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

/** A known marking, however it is written. */
export const markingSchema = z.string().transform((text, context) => {
  const marking = parseMarking(text);
  if (marking !== undefined) return marking;
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(text.slice(0, 40))} is no known marking; known are ${markings.join(', ')}`,
  });
  return z.NEVER;
});

const MAX_REASON_LENGTH = 1_000;

/** Why something is done, in the words of whoever does it. */
export const reasonSchema = z
  .string()
  .trim()
  .min(1, { error: 'must not be empty: say why, for whoever asks later' })
  .max(MAX_REASON_LENGTH, { error: `must have at most ${MAX_REASON_LENGTH} characters` })
  .refine(isStorableText, { error: UNSTORABLE_TEXT });

/** How a job is run: settings with defaults, so a stored job always has them all. */
export const jobOptionsSchema = z.object({
  batchSize: wholeNumber(1, 10_000)
    .nullish()
    .transform((size) => size ?? DEFAULT_BATCH_SIZE),
  maxErrors: z
    .int()
    .min(0, { error: 'must be at least 0; leave it out for no limit' })
    .nullish()
    .transform((limit) => limit ?? null),
  maxAttempts: wholeNumber(1, 20)
    .nullish()
    .transform((attempts) => attempts ?? DEFAULT_ATTEMPTS),
  partitionRows: wholeNumber(1_000, 100_000_000)
    .nullish()
    .transform((rows) => rows ?? DEFAULT_PARTITION_ROWS),
});

/** Rows in a batch: large enough that a batch's statement outweighs its round trip, small enough for flat memory. */
const DEFAULT_BATCH_SIZE = 2_000;

/** Enough to outlast a restart of every part that a job needs, one after the other. */
const DEFAULT_ATTEMPTS = 6;

/** Half a minute's work of one thread: less is not worth a scan of its own. */
const DEFAULT_PARTITION_ROWS = 500_000;

const optionsInputSchema = jobOptionsSchema
  .nullish()
  .transform((options) => options ?? jobOptionsSchema.parse({}));

export const startSyncInputSchema = z.object({
  syncType: z.enum(SyncType),
  dataType: dataTypeSchema.nullish().transform((name) => name ?? null),
  filter: z
    .string()
    .superRefine((filter, context) => {
      const checked = checkFilter(filter);
      if (!checked.ok) context.addIssue({ code: 'custom', message: checked.message });
    })
    .nullish()
    .transform((filter) => filter ?? null),
  maxItems: z
    .int()
    .min(1, { error: 'must be at least 1; leave it out for all items' })
    .nullish()
    .transform((limit) => limit ?? null),
  options: optionsInputSchema,
});

const parameterValueSchema = z
  .union([z.string(), z.number(), z.boolean(), z.null()], {
    error: 'must be a string, a number, a boolean or null',
  })
  .refine((value) => typeof value !== 'string' || isStorableText(value), { error: UNSTORABLE_TEXT })
  // What JavaScript made of it is not what was sent, and would find other rows.
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'is a whole number that loses digits here: write it as a string',
  });

/** A record leaves `__proto__` out, so that nobody would be told that it is used by no query. */
const parametersSchema = z
  .custom<JsonObject>((value) => typeof value === 'object' && value !== null, {
    error: 'must be a JSON object',
  })
  .refine((parameters) => !Object.hasOwn(parameters, '__proto__'), {
    error: 'no parameter can be called __proto__: rename it',
  })
  .pipe(z.record(z.string(), parameterValueSchema));

export const startQueryJobInputSchema = z
  .object({
    dataType: dataTypeSchema,
    sqlQuery: z.string(),
    parameters: parametersSchema.nullish().transform((parameters) => parameters ?? {}),
    catalogConfig: z
      .object({
        classification: markingSchema.nullish().transform((marking) => marking ?? null),
        metadata: z
          .custom<JsonObject>(
            (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
            {
              error: 'must be a JSON object',
            },
          )
          .superRefine((metadata, context) => {
            const problem = metadataProblem(metadata);
            if (problem !== null) context.addIssue({ code: 'custom', message: problem });
          })
          .nullish()
          .transform((metadata) => metadata ?? null),
        reason: reasonSchema.nullish().transform((reason) => reason ?? null),
      })
      .nullish()
      .transform((config) => config ?? { classification: null, metadata: null, reason: null }),
    options: optionsInputSchema,
  })
  .superRefine(({ dataType, catalogConfig: { classification } }, context) => {
    const least = defaultMarkingOf(dataType);
    if (classification === null || clearanceOf(classification) >= clearanceOf(least)) return;
    context.addIssue({
      code: 'custom',
      path: ['catalogConfig', 'classification'],
      message: `${classification} is lower than ${least}, the marking of ${dataType} data: a query job can only raise it`,
    });
  })
  .transform((input, context) => {
    const checked = checkQuery(input.sqlQuery);
    if (!checked.ok) {
      context.addIssue({ code: 'custom', path: ['sqlQuery'], message: checked.message });
      return z.NEVER;
    }
    const wanted = new Set(checked.parameterNames);
    for (const name of wanted) {
      if (Object.hasOwn(input.parameters, name)) continue;
      context.addIssue({
        code: 'custom',
        path: ['parameters', name],
        message: `the query uses :${name}, so it needs a value`,
      });
    }
    for (const name of Object.keys(input.parameters)) {
      if (wanted.has(name)) continue;
      context.addIssue({
        code: 'custom',
        path: ['parameters', name],
        message: `the query does not use :${name}; remove it`,
      });
    }
    return { ...input, sqlQuery: checked.sql, tables: checked.tables };
  });

export type StartSyncInput = z.output<typeof startSyncInputSchema>;
export type StartQueryJobInput = z.output<typeof startQueryJobInputSchema>;
