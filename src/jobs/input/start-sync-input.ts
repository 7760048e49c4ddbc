import { z } from 'zod';
import { createDataTypeSchema } from '../../data-types/data-type-schema.ts';
import type { DataTypes } from '../../data-types/data-types.ts';
import { SyncType } from '../../database/generated/prisma/enums.ts';
import { checkFilter } from '../../sql-check/statement.ts';
import { optionsInputSchema } from './job-options.ts';

export function createStartSyncInputSchema(dataTypes: DataTypes) {
  return z.object({
    syncType: z.enum(SyncType),
    dataType: createDataTypeSchema(dataTypes)
      .nullish()
      .transform((name) => name ?? null),
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
}

export type StartSyncInput = z.output<ReturnType<typeof createStartSyncInputSchema>>;
