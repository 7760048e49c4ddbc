import { z } from 'zod';
import { createDataTypeSchema } from '../data-types/data-type-schema.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import { DeletePolicy, OnSchemaChange, ReadMode } from '../database/generated/prisma/enums.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../shared/storable-text.ts';

const nameSchema = (maximum: number) =>
  z
    .string({
      error: ({ input }) => (input === null ? 'must not be null: leave it out to keep it' : undefined),
    })
    .trim()
    .min(1, { error: 'must not be empty' })
    .refine(isStorableText, { error: UNSTORABLE_TEXT })
    .max(maximum, { error: `must have at most ${maximum} characters` });

const scheduleSchema = z.object({
  cron: nameSchema(100),
  timeZone: nameSchema(100)
    .nullish()
    .transform((name) => name ?? 'UTC'),
});

const PERCENT = 'must be from 0 to 100';

/** The share of the items of a source that a sync may delete unless the source says otherwise. */
const MAX_DELETE_PERCENT = 20;

/** The settings of a source; null stands for none. */
const createSettings = (dataTypes: DataTypes) => ({
  name: nameSchema(200),
  dataType: createDataTypeSchema(dataTypes),
  catalogName: nameSchema(255),
  schemaName: nameSchema(255),
  tableName: nameSchema(255),
  enabled: z.boolean({ error: 'must be true or false' }),
  cursorColumn: nameSchema(255).nullable(),
  lookback: z
    .number()
    .min(0, { error: 'must not be negative' })
    .max(1e12, { error: 'must be at most 1e12' })
    .nullable()
    .transform((lookback) => lookback ?? 0),
  deletePolicy: z.enum(DeletePolicy, { error: 'must be KEEP, MARK or REMOVE' }),
  readMode: z.enum(ReadMode, { error: 'must be AUTO, CHANGE_FEED, CURSOR or SNAPSHOT' }),
  onSchemaChange: z.enum(OnSchemaChange, { error: 'must be CONTINUE or PAUSE' }),
  maxDeletePercent: z
    .int({ error: 'must be a whole number' })
    .min(0, { error: PERCENT })
    .max(100, { error: PERCENT }),
  schedule: scheduleSchema.nullable(),
});

export function createNewSourceSchema(dataTypes: DataTypes) {
  const settings = createSettings(dataTypes);
  return z.object({
    ...settings,
    enabled: settings.enabled.nullish().transform((enabled) => enabled ?? true),
    cursorColumn: settings.cursorColumn.optional().transform((column) => column ?? null),
    lookback: settings.lookback.optional().transform((lookback) => lookback ?? 0),
    deletePolicy: settings.deletePolicy.nullish().transform((policy) => policy ?? DeletePolicy.KEEP),
    readMode: settings.readMode.nullish().transform((mode) => mode ?? ReadMode.AUTO),
    onSchemaChange: settings.onSchemaChange
      .nullish()
      .transform((choice) => choice ?? OnSchemaChange.CONTINUE),
    maxDeletePercent: settings.maxDeletePercent
      .nullish()
      .transform((percent) => percent ?? MAX_DELETE_PERCENT),
    schedule: settings.schedule.optional().transform((schedule) => schedule ?? null),
  });
}

/** The settings of a new source. */
export type NewSource = z.output<ReturnType<typeof createNewSourceSchema>>;

export function createSourceChangesSchema(dataTypes: DataTypes) {
  return z.object({ ...createSettings(dataTypes), expectedRevision: z.int().nullable() }).partial();
}

/** Changes of a source: what is left out stays, and null removes. Nothing changes unless the source has the expected revision. */
export type SourceChanges = z.output<ReturnType<typeof createSourceChangesSchema>>;
