import { z } from 'zod';
import { createDataTypeSchema } from '../data-types/data-type-schema.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../shared/storable-text.ts';

const nameSchema = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1, { error: 'must not be empty' })
    .refine(isStorableText, { error: UNSTORABLE_TEXT })
    .max(maximum, { error: `must have at most ${maximum} characters` });

export function createSaveDataSourceInputSchema(dataTypes: DataTypes) {
  return z.object({
    id: z.string().nullish(),
    name: nameSchema(200),
    dataType: createDataTypeSchema(dataTypes),
    catalogName: nameSchema(255),
    schemaName: nameSchema(255),
    tableName: nameSchema(255),
    enabled: z
      .boolean()
      .nullish()
      .transform((enabled) => enabled ?? true),
    cursorColumn: nameSchema(255)
      .nullish()
      .transform((column) => column ?? null),
    schedule: z
      .object({
        cron: nameSchema(100),
        timeZone: nameSchema(100)
          .nullish()
          .transform((name) => name ?? 'UTC'),
      })
      .nullish()
      .transform((schedule) => schedule ?? null),
  });
}

export type SaveDataSourceInput = z.output<ReturnType<typeof createSaveDataSourceInputSchema>>;
