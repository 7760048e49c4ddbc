// node scripts/write-flights.ts: writes demo/flights.parquet, the flight records that the demo makes sorties of. They are those
// of vega-datasets, which has 40 MB of others, too.
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';

const records = fileURLToPath(new URL('../data/flights-20k.json', import.meta.resolve('vega-datasets')));
const target = fileURLToPath(new URL('../demo/flights.parquet', import.meta.url));

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
await connection.run(
  `COPY (SELECT date::VARCHAR AS date, delay::SMALLINT AS delay, distance::SMALLINT AS distance, origin, destination
     FROM '${records}')
   TO '${target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19, PARQUET_VERSION v2)`,
);
connection.closeSync();
instance.closeSync();
