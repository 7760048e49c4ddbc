import { z } from 'zod';

/** Environment variables with their schemas: each has a description, and a default unless it may be absent. */
export type Variables = Readonly<Record<string, z.ZodType>>;

/** Slices by the names under which their settings are found. */
export type SettingsSlices = Readonly<Record<string, SettingsSlice>>;

/** One part's slice of the settings: its variables, and what they are converted to. */
export interface SettingsSlice<Settings = unknown> {
  readonly variables: Variables;
  /** Finds what must not be shown in the values of those variables that are secret. */
  readonly secrets: Readonly<Record<string, FindSecrets>>;
  /** Slices whose settings this one uses. */
  readonly needs: SettingsSlices;
  check(values: object, needed: object, refuse: Refuse): void;
  findSecrets(values: object): readonly string[];
  toSettings(values: object, needed: object): Settings;
}

/** Refuses a variable's value, saying what is wrong with it and what would work. */
export type Refuse = (variable: string, problem: string) => void;

/** The settings of a slice. */
export type SettingsFrom<Slice> = Slice extends SettingsSlice<infer Settings> ? Settings : never;

type Values<Shape extends Variables> = z.output<z.ZodObject<Shape>>;
type Needed<Slices> = { readonly [Name in keyof Slices]: SettingsFrom<Slices[Name]> };

/**
 * Defines a part's slice of the settings.
 * @param slice.needs slices of lower parts, whose settings `check` and `toSettings` receive.
 * @param slice.check refuses combinations of values that are each valid; called only if all of them, and all needed
 * settings, are.
 * @param slice.findSecrets finds further values that must not be shown, besides those marked by `secret`.
 * @param slice.toSettings converts checked values to the settings.
 */
export function defineSettings<
  const Shape extends Variables,
  Settings,
  const Needs extends SettingsSlices = Record<never, SettingsSlice>,
>(slice: {
  readonly variables: Shape;
  readonly needs?: Needs;
  check?(values: Values<Shape>, needed: Needed<Needs>, refuse: Refuse): void;
  findSecrets?(values: Values<Shape>): readonly string[];
  toSettings(values: Values<Shape>, needed: Needed<Needs>): Settings;
}): SettingsSlice<Settings> {
  const secrets: Record<string, FindSecrets> = {};
  for (const [name, schema] of Object.entries(slice.variables)) {
    const find = secretFinder(schema);
    if (find !== null) secrets[name] = find;
  }
  return { needs: {}, check() {}, findSecrets: () => [], secrets, ...slice } as SettingsSlice<Settings>;
}

/** Finds what must not be shown in a variable's value. */
type FindSecrets = (value: string) => readonly string[];

const secretVariables = z.registry<{ readonly find: FindSecrets }>();

/**
 * Marks a variable as secret: its value is never shown, and may be the content of the file that `<NAME>_FILE` names.
 * @param find finds what must not be shown in a value. Default: all of it.
 */
export function secret<Schema extends z.ZodType>(
  schema: Schema,
  find: FindSecrets = (value) => [value],
): Schema {
  secretVariables.add(schema, { find });
  return schema;
}

/** Finds the mark of a secret; null for a variable that is not secret. */
function secretFinder(schema: z.core.$ZodType): FindSecrets | null {
  return listLayers(schema).flatMap((layer) => secretVariables.get(layer)?.find ?? [])[0] ?? null;
}

/** Returns the description of a variable. */
export function findDescription(schema: z.ZodType): string | undefined {
  return listLayers(schema).flatMap((layer) => z.globalRegistry.get(layer)?.description ?? [])[0];
}

/** A schema and those that it wraps, as `optional` and the like do: a mark may be on any of them. */
function listLayers(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const inner = ['innerType', 'in', 'out'].flatMap((part) => Reflect.get(schema._zod.def, part) ?? []);
  return [schema, ...inner.flatMap(listLayers)];
}

/** A variable that is a whole number within bounds. */
export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce
    .number({ error })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, { error });
}

/** A variable that turns something on or off. */
export function flag() {
  return z.stringbool({ error: 'must be true or false' });
}

/** Splits a list such as `a, b`; an empty text is an empty list. */
export function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Refuses each of the others that is missing while a variable is set that needs it. */
export function checkTogether<Values extends object>(
  values: Values,
  refuse: Refuse,
  variable: keyof Values & string,
  others: readonly (keyof Values & string)[],
): void {
  if (values[variable] === undefined) return;
  for (const other of others) {
    if (values[other] === undefined) refuse(other, `must be set together with ${variable}`);
  }
}
