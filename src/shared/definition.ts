import type { SettingsSlice } from './settings.ts';
import { defineSettings } from './settings.ts';

/** Something that is named by its kind and set up by its own settings, such as a warehouse. */
export interface Definition<Settings = unknown> {
  readonly kind: string;
  readonly name: string;
  /** Null while it is not set up. Plain data otherwise, because it is copied into threads. */
  readonly settings: SettingsSlice<Settings | null>;
}

/** Which definition is used, by its name, and its settings. Plain data. */
export interface Choice {
  readonly name: string;
  readonly settings: unknown;
}

/** Describes the choice of one of several definitions: the one that is set up or, if none is, the first. */
export function choiceSettings(definitions: readonly Definition[]): SettingsSlice<Choice> {
  const [first, ...others] = definitions;
  if (first === undefined) throw new Error('there is nothing to choose from');
  const findChosen = (settings: Readonly<Record<string, unknown>>) =>
    others.filter(({ name }) => settings[name] !== null);
  return defineSettings({
    variables: {},
    needs: Object.fromEntries(definitions.map(({ name, settings }) => [name, settings])),
    check(_values, settings, refuse) {
      const [chosen, other] = findChosen(settings);
      if (chosen !== undefined && other !== undefined) {
        const problem = `the ${chosen.kind}s ${chosen.name} and ${other.name} are both set up: unset it or ${mainVariable(chosen)}`;
        refuse(mainVariable(other), problem);
      } else if (chosen !== undefined && !isPlainData(settings[chosen.name])) {
        refuse(mainVariable(chosen), `the settings of the ${chosen.kind} ${chosen.name} must be plain data`);
      }
    },
    toSettings(_values, settings): Choice {
      const { name } = findChosen(settings)[0] ?? first;
      return { name, settings: settings[name] };
    },
  });
}

/** Returns the settings of a choice if it is this definition; otherwise null. */
export function settingsFor<Settings>({ name }: Definition<Settings>, choice: Choice): Settings | null {
  // Made by the settings of the definition that has the name.
  return choice.name === name ? (choice.settings as Settings) : null;
}

/** The first variable of a definition's settings, which people set to choose it. */
function mainVariable({ name, settings }: Definition): string {
  return Object.keys(settings.variables)[0] ?? name;
}

function isPlainData(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
