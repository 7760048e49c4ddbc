import { type DataType, defineDataType } from './data-type.ts';

export const sortie: DataType = defineDataType({
  name: 'sortie',
  description: 'Flights of aircraft: mission, route, planned and actual times.',
  defaultMarking: 'CONFIDENTIAL',
  identifyingColumns: ['item_id', 'mission_id'],
  columns: {
    item_id: 'text',
    mission_id: 'text',
    aircraft_tail: 'text',
    aircraft_type: 'text',
    pilot_callsign: 'text',
    mission_type: 'text',
    departure_base: 'text',
    destination_base: 'text',
    scheduled_departure: 'timestamp',
    actual_departure: 'timestamp',
    scheduled_arrival: 'timestamp',
    actual_arrival: 'timestamp',
    flight_hours: 'number',
    mission_status: 'text',
  },
});
