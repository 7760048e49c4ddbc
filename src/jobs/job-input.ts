import { z } from 'zod';
import { dataTypeSchema } from '../data-types/data-type-schema.ts';
import { clearanceOf, markings, parseMarking } from '../data-types/marking.ts';
import { defaultMarkingOf } from '../data-types/registry.ts';
import { SyncType } from '../database/generated/prisma/enums.ts';
import { metadataProblem } from '../ingestion/transform.ts';
import type { JsonObject } from '../shared/json.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../shared/storable-text.ts';
import { checkFilter, checkQuery } from '../sql-check/statement.ts';

/** A whole number within bounds, with one message for all that it is not. */
const wholeNumberSchema = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};

/** Options of a job. All have defaults, so a stored job has them all. */
export const jobOptionsSchema = z.object({
  batchSize: wholeNumberSchema(1, 10_000)
    .nullish()
    .transform((size) => size ?? DEFAULT_BATCH_SIZE),
  maxErrors: z
    .int()
    .min(0, { error: 'must be at least 0; leave it out for no limit' })
    .nullish()
    .transform((limit) => limit ?? null),
  maxAttempts: wholeNumberSchema(1, 20)
    .nullish()
    .transform((attempts) => attempts ?? DEFAULT_ATTEMPTS),
  partitionRows: wholeNumberSchema(1_000, 100_000_000)
    .nullish()
    .transform((rows) => rows ?? DEFAULT_PARTITION_ROWS),
});

/** Rows per batch: large enough to outweigh a round trip, small enough to keep memory flat. */
const DEFAULT_BATCH_SIZE = 2_000;

/** Enough to outlast a restart of every service that a job needs, one after the other. */
const DEFAULT_ATTEMPTS = 6;

/** Half a minute's work for one thread: fewer rows do not justify another scan. */
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
  // JavaScript has already rounded it, so it would match other rows.
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'is a whole number that loses digits here: write it as a string',
  });

/** Refuses `__proto__` explicitly: a record drops it, and the check for unused parameters would miss it. */
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
        classification: z
          .string()
          .transform((text, context) => {
            const marking = parseMarking(text);
            if (marking !== undefined) return marking;
            context.addIssue({
              code: 'custom',
              message: `${JSON.stringify(text.slice(0, 40))} is no known marking; known are ${markings.join(', ')}`,
            });
            return z.NEVER;
          })
          .nullish()
          .transform((marking) => marking ?? null),
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
      })
      .nullish()
      .transform((config) => config ?? { classification: null, metadata: null }),
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
