import { defineDataType } from 'blade-ingestion';

export const fuel = defineDataType({
  name: 'fuel',
  description: 'Fuel issued: how much of what, where and to which aircraft.',
  defaultMarking: 'CUI',
  identifyingColumns: ['item_id', 'ticket_number'],
  columns: {
    item_id: 'text',
    ticket_number: 'text',
    fuel_type: 'text',
    gallons: 'number',
    base_location: 'text',
    aircraft_tail: 'text',
    issued_at: 'timestamp',
  },
});
