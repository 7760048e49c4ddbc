import { type DataType, defineDataType } from './data-type.ts';

export const logistics: DataType = defineDataType({
  name: 'logistics',
  description: 'Supplies on their way: what, how much, from whom, from where to where.',
  defaultMarking: 'UNCLASSIFIED',
  identifyingColumns: ['item_id', 'shipment_id'],
  columns: {
    item_id: 'text',
    shipment_id: 'text',
    supply_type: 'text',
    description: 'text',
    quantity: 'number',
    unit_of_measure: 'text',
    vendor: 'text',
    origin_location: 'text',
    destination_location: 'text',
    shipped_date: 'date',
    estimated_arrival: 'timestamp',
    priority: 'text',
  },
});
