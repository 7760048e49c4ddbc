import { z } from 'zod';
import { defineSettings, wholeNumber } from '../shared/settings.ts';
import { parseSchemaPatterns } from '../sql-check/allowed-schemas.ts';
import { databricksSettings } from './databricks/settings.ts';
import { folderWarehouseSettings } from './duckdb/settings.ts';
import type { WarehouseConfiguration } from './registry.ts';

/** Which warehouse rows come from: Databricks if it is set, and otherwise the folder. */
export const warehouseSettings = defineSettings({
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
  needs: { folderWarehouse: folderWarehouseSettings, databricks: databricksSettings },
  toSettings(values, { folderWarehouse: { folder }, databricks }): WarehouseConfiguration {
    const limits = {
      allowedSchemas: values.BLADE_ALLOWED_SCHEMAS,
      statementTimeoutMs: values.BLADE_STATEMENT_TIMEOUT_SECONDS * 1_000,
    };
    return databricks === null
      ? { kind: 'duckdb', folder, ...limits }
      : { kind: 'databricks', ...databricks, ...limits };
  },
});
