import { z } from 'zod';
import { createDataTypeSchema } from '../../data-types/data-type-schema.ts';
import type { DataTypes } from '../../data-types/data-types.ts';
import { toLevel } from '../../data-types/marking.ts';
import type { IssueParams } from '../../shared/invalid-input.ts';
import { isObject, type JsonObject } from '../../shared/json.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../../shared/storable-text.ts';
import { checkMetadata } from './check-metadata.ts';
import { idempotencyKeyInputSchema } from './idempotency-key-input.ts';
import { optionsInputSchema } from './job-options.ts';
import { labelsInputSchema } from './labels-input.ts';
import { markingSchema, reasonSchema } from './marking-input.ts';

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

export function createStartQueryJobInputSchema(
  dataTypes: DataTypes,
  findStatementProblem: (sql: string) => Promise<string | null>,
) {
  return z
    .object({
      dataType: createDataTypeSchema(dataTypes),
      sqlQuery: z.string(),
      parameters: parametersSchema.nullish().transform((parameters) => parameters ?? {}),
      catalogConfig: z
        .object({
          classification: markingSchema.nullish().transform((marking) => marking ?? null),
          metadata: z
            .custom<JsonObject>(isObject, { error: 'must be a JSON object' })
            .superRefine((metadata, context) => {
              const problem = checkMetadata(metadata);
              if (problem !== null) context.addIssue({ code: 'custom', message: problem });
            })
            .nullish()
            .transform((metadata) => metadata ?? null),
          reason: reasonSchema.nullish().transform((reason) => reason ?? null),
        })
        .nullish()
        .transform((config) => config ?? { classification: null, metadata: null, reason: null }),
      options: optionsInputSchema,
      labels: labelsInputSchema,
      idempotencyKey: idempotencyKeyInputSchema,
    })
    .superRefine(({ dataType, catalogConfig: { classification } }, context) => {
      const least = dataTypes.getDefaultMarking(dataType);
      if (classification === null || toLevel(classification) >= toLevel(least)) return;
      context.addIssue({
        code: 'custom',
        path: ['catalogConfig', 'classification'],
        params: { code: 'OUT_OF_RANGE' } satisfies IssueParams,
        message: `${classification} is lower than ${least}, the marking of ${dataType} data: a query job can only raise it`,
      });
    })
    .transform(async (input, context) => {
      const { checkQuery } = await import('../../sql-check/statement.ts');
      const checked = checkQuery(input.sqlQuery);
      if (!checked.ok) {
        context.addIssue({ code: 'custom', path: ['sqlQuery'], message: checked.message });
        return z.NEVER;
      }
      const problem = await findStatementProblem(checked.sql);
      if (problem !== null) context.addIssue({ code: 'custom', path: ['sqlQuery'], message: problem });
      const wanted = new Set(checked.parameterNames);
      for (const name of wanted) {
        if (Object.hasOwn(input.parameters, name)) continue;
        context.addIssue({
          code: 'custom',
          path: ['parameters', name],
          params: { code: 'REQUIRED' } satisfies IssueParams,
          message: `the query uses :${name}, so it needs a value`,
        });
      }
      for (const name of Object.keys(input.parameters)) {
        if (wanted.has(name)) continue;
        context.addIssue({
          code: 'custom',
          path: ['parameters', name],
          params: { code: 'UNKNOWN' } satisfies IssueParams,
          message: `the query does not use :${name}; remove it`,
        });
      }
      return { ...input, tables: checked.tables };
    });
}

export type StartQueryJobInput = z.output<ReturnType<typeof createStartQueryJobInputSchema>>;
