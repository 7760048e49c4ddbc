import type { DataType } from './data-type.ts';
import { deployment } from './deployment.ts';
import { logistics } from './logistics.ts';
import { maintenance } from './maintenance.ts';
import { HIGHEST_MARKING, type Marking } from './marking.ts';
import { sortie } from './sortie.ts';

/** Every data type there is. A new one is a file beside this one and a line here. */
export const dataTypes: readonly DataType[] = [maintenance, sortie, deployment, logistics];

export const dataTypeNames: readonly string[] = dataTypes.map((dataType) => dataType.name);

/** The data type of that name, exactly as it is written; undefined where there is none. */
export function findDataType(name: string): DataType | undefined {
  return dataTypes.find((dataType) => dataType.name === name);
}

/** The marking of an item of the data type whose row has none; the highest where there is no such data type any more. */
export function defaultMarkingOf(name: string): Marking {
  return findDataType(name)?.defaultMarking ?? HIGHEST_MARKING;
}
