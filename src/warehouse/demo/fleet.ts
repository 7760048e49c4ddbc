import { pickNumber } from './chance.ts';
import { quoteText } from './copy-table.ts';

const AIRCRAFT_TYPES = ['C-17A', 'C-130J', 'KC-135R', 'F-16C', 'F-35A', 'A-10C', 'HH-60W', 'MQ-9A'] as const;

const TAILS_PER_TYPE = 50;

/** Picks an aircraft for a row, as SQL: a tail has the same type in every table. */
export function pickAircraft(row: string): { readonly tail: string; readonly type: string } {
  const number = pickNumber(AIRCRAFT_TYPES.length * TAILS_PER_TYPE, row, 'aircraft');
  return {
    tail: `'AF' || (85 + ${number} % 15) || '-' || lpad((1000 + ${number} * 7)::VARCHAR, 4, '0')`,
    type: `[${AIRCRAFT_TYPES.map(quoteText).join(', ')}][1 + ${number} % ${AIRCRAFT_TYPES.length}]`,
  };
}
