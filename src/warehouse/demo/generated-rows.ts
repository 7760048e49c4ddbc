import { numberBelow, onceIn, oneOf } from './chance.ts';
import { aircraft } from './fleet.ts';

/**
 * Rows of tables that are made up, as queries in the dialect of DuckDB, the same each time. About one row in a hundred
 * cannot become an item: no id at all, an unknown marking, a date that is none, words where a number belongs. Some
 * have no item_id and another id in its place, which is enough.
 */

const bases = [
  'Ramstein',
  'Kadena',
  'Travis',
  'Dover',
  'Nellis',
  'Al Udeid',
  'Aviano',
  'Osan',
  'McChord',
  'Hurlburt',
];
const surnames = [
  'Ortiz',
  'Nguyen',
  'Kowalski',
  'Okafor',
  'Larsen',
  'Haddad',
  'Brennan',
  'Castillo',
  'Iverson',
  'Park',
];

/** Rows of the maintenance table. */
export function maintenanceRows(rows: number): string {
  const { tail, type } = aircraft('row');
  const opened = openedAt('2024-01-01', rows, 700);
  return numbered(
    rows,
    `
      ${id('MNT', 'row')} AS item_id,
      ${tail} AS aircraft_tail,
      ${type} AS aircraft_type,
      ${oneOf(['SCHEDULED', 'UNSCHEDULED', 'PHASE', 'DEPOT', 'MODIFICATION'], 'row', 'type')} AS maintenance_type,
      ${oneOf(['11A', '12C', '23E', '24B', '46D', '49F', '74G'], 'row', 'code')} || lpad(${numberBelow(100, 'row', 'part')}::VARCHAR, 2, '0') AS maintenance_code,
      ${oneOf(['Hydraulic leak at main gear', 'Engine borescope, "hot section"', 'Replace cockpit display', 'Fuel quantity probe out of limits', 'Corrosion on flap track', 'Radar fails built-in test', 'Tire wear, both mains', 'Software load, mission computer'], 'row', 'description')} AS description,
      ${priority} AS priority,
      CASE WHEN ${onceIn(400, 'row', 'bad date')} THEN ${oneOf(['2024-02-30 08:00:00', 'when parts arrive', '31/12/24'], 'row', 'bad date text')}
        ELSE strftime(${opened} + to_hours(${numberBelow(300, 'row', 'work')}), '%Y-%m-%d %H:%M:%S') END AS estimated_completion,
      CASE WHEN NOT ${onceIn(4, 'row', 'open')} THEN ${opened} + to_hours(${numberBelow(360, 'row', 'work')}) END AS actual_completion,
      ${rankedName(['SSgt', 'TSgt', 'MSgt', 'A1C'], 'technician')} AS technician_assigned,
      ${oneOf(bases, 'row', 'base')} AS base_location,
      CASE WHEN ${hasNoId} THEN NULL ELSE 'WO-' || lpad((100000 + row)::VARCHAR, 7, '0') END AS work_order,
      (${opened} + to_days(30 + ${numberBelow(300, 'row', 'next')}))::DATE AS next_scheduled_date,
      ${marking(['UNCLASSIFIED', 'CUI'])} AS classification_marking,
      ${updatedAt(opened)} AS updated_at`,
  );
}

/** Rows of the deployment table; the column of persons is JSON, as some of them are words. */
export function deploymentRows(rows: number): string {
  const start = openedAt('2024-01-01', rows, 650);
  return numbered(
    rows,
    `
      ${id('DPL', 'row')} AS item_id,
      CASE WHEN ${hasNoId} THEN NULL ELSE 'DEP-' || lpad((5000 + row)::VARCHAR, 6, '0') END AS deployment_id,
      (1 + ${numberBelow(98, 'row', 'unit')}) || ' ' || ${oneOf(['EFS', 'EAS', 'ERQS', 'ECES', 'EMXS'], 'row', 'unit type')} AS unit_designation,
      ${oneOf(['FIGHTER', 'AIRLIFT', 'RESCUE', 'ENGINEERS', 'MAINTENANCE'], 'row', 'unit type')} AS unit_type,
      CASE WHEN ${onceIn(200, 'row', 'bad number')} THEN ${oneOf(['"about forty"', '"TBD"', '"12 + crew"'], 'row', 'bad number text')}::JSON
        ELSE to_json(12 + ${numberBelow(600, 'row', 'persons')}) END AS personnel_count,
      ${rankedName(['Maj', 'Lt Col', 'Col'], 'commander')} AS commanding_officer,
      ${oneOf(['Al Dhafra', 'Incirlik', 'Thumrait', 'Camp Lemonnier', 'Powidz', 'Agadez', 'Clark'], 'row', 'location')} AS deployment_location,
      ${oneOf(bases, 'row', 'base')} AS origin_base,
      ${start}::DATE AS deployment_start_date,
      CASE WHEN ${onceIn(250, 'row', 'bad date')} THEN 'end of rotation'
        ELSE strftime(${start} + to_days(60 + ${numberBelow(180, 'row', 'length')}), '%Y-%m-%d') END AS deployment_end_date,
      ${oneOf(['Air policing', 'Theater airlift', 'Personnel recovery', 'Base build-up', 'Partner training'], 'row', 'objective')} AS mission_objective,
      ${oneOf(['PLANNED', 'DEPLOYING', 'IN PLACE', 'REDEPLOYING', 'COMPLETE'], 'row', 'status')} AS operational_status,
      ${marking(['SECRET', 'CONFIDENTIAL'])} AS classification_marking,
      ${updatedAt(start)} AS updated_at`,
  );
}

/** Rows of the logistics table. */
export function logisticsRows(rows: number): string {
  const shipped = openedAt('2024-01-01', rows, 720);
  return numbered(
    rows,
    `
      ${id('LOG', 'row')} AS item_id,
      CASE WHEN ${hasNoId} THEN NULL ELSE 'SHP-' || lpad((700000 + row)::VARCHAR, 8, '0') END AS shipment_id,
      ${oneOf(['SPARES', 'FUEL', 'MUNITIONS', 'RATIONS', 'MEDICAL', 'TOOLS'], 'row', 'supply')} AS supply_type,
      ${oneOf(['Brake assembly', 'JP-8, bulk', 'Flare, countermeasure', 'Meals, ready to eat', 'Litter kit', 'Torque wrench, 3/4"'], 'row', 'supply')} AS description,
      CASE WHEN ${onceIn(350, 'row', 'bad number')} THEN ${oneOf(['one pallet', 'n/a', '12 cases'], 'row', 'bad number text')}
        ELSE (1 + ${numberBelow(5000, 'row', 'quantity')})::VARCHAR END AS quantity,
      ${oneOf(['EA', 'GAL', 'CS', 'CS', 'KT', 'EA'], 'row', 'supply')} AS unit_of_measure,
      ${oneOf(['Meridian Aero', 'Bluewater Fuels', 'Harlan & Sons', 'Northgate Medical', 'Ostrava Tooling'], 'row', 'vendor')} AS vendor,
      ${oneOf(bases, 'row', 'origin')} AS origin_location,
      ${oneOf(bases, 'row', 'destination')} AS destination_location,
      CASE WHEN ${onceIn(500, 'row', 'bad date')} THEN '2024-13-01' ELSE strftime(${shipped}, '%Y-%m-%d') END AS shipped_date,
      ${shipped} + to_hours(24 + ${numberBelow(400, 'row', 'transit')}) AS estimated_arrival,
      ${priority} AS priority,
      ${marking(['UNCLASSIFIED', 'CUI'])} AS classification_marking,
      ${updatedAt(shipped)} AS updated_at`,
  );
}

function numbered(rows: number, columns: string): string {
  return `SELECT ${columns} FROM range(1, ${rows + 1}) numbers(row) ORDER BY row`;
}

const hasNoId = onceIn(500, 'row', 'no id');
const priority = oneOf(['LOW', 'ROUTINE', 'ROUTINE', 'HIGH', 'URGENT'], 'row', 'priority');

function id(prefix: string, row: string): string {
  const none = `${hasNoId} OR ${onceIn(300, row, 'no item_id')}`;
  return `CASE WHEN ${none} THEN NULL ELSE '${prefix}-' || lpad(${row}::VARCHAR, 6, '0') END`;
}

/** Most rows leave the marking to the data type. */
function marking(usual: readonly string[]): string {
  return `CASE WHEN ${onceIn(400, 'row', 'bad marking')} THEN 'COSMIC' WHEN ${onceIn(5, 'row', 'marked')} THEN ${oneOf(usual, 'row', 'marking')} END`;
}

function rankedName(ranks: readonly string[], about: string): string {
  return `${oneOf(ranks, 'row', `${about} rank`)} || ' ' || ${oneOf(surnames, 'row', about)}`;
}

/** A moment that moves on with the rows, over so many days. */
function openedAt(first: string, rows: number, days: number): string {
  return `(TIMESTAMP '${first} 06:00:00' + to_minutes((row * ${days * 1440} // ${rows})::INTEGER + ${numberBelow(600, 'row', 'opened')}))`;
}

function updatedAt(opened: string): string {
  return `${opened} + to_hours(1 + ${numberBelow(72, 'row', 'updated')}) + to_microseconds(${numberBelow(1_000_000, 'row', 'microsecond')})`;
}
