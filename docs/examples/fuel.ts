import { number, text, timestamp } from '../../src/data-types/column-kind.ts';
import { type DataType, defineDataType, rowOf } from '../../src/data-types/data-type.ts';

export const fuel: DataType = defineDataType({
  name: 'fuel',
  description: 'Fuel issued: how much of what, where and to which aircraft.',
  defaultMarking: 'CUI',
  identifyingColumns: ['item_id', 'ticket_number'],
  rowSchema: rowOf({
    item_id: text,
    ticket_number: text,
    fuel_type: text,
    gallons: number,
    base_location: text,
    aircraft_tail: text,
    issued_at: timestamp,
  }),
});
