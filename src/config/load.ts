import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isReadableFile } from '../shared/readable-file.ts';
import {
  findDescription,
  type Refuse,
  type SettingsFrom,
  type SettingsSlice,
  type SettingsSlices,
} from '../shared/settings.ts';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment is invalid: the message lists every fault, one per line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The settings of slices, from an environment. */
export interface LoadedSettings<Slices extends SettingsSlices> {
  readonly settings: { readonly [Name in keyof Slices]: SettingsFrom<Slices[Name]> };
  /** The value in effect of each variable, for the log; a secret is only shown as set. */
  readonly effective: Readonly<Record<string, unknown>>;
  /** Values that must not be shown anywhere. */
  readonly secrets: readonly string[];
}

/** The slices of a plug-in. Messages about faults in them name the plug-in and list its settings. */
export interface PluginSlices {
  /** The name of the plug-in. */
  readonly name: string;
  readonly slices: readonly SettingsSlice[];
}

/**
 * Loads the settings of slices, and of those that they need.
 * @param environment usually `process.env`; empty variables count as absent.
 * @param plugins which of the slices are from plug-ins.
 * @throws ConfigError that names every invalid variable and what would work.
 */
export function loadSettings<Slices extends SettingsSlices>(
  slices: Slices,
  environment: Environment,
  plugins: readonly PluginSlices[] = [],
): LoadedSettings<Slices> {
  const { refuse, faults, describeFaults } = gatherFaults(plugins);
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const input = {
    ...present,
    ...readSecretFiles(collectVariables(Object.values(slices), plugins), present, refuse),
  };

  const made = new Map<SettingsSlice, unknown>();
  const effective: Record<string, unknown> = {};
  const secrets: string[] = [];
  for (const slice of sortByNeed(slices)) {
    const { data: values, error } = z.object(slice.variables).safeParse(input);
    for (const { path, message } of error?.issues ?? []) refuse(String(path[0]), message);
    const needed = pick(slice.needs, made);
    if (values === undefined || needed === null) continue;

    const faultsBefore = faults.length;
    slice.check(values, needed, refuse);
    if (faults.length > faultsBefore) continue;
    made.set(slice, slice.toSettings(values, needed));
    secrets.push(...slice.findSecrets(values));
    for (const [name, value] of Object.entries(values)) {
      const findSecrets = slice.secrets[name];
      if (value !== undefined) effective[name] = findSecrets === undefined ? value : 'set';
      if (typeof value === 'string') secrets.push(...(findSecrets?.(value) ?? []));
    }
  }

  const settings = pick(slices, made);
  if (settings === null || faults.length > 0) throw new ConfigError(describeFaults());
  return { settings: settings as LoadedSettings<Slices>['settings'], effective, secrets };
}

/** Collects faults, and describes them with the settings of the plug-ins at fault. */
function gatherFaults(plugins: readonly PluginSlices[]) {
  const faults: string[] = [];
  const blamed = new Set<PluginSlices>();
  const refuse: Refuse = (variable, problem) => {
    const plugin = findOwner(variable, plugins);
    if (plugin !== undefined) blamed.add(plugin);
    faults.push(
      `${variable}: ${problem}${plugin === undefined ? '' : ` (a setting of the plug-in ${plugin.name})`}`,
    );
  };
  const describeFaults = () => {
    const settings = [...blamed].map((plugin) => `\n${describeSettings(plugin)}`);
    return `The environment is invalid:\n  ${faults.join('\n  ')}${settings.join('')}`;
  };
  return { refuse, faults, describeFaults };
}

/** Lists the settings of a plug-in as docs/configuration.md lists those of the program. */
export function describeSettings({ name: plugin, slices }: PluginSlices): string {
  const lines = Object.entries(collectVariables(slices)).map(([name, { schema, description, isSecret }]) => {
    const fallback = isSecret ? undefined : schema.safeParse(undefined).data;
    const notes = [
      ...(isSecret ? [`secret, or in the file that ${name}_FILE names`] : []),
      ...(fallback === undefined ? [] : [`default: ${JSON.stringify(fallback)}`]),
    ];
    return `  ${name}: ${description ?? ''}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
  });
  return [`The settings of the plug-in ${plugin}:`, ...lines].join('\n');
}

function findOwner(variable: string, plugins: readonly PluginSlices[]): PluginSlices | undefined {
  const name = variable.replace(/_FILE$/, '');
  return plugins.find(({ slices }) => {
    const variables = collectVariables(slices);
    return Object.hasOwn(variables, variable) || Object.hasOwn(variables, name);
  });
}

/** A variable of a slice. */
export interface SliceVariable {
  readonly schema: z.ZodType;
  readonly description: string | undefined;
  readonly isSecret: boolean;
}

/**
 * Collects the variables of slices, and of those that they need, by name.
 * @param plugins which of the slices are from plug-ins.
 * @throws ConfigError if two slices have the same variable.
 */
export function collectVariables(
  slices: readonly SettingsSlice[],
  plugins: readonly PluginSlices[] = [],
): Readonly<Record<string, SliceVariable>> {
  const variables: Record<string, SliceVariable> = {};
  for (const slice of listWithNeeds(slices)) {
    for (const [name, schema] of Object.entries(slice.variables)) {
      if ((variables[name]?.schema ?? schema) !== schema) {
        const plugin = findOwner(name, plugins);
        const advice = plugin === undefined ? '' : `: rename the one of the plug-in ${plugin.name}`;
        throw new ConfigError(`two parts of the program have the setting ${name}${advice}`);
      }
      variables[name] = {
        schema,
        description: findDescription(schema),
        isSecret: Object.hasOwn(slice.secrets, name),
      };
    }
  }
  return variables;
}

/** Lists each slice, and then those that it needs. */
function listWithNeeds(slices: readonly SettingsSlice[]): readonly SettingsSlice[] {
  return slices.flatMap((slice) => [slice, ...listWithNeeds(Object.values(slice.needs))]);
}

/** Lists each slice once, after those that it needs. */
function sortByNeed(slices: SettingsSlices, found = new Set<SettingsSlice>()): ReadonlySet<SettingsSlice> {
  for (const slice of Object.values(slices)) {
    sortByNeed(slice.needs, found);
    found.add(slice);
  }
  return found;
}

/** Picks the settings of slices by name; null if those of any slice were refused. */
function pick(
  slices: SettingsSlices,
  made: ReadonlyMap<SettingsSlice, unknown>,
): Readonly<Record<string, unknown>> | null {
  const entries = Object.entries(slices);
  if (entries.some(([, slice]) => !made.has(slice))) return null;
  return Object.fromEntries(entries.map(([name, slice]) => [name, made.get(slice)]));
}

/** Reads the secrets that are in files, without the line break at the end. */
function readSecretFiles(
  variables: Readonly<Record<string, SliceVariable>>,
  present: Environment,
  refuse: Refuse,
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, { isSecret }] of Object.entries(variables)) {
    const path = present[`${name}_FILE`];
    if (path === undefined || !isSecret) continue;
    if (present[name] !== undefined) refuse(`${name}_FILE`, `is set together with ${name}; set one of them`);
    else if (!isReadableFile(path)) refuse(`${name}_FILE`, 'names no file that can be read');
    else values[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  }
  return values;
}
