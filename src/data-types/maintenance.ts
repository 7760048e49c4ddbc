import { type DataType, defineDataType } from './data-type.ts';

export const maintenance: DataType = defineDataType({
  name: 'maintenance',
  description: 'Maintenance of aircraft: what has to be done, who does it and by when.',
  defaultMarking: 'UNCLASSIFIED',
  identifyingColumns: ['item_id', 'work_order'],
  columns: {
    item_id: 'text',
    aircraft_tail: 'text',
    aircraft_type: 'text',
    maintenance_type: 'text',
    maintenance_code: 'text',
    description: 'text',
    priority: 'text',
    estimated_completion: 'timestamp',
    actual_completion: 'timestamp',
    technician_assigned: 'text',
    base_location: 'text',
    work_order: 'text',
    next_scheduled_date: 'date',
  },
});
