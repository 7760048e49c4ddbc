import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TableName } from '../warehouse.ts';
import { numberBelow, onceIn, oneOf } from './chance.ts';
import { copyTo, textLiteral } from './copy-table.ts';
import { aircraft } from './fleet.ts';

export interface SortieTableOptions {
  /** The folder of the warehouse. */
  readonly folder: string;
  readonly table: TableName;
  /** How many rows, at most 3,000,000. */
  readonly rows: number;
}

/**
 * Makes a Parquet table of sorties from real flight records, the same rows each time, and replaces one of that name.
 * All of its rows can become items.
 * @throws RangeError where there are not so many records.
 */
export async function createSortieTable({ folder, table, rows }: SortieTableOptions): Promise<void> {
  if (!Number.isInteger(rows) || rows < 0 || rows > 3_000_000)
    throw new RangeError('A table of sorties has from 0 to 3,000,000 rows.');
  const path = join(folder, table.catalog, table.schema, `${table.table}.parquet`);
  const unfinished = join(dirname(path), `.${randomUUID()}.parquet`);
  await mkdir(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await copyTo(connection, sortieRows('flights-3m.parquet', rows), unfinished);
    await rename(unfinished, path);
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(unfinished, { force: true });
  }
}

/**
 * The first rows of a file of flight records as sorties: a query in the dialect of DuckDB. Route, day, delay and
 * distance are those of the record; what records of airlines lack is made up.
 */
export function sortieRows(file: 'flights-20k.json' | 'flights-3m.parquet', rows: number): string {
  const { tail, type } = aircraft('row');
  return `
    WITH records AS (
      SELECT row_number() OVER () AS row, date::VARCHAR AS day, delay::INTEGER AS delay, distance::INTEGER AS distance,
        origin, destination
      FROM (SELECT * FROM ${textLiteral(recordsPath(file))} LIMIT ${rows})
    ), flights AS (
      SELECT *, replace(day, '/', '-')::TIMESTAMP AS departure,
        round(0.5 + distance / 440.0, 2) AS hours, ${onceIn(90, 'row', 'cancelled')} AS cancelled,
        greatest(-20, least(delay, 600)) AS late
      FROM records
    )
    SELECT
      ${file === 'flights-20k.json' ? `CASE WHEN ${onceIn(2500, 'row', 'item_id')} THEN NULL ELSE 'SRT-' || lpad(row::VARCHAR, 7, '0') END` : `'SRT-' || lpad(row::VARCHAR, 7, '0')`} AS item_id,
      'MSN-' || strftime(departure, '%y%j') || '-' || lpad(row::VARCHAR, 7, '0') AS mission_id,
      ${tail} AS aircraft_tail,
      ${type} AS aircraft_type,
      ${oneOf(['VIPER', 'REACH', 'HAWK', 'SHELL', 'KNIFE', 'RAZOR', 'DUKE', 'JOLLY'], 'row', 'callsign')} || ' ' || (10 + ${numberBelow(80, 'row', 'flight')}) AS pilot_callsign,
      ${oneOf(['AIRLIFT', 'TRAINING', 'REFUELING', 'RECONNAISSANCE', 'ESCORT', 'MEDEVAC'], 'row', 'mission')} AS mission_type,
      origin AS departure_base,
      destination AS destination_base,
      departure AS scheduled_departure,
      CASE WHEN NOT cancelled THEN departure + to_minutes(greatest(late, -5)) END AS actual_departure,
      departure + to_minutes((hours * 60)::INTEGER) AS scheduled_arrival,
      CASE WHEN NOT cancelled THEN departure + to_minutes((hours * 60)::INTEGER + late) END AS actual_arrival,
      CASE WHEN cancelled THEN 0.0 ELSE hours END::DOUBLE AS flight_hours,
      CASE WHEN cancelled THEN 'CANCELLED' WHEN late > 60 THEN 'DELAYED' ELSE 'COMPLETED' END AS mission_status,
      departure + to_minutes((hours * 60)::INTEGER + late + 30) + to_microseconds(${numberBelow(1_000_000, 'row', 'microsecond')}) AS updated_at
    FROM flights
    ORDER BY row`;
}

/** Where the package keeps a file of records: its folder `data` lies beside the one that its name leads to. */
function recordsPath(file: string): string {
  return fileURLToPath(new URL(`../data/${file}`, import.meta.resolve('vega-datasets')));
}
