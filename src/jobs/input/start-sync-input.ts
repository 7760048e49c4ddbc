import { z } from 'zod';
import { createDataTypeSchema } from '../../data-types/data-type-schema.ts';
import type { DataTypes } from '../../data-types/data-types.ts';
import { SyncType } from '../../database/generated/prisma/enums.ts';
import type { IssueParams } from '../../shared/invalid-input.ts';
import { idempotencyKeyInputSchema } from './idempotency-key-input.ts';
import { optionsInputSchema } from './job-options.ts';
import { labelsInputSchema } from './labels-input.ts';

const MAX_SOURCES = 200;

export function createStartSyncInputSchema(
  dataTypes: DataTypes,
  findStatementProblem: (sql: string) => Promise<string | null>,
) {
  return z
    .object({
      syncType: z.enum(SyncType),
      dataType: createDataTypeSchema(dataTypes)
        .nullish()
        .transform((name) => name ?? null),
      filter: z
        .string()
        .superRefine(async (filter, context) => {
          const { checkFilter, selectFiltered } = await import('../../sql-check/statement.ts');
          const checked = checkFilter(filter);
          const problem = checked.ok
            ? await findStatementProblem(selectFiltered(checked.sql))
            : checked.message;
          if (problem !== null) context.addIssue({ code: 'custom', message: problem });
        })
        .nullish()
        .transform((filter) => filter ?? null),
      maxItems: z
        .int()
        .min(1, { error: 'must be at least 1; leave it out for all items' })
        .nullish()
        .transform((limit) => limit ?? null),
      dataSourceIds: z
        .array(z.string())
        .min(1, { error: 'must name at least one source; leave it out for all sources' })
        .max(MAX_SOURCES, { error: `must be at most ${MAX_SOURCES} sources` })
        .nullish()
        .transform((ids) => ids ?? null),
      options: optionsInputSchema,
      labels: labelsInputSchema,
      idempotencyKey: idempotencyKeyInputSchema,
    })
    .superRefine(({ dataType, dataSourceIds }, context) => {
      if (dataType === null || dataSourceIds === null) return;
      context.addIssue({
        code: 'custom',
        path: ['dataType'],
        params: { code: 'CONFLICT' } satisfies IssueParams,
        message: 'cannot be given together with dataSourceIds: name the sources, or their data type',
      });
    });
}

export type StartSyncInput = z.output<ReturnType<typeof createStartSyncInputSchema>>;
