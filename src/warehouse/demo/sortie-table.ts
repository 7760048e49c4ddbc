import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TableName } from '../warehouse.ts';
import { happensOnceIn, pickNumber, pickText } from './chance.ts';
import { copyRows, quoteText } from './copy-table.ts';
import { pickAircraft } from './fleet.ts';

export interface SortieTableOptions {
  /** The folder of the warehouse. */
  readonly folder: string;
  readonly table: TableName;
  /** The number of rows, at most 3,000,000. */
  readonly rows: number;
}

/**
 * Creates a Parquet table of sorties from real flight records, always with the same rows. Replaces an existing table. All
 * rows can become items.
 * @throws RangeError if there are not enough records.
 */
export async function createSortieTable({ folder, table, rows }: SortieTableOptions): Promise<void> {
  if (!Number.isInteger(rows) || rows < 0 || rows > 3_000_000)
    throw new RangeError(`a table of sorties can have from 0 to 3,000,000 rows, not ${rows}`);
  const path = join(folder, table.catalog, table.schema, `${table.table}.parquet`);
  const unfinished = join(dirname(path), `.${randomUUID()}.parquet`);
  await mkdir(dirname(path), { recursive: true });
  // Only here: a server that reads tables leaves DuckDB to its engines.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await copyRows(connection, selectSortieRows('flights-3m.parquet', rows), unfinished);
    await rename(unfinished, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(unfinished, { force: true });
  }
}

/**
 * Selects the first records of a file of flights as sorties, in DuckDB SQL. Route, day, delay and distance come from the
 * record; the rest is made up.
 */
export function selectSortieRows(file: 'flights-20k.json' | 'flights-3m.parquet', rows: number): string {
  const { tail, type } = pickAircraft('row');
  return `
    WITH records AS (
      SELECT row_number() OVER () AS row, date::VARCHAR AS day, delay::INTEGER AS delay, distance::INTEGER AS distance,
        origin, destination
      FROM (SELECT * FROM ${quoteText(findRecords(file))} LIMIT ${rows})
    ), flights AS (
      SELECT *, replace(day, '/', '-')::TIMESTAMP AS departure,
        round(0.5 + distance / 440.0, 2) AS hours, ${happensOnceIn(90, 'row', 'cancelled')} AS cancelled,
        greatest(-20, least(delay, 600)) AS late
      FROM records
    )
    SELECT
      ${file === 'flights-20k.json' ? `CASE WHEN ${happensOnceIn(2500, 'row', 'item_id')} THEN NULL ELSE 'SRT-' || lpad(row::VARCHAR, 7, '0') END` : `'SRT-' || lpad(row::VARCHAR, 7, '0')`} AS item_id,
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

/** Finds a file of records in its package, whose folder `data` is next to that of its entry point. */
function findRecords(file: string): string {
  return fileURLToPath(new URL(`../data/${file}`, import.meta.resolve('vega-datasets')));
}
