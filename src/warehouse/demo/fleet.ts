import { numberBelow } from './chance.ts';
import { textLiteral } from './copy-table.ts';

const aircraftTypes = ['C-17A', 'C-130J', 'KC-135R', 'F-16C', 'F-35A', 'A-10C', 'HH-60W', 'MQ-9A'] as const;

const tailsOfType = 50;

/** Aircraft by their number, as SQL: the same number is the same tail and the same type in every table. */
export function aircraft(row: string): { readonly tail: string; readonly type: string } {
  const number = numberBelow(aircraftTypes.length * tailsOfType, row, 'aircraft');
  return {
    tail: `'AF' || (85 + ${number} % 15) || '-' || lpad((1000 + ${number} * 7)::VARCHAR, 4, '0')`,
    type: `[${aircraftTypes.map(textLiteral).join(', ')}][1 + ${number} % ${aircraftTypes.length}]`,
  };
}
