import { accessSettings } from '../access/settings.ts';
import { httpSettings } from '../api/http/settings.ts';
import { limitSettings } from '../api/limits/settings.ts';
import { databaseSettings } from '../database/settings.ts';
import { threadSettings } from '../ingestion/thread-settings.ts';
import { jobSettings } from '../jobs/settings.ts';
import { logSettings, metricsSettings, tracingSettings } from '../observability/settings.ts';
import { createRegistry, type Registry } from '../plugins/registry.ts';
import { pluginSettings } from '../plugins/settings.ts';
import { choiceSettings } from '../shared/definition.ts';
import { warehouseSettings } from '../warehouse/settings.ts';
import {
  ConfigError,
  collectVariables,
  describeSettings,
  type Environment,
  type LoadedSettings,
  loadSettings,
  type PluginSlices,
} from './load.ts';
import { roleSettings } from './roles.ts';

/** The slices of the settings, each defined by its part of the program. */
const createSlices = ({ warehouses, catalogs }: Registry) => ({
  roles: roleSettings,
  http: httpSettings,
  access: accessSettings,
  limits: limitSettings,
  database: databaseSettings,
  plugins: pluginSettings,
  warehouse: warehouseSettings(warehouses),
  catalog: choiceSettings(catalogs),
  ingestion: threadSettings,
  jobs: jobSettings,
  metrics: metricsSettings,
  tracing: tracingSettings,
  log: logSettings,
});

type Loaded = LoadedSettings<ReturnType<typeof createSlices>>;

/** The configuration of the program: the environment, loaded once, and what its plug-ins add. */
export type Config = Loaded['settings'] &
  Pick<Loaded, 'effective' | 'secrets'> & { readonly registry: Registry };

/** An environment variable. */
export interface Variable {
  readonly name: string;
  readonly description: string | undefined;
  readonly isSecret: boolean;
}

/** Lists every variable of the built-in parts, as docs/configuration.md does. */
export function listVariables(): readonly Variable[] {
  const slices = Object.values(createSlices(createRegistry([])));
  return Object.entries(collectVariables(slices)).map(([name, { description, isSecret }]) => ({
    name,
    description,
    isSecret,
  }));
}

/**
 * Loads the settings from an environment.
 * @param registry what the program can choose from. Default: only what is built in.
 * @throws ConfigError that names every invalid variable and what would work.
 */
export function loadConfig(environment: Environment, registry = createRegistry([])): Config {
  const { settings, effective, secrets } = loadSettings(
    createSlices(registry),
    environment,
    listPluginSlices(registry),
  );
  return { ...settings, effective, secrets, registry };
}

/**
 * Refuses names that are neither settings nor variables of the process, such as misspelt ones.
 * @throws ConfigError that names each, and lists the settings of the plug-ins.
 */
export function checkNames(config: Environment, registry: Registry): void {
  const variables = collectVariables(Object.values(createSlices(registry)));
  const isSetting = (name: string) =>
    Object.hasOwn(variables, name) || variables[name.replace(/_FILE$/, '')]?.isSecret;
  const unknown = Object.entries(config)
    .filter(([name, value]) => !isSetting(name) && process.env[name] !== value)
    .map(
      ([name]) => `\n  ${name}: there is no such setting; docs/configuration.md lists those of the program`,
    );
  if (unknown.length === 0) return;
  const known = listPluginSlices(registry)
    .filter(({ slices }) => slices.length > 0)
    .map((plugin) => `\n${describeSettings(plugin)}`);
  throw new ConfigError(`The settings are invalid:${[...unknown, ...known].join('')}`);
}

function listPluginSlices({ plugins }: Registry): readonly PluginSlices[] {
  return plugins.map(({ name, definitions }) => ({
    name,
    slices: definitions.flatMap((definition) => ('settings' in definition ? [definition.settings] : [])),
  }));
}
