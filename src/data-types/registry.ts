import type { DataType } from './data-type.ts';
import { deployment } from './deployment.ts';
import { logistics } from './logistics.ts';
import { maintenance } from './maintenance.ts';
import { HIGHEST_MARKING, type Marking } from './marking.ts';
import { sortie } from './sortie.ts';

/** All data types. A new one is a file beside this one and a line here. */
export const dataTypes: readonly DataType[] = [maintenance, sortie, deployment, logistics];

export const dataTypeNames: readonly string[] = dataTypes.map((dataType) => dataType.name);

/** Finds the data type of exactly that name; undefined if there is none. */
export function findDataType(name: string): DataType | undefined {
  return dataTypes.find((dataType) => dataType.name === name);
}

/** Finds the default marking of a data type; the highest marking if the data type no longer exists. */
export function defaultMarkingOf(name: string): Marking {
  return findDataType(name)?.defaultMarking ?? HIGHEST_MARKING;
}
