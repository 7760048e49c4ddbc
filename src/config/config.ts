import { accessSettings } from '../access/settings.ts';
import { httpSettings } from '../api/http/settings.ts';
import { limitSettings } from '../api/limits/settings.ts';
import { catalogSettings } from '../catalog/settings.ts';
import { databaseSettings } from '../database/settings.ts';
import { ingestionSettings } from '../ingestion/settings.ts';
import { jobSettings } from '../jobs/settings.ts';
import { logSettings, metricsSettings, tracingSettings } from '../observability/settings.ts';
import { secretFinder } from '../shared/settings.ts';
import { folderWarehouseSettings } from '../warehouse/duckdb/settings.ts';
import { warehouseSettings } from '../warehouse/settings.ts';
import { collectVariables, type LoadedSettings, loadSettings } from './load.ts';
import { roleSettings } from './roles.ts';

/** The slices of the settings, each defined by its part of the program. */
const slices = {
  roles: roleSettings,
  http: httpSettings,
  access: accessSettings,
  limits: limitSettings,
  database: databaseSettings,
  warehouse: warehouseSettings,
  folderWarehouse: folderWarehouseSettings,
  catalog: catalogSettings,
  ingestion: ingestionSettings,
  jobs: jobSettings,
  metrics: metricsSettings,
  tracing: tracingSettings,
  log: logSettings,
};

type Loaded = LoadedSettings<typeof slices>;

/** What the program runs with: the environment, loaded once. */
export type Config = Loaded['settings'] & Pick<Loaded, 'effective' | 'secrets'>;

/** An environment variable. */
export interface Variable {
  readonly name: string;
  readonly description: string | undefined;
  readonly isSecret: boolean;
}

/** Lists every variable, as docs/configuration.md does. */
export function listVariables(): readonly Variable[] {
  return Object.entries(collectVariables(slices)).map(([name, schema]) => ({
    name,
    description: schema.description,
    isSecret: secretFinder(schema) !== null,
  }));
}

/**
 * Loads the settings from an environment.
 * @throws ConfigError that names every invalid variable and what would work.
 */
export function loadConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const { settings, effective, secrets } = loadSettings(slices, environment);
  return { ...settings, effective, secrets };
}
