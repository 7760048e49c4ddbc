import { type DataType, defineDataType } from './data-type.ts';

export const deployment: DataType = defineDataType({
  name: 'deployment',
  description: 'Units deployed from their base: who, where, for how long and for what mission.',
  defaultMarking: 'SECRET',
  identifyingColumns: ['item_id', 'deployment_id'],
  columns: {
    item_id: 'text',
    deployment_id: 'text',
    unit_designation: 'text',
    unit_type: 'text',
    personnel_count: 'integer',
    commanding_officer: 'text',
    deployment_location: 'text',
    origin_base: 'text',
    deployment_start_date: 'date',
    deployment_end_date: 'date',
    mission_objective: 'text',
    operational_status: 'text',
  },
});
