import { happensOnceIn, pickNumber, pickText } from './chance.ts';
import { pickAircraft } from './fleet.ts';

/**
 * Generated rows, as DuckDB queries that always return the same rows. About one row in a hundred cannot become an item: it
 * has no id, an unknown marking, an invalid date, or words instead of a number. Some rows have no item_id but another
 * identifying column, which is enough.
 */

const BASES = [
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
const SURNAMES = [
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

/** Selects the rows of the maintenance table. */
export function selectMaintenanceRows(rows: number): string {
  const { tail, type } = pickAircraft('row');
  const opened = createOpeningTime('2024-01-01', rows, 700);
  return selectNumbered(
    rows,
    `
      ${createId('MNT', 'row')} AS item_id,
      ${tail} AS aircraft_tail,
      ${type} AS aircraft_type,
      ${pickText(['SCHEDULED', 'UNSCHEDULED', 'PHASE', 'DEPOT', 'MODIFICATION'], 'row', 'type')} AS maintenance_type,
      ${pickText(['11A', '12C', '23E', '24B', '46D', '49F', '74G'], 'row', 'code')} || lpad(${pickNumber(100, 'row', 'part')}::VARCHAR, 2, '0') AS maintenance_code,
      ${pickText(['Hydraulic leak at main gear', 'Engine borescope, "hot section"', 'Replace cockpit display', 'Fuel quantity probe out of limits', 'Corrosion on flap track', 'Radar fails built-in test', 'Tire wear, both mains', 'Software load, mission computer'], 'row', 'description')} AS description,
      ${PRIORITY} AS priority,
      CASE WHEN ${happensOnceIn(400, 'row', 'bad date')} THEN ${pickText(['2024-02-30 08:00:00', 'when parts arrive', '31/12/24'], 'row', 'bad date text')}
        ELSE strftime(${opened} + to_hours(${pickNumber(300, 'row', 'work')}), '%Y-%m-%d %H:%M:%S') END AS estimated_completion,
      CASE WHEN NOT ${happensOnceIn(4, 'row', 'open')} THEN ${opened} + to_hours(${pickNumber(360, 'row', 'work')}) END AS actual_completion,
      ${pickRankedName(['SSgt', 'TSgt', 'MSgt', 'A1C'], 'technician')} AS technician_assigned,
      ${pickText(BASES, 'row', 'base')} AS base_location,
      CASE WHEN ${HAS_NO_ID} THEN NULL ELSE 'WO-' || lpad((100000 + row)::VARCHAR, 7, '0') END AS work_order,
      (${opened} + to_days(30 + ${pickNumber(300, 'row', 'next')}))::DATE AS next_scheduled_date,
      ${pickMarking(['UNCLASSIFIED', 'CUI'])} AS classification_marking,
      ${createUpdateTime(opened)} AS updated_at`,
  );
}

/** Selects the rows of the deployment table. The personnel column is JSON, because some of its values are words. */
export function selectDeploymentRows(rows: number): string {
  const start = createOpeningTime('2024-01-01', rows, 650);
  return selectNumbered(
    rows,
    `
      ${createId('DPL', 'row')} AS item_id,
      CASE WHEN ${HAS_NO_ID} THEN NULL ELSE 'DEP-' || lpad((5000 + row)::VARCHAR, 6, '0') END AS deployment_id,
      (1 + ${pickNumber(98, 'row', 'unit')}) || ' ' || ${pickText(['EFS', 'EAS', 'ERQS', 'ECES', 'EMXS'], 'row', 'unit type')} AS unit_designation,
      ${pickText(['FIGHTER', 'AIRLIFT', 'RESCUE', 'ENGINEERS', 'MAINTENANCE'], 'row', 'unit type')} AS unit_type,
      CASE WHEN ${happensOnceIn(200, 'row', 'bad number')} THEN ${pickText(['"about forty"', '"TBD"', '"12 + crew"'], 'row', 'bad number text')}::JSON
        ELSE to_json(12 + ${pickNumber(600, 'row', 'persons')}) END AS personnel_count,
      ${pickRankedName(['Maj', 'Lt Col', 'Col'], 'commander')} AS commanding_officer,
      ${pickText(['Al Dhafra', 'Incirlik', 'Thumrait', 'Camp Lemonnier', 'Powidz', 'Agadez', 'Clark'], 'row', 'location')} AS deployment_location,
      ${pickText(BASES, 'row', 'base')} AS origin_base,
      ${start}::DATE AS deployment_start_date,
      CASE WHEN ${happensOnceIn(250, 'row', 'bad date')} THEN 'end of rotation'
        ELSE strftime(${start} + to_days(60 + ${pickNumber(180, 'row', 'length')}), '%Y-%m-%d') END AS deployment_end_date,
      ${pickText(['Air policing', 'Theater airlift', 'Personnel recovery', 'Base build-up', 'Partner training'], 'row', 'objective')} AS mission_objective,
      ${pickText(['PLANNED', 'DEPLOYING', 'IN PLACE', 'REDEPLOYING', 'COMPLETE'], 'row', 'status')} AS operational_status,
      ${pickMarking(['SECRET', 'CONFIDENTIAL'])} AS classification_marking,
      ${createUpdateTime(start)} AS updated_at`,
  );
}

/** Selects the rows of the logistics table. */
export function selectLogisticsRows(rows: number): string {
  const shipped = createOpeningTime('2024-01-01', rows, 720);
  return selectNumbered(
    rows,
    `
      ${createId('LOG', 'row')} AS item_id,
      CASE WHEN ${HAS_NO_ID} THEN NULL ELSE 'SHP-' || lpad((700000 + row)::VARCHAR, 8, '0') END AS shipment_id,
      ${pickText(['SPARES', 'FUEL', 'MUNITIONS', 'RATIONS', 'MEDICAL', 'TOOLS'], 'row', 'supply')} AS supply_type,
      ${pickText(['Brake assembly', 'JP-8, bulk', 'Flare, countermeasure', 'Meals, ready to eat', 'Litter kit', 'Torque wrench, 3/4"'], 'row', 'supply')} AS description,
      CASE WHEN ${happensOnceIn(350, 'row', 'bad number')} THEN ${pickText(['one pallet', 'n/a', '12 cases'], 'row', 'bad number text')}
        ELSE (1 + ${pickNumber(5000, 'row', 'quantity')})::VARCHAR END AS quantity,
      ${pickText(['EA', 'GAL', 'CS', 'CS', 'KT', 'EA'], 'row', 'supply')} AS unit_of_measure,
      ${pickText(['Meridian Aero', 'Bluewater Fuels', 'Harlan & Sons', 'Northgate Medical', 'Ostrava Tooling'], 'row', 'vendor')} AS vendor,
      ${pickText(BASES, 'row', 'origin')} AS origin_location,
      ${pickText(BASES, 'row', 'destination')} AS destination_location,
      CASE WHEN ${happensOnceIn(500, 'row', 'bad date')} THEN '2024-13-01' ELSE strftime(${shipped}, '%Y-%m-%d') END AS shipped_date,
      ${shipped} + to_hours(24 + ${pickNumber(400, 'row', 'transit')}) AS estimated_arrival,
      ${PRIORITY} AS priority,
      ${pickMarking(['UNCLASSIFIED', 'CUI'])} AS classification_marking,
      ${createUpdateTime(shipped)} AS updated_at`,
  );
}

function selectNumbered(rows: number, columns: string): string {
  return `SELECT ${columns} FROM range(1, ${rows + 1}) numbers(row) ORDER BY row`;
}

const HAS_NO_ID = happensOnceIn(500, 'row', 'no id');
const PRIORITY = pickText(['LOW', 'ROUTINE', 'ROUTINE', 'HIGH', 'URGENT'], 'row', 'priority');

function createId(prefix: string, row: string): string {
  const none = `${HAS_NO_ID} OR ${happensOnceIn(300, row, 'no item_id')}`;
  return `CASE WHEN ${none} THEN NULL ELSE '${prefix}-' || lpad(${row}::VARCHAR, 6, '0') END`;
}

/** Picks a marking; most rows have none, and get the default of the data type. */
function pickMarking(usual: readonly string[]): string {
  return `CASE WHEN ${happensOnceIn(400, 'row', 'bad marking')} THEN 'COSMIC' WHEN ${happensOnceIn(5, 'row', 'marked')} THEN ${pickText(usual, 'row', 'marking')} END`;
}

function pickRankedName(ranks: readonly string[], about: string): string {
  return `${pickText(ranks, 'row', `${about} rank`)} || ' ' || ${pickText(SURNAMES, 'row', about)}`;
}

/** Creates a time that advances with the rows over a number of days. */
function createOpeningTime(first: string, rows: number, days: number): string {
  return `(TIMESTAMP '${first} 06:00:00' + to_minutes((row * ${days * 1440} // ${rows})::INTEGER + ${pickNumber(600, 'row', 'opened')}))`;
}

function createUpdateTime(opened: string): string {
  return `${opened} + to_hours(1 + ${pickNumber(72, 'row', 'updated')}) + to_microseconds(${pickNumber(1_000_000, 'row', 'microsecond')})`;
}
