import { z } from 'zod';
import { type Choice, choiceSettings } from '../shared/definition.ts';
import { defineSettings, wholeNumber } from '../shared/settings.ts';
import { parseSchemaPatterns } from '../sql-check/allowed-schemas.ts';
import type { ReadingLimits } from '../sql-check/reading-limits.ts';
import type { WarehouseDefinition } from './warehouse-definition.ts';

/** Which warehouse rows come from, and what may be read of it. Plain data. */
export interface WarehouseConfiguration extends Choice, ReadingLimits {}

/** @param warehouses the kinds there are; the first is used if none is set up. */
export function warehouseSettings(warehouses: readonly WarehouseDefinition[]) {
  return defineSettings({
    variables: {
      BLADE_ALLOWED_SCHEMAS: z
        .string()
        .default('*.*')
        .transform((text, context) => {
          const patterns = parseSchemaPatterns(text);
          if (patterns !== null) return patterns;
          context.addIssue({ code: 'custom', message: 'must be a list such as blade.field,archive.*' });
          return z.NEVER;
        })
        .describe(
          'Schemas of the warehouse whose tables sources and queries may read, as in `blade.field,archive.*`.',
        ),
      BLADE_STATEMENT_TIMEOUT_SECONDS: wholeNumber(1, 172_800)
        .default(7_200)
        .describe('How long the warehouse may work on one statement, in seconds.'),
    },
    needs: { choice: choiceSettings(warehouses) },
    toSettings: (values, { choice }): WarehouseConfiguration => ({
      ...choice,
      allowedSchemas: values.BLADE_ALLOWED_SCHEMAS,
      statementTimeoutMs: values.BLADE_STATEMENT_TIMEOUT_SECONDS * 1_000,
    }),
  });
}
