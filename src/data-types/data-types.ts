import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import type { DataType } from './data-type.ts';
import { HIGHEST_MARKING, type Marking } from './marking.ts';

/** The data types that a program has: the built-in ones and those of its plug-ins. */
export interface DataTypes {
  readonly all: readonly DataType[];
  readonly names: readonly string[];
  /** Finds a data type by its exact name. */
  find(name: string): DataType | undefined;
  /** Returns the default marking of a data type, or the highest if the program no longer has that data type. */
  getDefaultMarking(name: string): Marking;
  /** Says that there is no data type of a name, and which there are. */
  describeUnknown(name: string): string;
  /**
   * Checks the data types that an input names.
   * @param field where the input names them, for the error.
   * @throws InvalidInputError for a name that is none.
   */
  check(names: string | readonly string[] | null | undefined, field: string): void;
}

/** A stored job has a data type that this process does not have. */
export class UnknownDataTypeError extends Error {
  override readonly name = 'UnknownDataTypeError';

  constructor(name: string) {
    super(`There is no data type ${name} here: start every worker with the plug-in that brings it.`);
  }
}

export function createDataTypes(all: readonly DataType[]): DataTypes {
  const byName = new Map(all.map((dataType) => [dataType.name, dataType]));
  const names = [...byName.keys()];
  const describeUnknown = (name: string) =>
    `there is no data type ${JSON.stringify(name)}; known are ${names.join(', ')}`;
  return {
    all,
    names,
    find: (name) => byName.get(name),
    getDefaultMarking: (name) => byName.get(name)?.defaultMarking ?? HIGHEST_MARKING,
    describeUnknown,
    check(given, field) {
      const unknown = [given ?? []].flat().find((name) => !byName.has(name));
      if (unknown !== undefined)
        throw new InvalidInputError([createIssue(field, 'UNKNOWN', describeUnknown(unknown))]);
    },
  };
}
