import { type Marking, toLevel } from '../data-types/marking.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import type { StartQueryJobInput } from './input/start-query-job-input.ts';

/**
 * Refuses a query job that its starter could not see: its classification, or else the default marking of its data type, is
 * above the clearance.
 * @param least the default marking of its data type.
 * @throws InvalidInputError naming the field at fault.
 */
export function checkClearance(
  { dataType, catalogConfig: { classification } }: StartQueryJobInput,
  least: Marking,
  clearance: Marking,
): void {
  const isAbove = (marking: Marking) => toLevel(marking) > toLevel(clearance);
  if (isAbove(least)) {
    throw new InvalidInputError([
      createIssue(
        'input.dataType',
        'NOT_ALLOWED',
        `${dataType} data is ${least}, above your clearance for ${clearance}: ask someone cleared for ${least} to start this query job`,
      ),
    ]);
  }
  if (classification !== null && isAbove(classification)) {
    throw new InvalidInputError([
      createIssue(
        'input.catalogConfig.classification',
        'NOT_ALLOWED',
        `${classification} is above your clearance for ${clearance}: name a marking up to that`,
      ),
    ]);
  }
}
