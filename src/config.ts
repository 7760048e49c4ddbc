import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { CatalogConfiguration } from './catalog/registry.ts';
import type { RetentionSettings } from './jobs/retention.ts';
import type { WarehouseConfiguration } from './warehouse/registry.ts';

/** What the program runs with: the environment, parsed once. */
export interface Config {
  readonly roles: ReadonlySet<Role>;
  readonly host: string;
  readonly port: number;
  /** A PostgreSQL server; without one, PGlite runs embedded in `databaseFolder`. */
  readonly databaseUrl: string | undefined;
  readonly databaseFolder: string;
  readonly warehouse: WarehouseConfiguration;
  readonly catalog: CatalogConfiguration;
  /** Partitions that run at once on this node, each in a thread of its own. */
  readonly workerThreads: number;
  /** The least time between two progress writes of a job, in milliseconds. */
  readonly progressIntervalMs: number;
  readonly retention: RetentionSettings;
  readonly logLevel: LogLevel;
  /** Fill an empty folder warehouse with demo tables and sources at start. */
  readonly demoData: boolean;
}

export type Role = 'api' | 'worker';
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The environment is not usable: every fault in it is named in the message, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const retentionDays = z.coerce.number().int().min(0).max(36_500);

/** Each environment variable with its default and meaning: the one list that the docs are checked against. */
export const environmentSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address the API listens on.'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe('Port the API listens on.'),
  BLADE_ROLES: z
    .string()
    .default('api,worker')
    .transform((roles) => roles.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(['api', 'worker'])).min(1))
    .describe('What this process does: `api`, `worker`, or both.'),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a URL such as postgresql://user@host:5432/database' })
    .optional()
    .describe('PostgreSQL server; without it the embedded database is used.'),
  BLADE_DATA_FOLDER: z
    .string()
    .min(1)
    .default('.blade')
    .describe('Folder of the embedded database, warehouse and catalog.'),
  BLADE_WAREHOUSE_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the DuckDB warehouse: `<catalog>/<schema>/<table>.(parquet|csv|ndjson)`.'),
  BLADE_CATALOG_FOLDER: z.string().min(1).optional().describe('Folder of the folder catalog.'),
  BLADE_WORKER_THREADS: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(Math.max(2, availableParallelism() - 1))
    .describe('Partitions that run at once on this node.'),
  BLADE_PROGRESS_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(250)
    .describe('Least time between two progress writes of a job, in milliseconds.'),
  BLADE_DEMO_DATA: z
    .stringbool()
    .optional()
    .describe(
      'Fill an empty folder warehouse with demo tables and their sources at first start; `true` unless BLADE_WAREHOUSE_FOLDER is set.',
    ),
  BLADE_HISTORY_RETENTION_DAYS: retentionDays
    .default(90)
    .describe(
      'How long ended jobs, their errors and the records of schedules are kept, in days; `0` for ever.',
    ),
  BLADE_ITEM_RETENTION_DAYS: retentionDays
    .default(0)
    .describe('How long items that do not change are kept, in days; `0` for ever.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least severe log line that is written.'),
});

/**
 * @param environment usually `process.env`; variables that are empty count as not set.
 * @throws ConfigError naming every variable that is wrong, and what would be right.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(present);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The environment is not usable:\n  ${faults.join('\n  ')}`);
  }
  const settings = parsed.data;
  const dataFolder = resolve(settings.BLADE_DATA_FOLDER);
  return {
    roles: new Set(settings.BLADE_ROLES),
    host: settings.HOST,
    port: settings.PORT,
    databaseUrl: settings.DATABASE_URL,
    databaseFolder: join(dataFolder, 'database'),
    warehouse: {
      kind: 'duckdb',
      folder: resolve(settings.BLADE_WAREHOUSE_FOLDER ?? join(dataFolder, 'warehouse')),
    },
    catalog: {
      kind: 'folder',
      folder: resolve(settings.BLADE_CATALOG_FOLDER ?? join(dataFolder, 'catalog')),
    },
    workerThreads: settings.BLADE_WORKER_THREADS,
    progressIntervalMs: settings.BLADE_PROGRESS_INTERVAL_MS,
    retention: {
      historyDays: settings.BLADE_HISTORY_RETENTION_DAYS || null,
      itemDays: settings.BLADE_ITEM_RETENTION_DAYS || null,
    },
    logLevel: settings.LOG_LEVEL,
    demoData: settings.BLADE_DEMO_DATA ?? settings.BLADE_WAREHOUSE_FOLDER === undefined,
  };
}
