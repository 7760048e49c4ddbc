import { InvalidArgumentError } from 'commander';
import { formatMarking } from '../shared/format-marking.ts';
import type { Marking } from './generated/graphql.ts';
import { listNames } from './option-values.ts';

const MARKINGS = listNames<Marking>({
  ...{ U: true, UNCLASSIFIED: true, CUI: true, C: true, CONFIDENTIAL: true },
  ...{ S: true, SECRET: true, TS: true, TOP_SECRET: true },
});

/** Reads a marking, in upper or lower case. */
export function parseMarking(text: string): Marking {
  const name = text.trim().toUpperCase();
  const marking = MARKINGS.find((marking) => marking === name || formatMarking(marking) === name);
  if (marking !== undefined) return marking;
  throw new InvalidArgumentError(`It must be one of ${MARKINGS.map(formatMarking).join(', ')}.`);
}

/** Collects an option with a marking that may be repeated. */
export function collectMarking(text: string, before: Marking[] = []): Marking[] {
  return [...before, parseMarking(text)];
}
