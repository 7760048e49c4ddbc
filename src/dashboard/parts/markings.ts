import { formatMarking } from '../../shared/format-marking.ts';
import type { Marking } from '../generated/graphql.ts';

const MARKINGS: readonly Marking[] = ['UNCLASSIFIED', 'CUI', 'CONFIDENTIAL', 'SECRET', 'TOP_SECRET'];

/** The classification markings as options of a select, from the lowest to the highest. */
export const MARKING_OPTIONS = MARKINGS.map((marking) => ({ value: marking, label: formatMarking(marking) }));

/** Lists the marking of an option; empty for another text. */
export function listMarking(option: string | null): Marking[] {
  return MARKINGS.filter((marking) => marking === option);
}
