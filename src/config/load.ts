import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isReadableFile } from '../shared/readable-file.ts';
import {
  type Refuse,
  type SettingsFrom,
  type SettingsSlice,
  type SettingsSlices,
  secretFinder,
  type Variables,
} from '../shared/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

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

/**
 * Loads the settings of slices, and of those that they need.
 * @param environment usually `process.env`; empty variables count as absent.
 * @throws ConfigError that names every invalid variable and what would work.
 */
export function loadSettings<Slices extends SettingsSlices>(
  slices: Slices,
  environment: Environment,
): LoadedSettings<Slices> {
  const faults: string[] = [];
  const refuse: Refuse = (variable, problem) => void faults.push(`${variable}: ${problem}`);
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const input = { ...present, ...readSecretFiles(collectVariables(slices), present, refuse) };

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
      const findSecrets = secretFinder(slice.variables[name]);
      if (value !== undefined) effective[name] = findSecrets === null ? value : 'set';
      if (typeof value === 'string') secrets.push(...(findSecrets?.(value) ?? []));
    }
  }

  const settings = pick(slices, made);
  if (settings === null || faults.length > 0) {
    throw new ConfigError(`The environment is invalid:\n  ${faults.join('\n  ')}`);
  }
  return { settings: settings as LoadedSettings<Slices>['settings'], effective, secrets };
}

/**
 * Collects the variables of slices, and of those that they need, by name.
 * @throws if two slices have the same variable.
 */
export function collectVariables(slices: SettingsSlices): Variables {
  const variables: Record<string, z.ZodType> = {};
  const collect = (named: SettingsSlices) => {
    for (const slice of Object.values(named)) {
      for (const [name, schema] of Object.entries(slice.variables)) {
        if ((variables[name] ?? schema) !== schema)
          throw new Error(`two parts of the program have the setting ${name}`);
        variables[name] = schema;
      }
      collect(slice.needs);
    }
  };
  collect(slices);
  return variables;
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
function readSecretFiles(variables: Variables, present: Environment, refuse: Refuse): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const path = present[`${name}_FILE`];
    if (path === undefined || secretFinder(schema) === null) continue;
    if (present[name] !== undefined) refuse(`${name}_FILE`, `is set together with ${name}; set one of them`);
    else if (!isReadableFile(path)) refuse(`${name}_FILE`, 'names no file that can be read');
    else values[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  }
  return values;
}
