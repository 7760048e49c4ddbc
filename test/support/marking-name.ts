import type { Marking as Stored } from '../../src/data-types/marking.ts';
import type { Marking } from '../generated/graphql.ts';

/** A stored marking as the API names it. */
export function toMarkingName(marking: Stored): Marking {
  return marking === 'TOP SECRET' ? 'TOP_SECRET' : marking;
}
