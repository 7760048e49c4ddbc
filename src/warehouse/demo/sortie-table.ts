import { fileURLToPath } from 'node:url';
import { happensOnceIn, pickNumber, pickText } from './chance.ts';
import { quoteText } from './copy-table.ts';
import { pickAircraft } from './fleet.ts';

export interface SortieRowsOptions {
  /** The path of a file of flight records. */
  readonly records: string;
  /** How many of them to select. */
  readonly rows: number;
  /** Whether some rows lack their id, as in real tables. */
  readonly lacksIds: boolean;
}

/** The flight records of the demo: 20,000 from the United States in 2001, which `scripts/write-flights.ts` has written. */
export const DEMO_RECORDS = fileURLToPath(new URL('../../../demo/flights.parquet', import.meta.url));

/**
 * Selects the first records of a file of flights as sorties, in DuckDB SQL. Route, day, delay and distance come from the
 * record; the rest is made up.
 */
export function selectSortieRows({ records, rows, lacksIds }: SortieRowsOptions): string {
  const { tail, type } = pickAircraft('row');
  return `
    WITH records AS (
      SELECT row_number() OVER () AS row, date::VARCHAR AS day, delay::INTEGER AS delay, distance::INTEGER AS distance,
        origin, destination
      FROM (SELECT * FROM ${quoteText(records)} LIMIT ${rows})
    ), flights AS (
      SELECT *, replace(day, '/', '-')::TIMESTAMP AS departure,
        round(0.5 + distance / 440.0, 2) AS hours, ${happensOnceIn(90, 'row', 'cancelled')} AS cancelled,
        greatest(-20, least(delay, 600)) AS late
      FROM records
    )
    SELECT
      ${lacksIds ? `CASE WHEN ${happensOnceIn(2500, 'row', 'item_id')} THEN NULL ELSE 'SRT-' || lpad(row::VARCHAR, 7, '0') END` : `'SRT-' || lpad(row::VARCHAR, 7, '0')`} AS item_id,
      'MSN-' || strftime(departure, '%y%j') || '-' || lpad(row::VARCHAR, 7, '0') AS mission_id,
      ${tail} AS aircraft_tail,
      ${type} AS aircraft_type,
      ${pickText(['VIPER', 'REACH', 'HAWK', 'SHELL', 'KNIFE', 'RAZOR', 'DUKE', 'JOLLY'], 'row', 'callsign')} || ' ' || (10 + ${pickNumber(80, 'row', 'flight')}) AS pilot_callsign,
      ${pickText(['AIRLIFT', 'TRAINING', 'REFUELING', 'RECONNAISSANCE', 'ESCORT', 'MEDEVAC'], 'row', 'mission')} AS mission_type,
      origin AS departure_base,
      destination AS destination_base,
      departure AS scheduled_departure,
      CASE WHEN NOT cancelled THEN departure + to_minutes(greatest(late, -5)) END AS actual_departure,
      departure + to_minutes((hours * 60)::INTEGER) AS scheduled_arrival,
      CASE WHEN NOT cancelled THEN departure + to_minutes((hours * 60)::INTEGER + late) END AS actual_arrival,
      CASE WHEN cancelled THEN 0.0 ELSE hours END::DOUBLE AS flight_hours,
      CASE WHEN cancelled THEN 'CANCELLED' WHEN late > 60 THEN 'DELAYED' ELSE 'COMPLETED' END AS mission_status,
      departure + to_minutes((hours * 60)::INTEGER + late + 30) + to_microseconds(${pickNumber(1_000_000, 'row', 'microsecond')}) AS updated_at
    FROM flights
    ORDER BY row`;
}
