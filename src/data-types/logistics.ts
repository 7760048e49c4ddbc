import { type DataType, defineDataType } from './data-type.ts';

export const logistics: DataType = defineDataType({
  name: 'logistics',
  description: 'Supplies in transit: what, how much, from which vendor, origin and destination.',
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
