import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { writeQuery } from '../test/support/tables.ts';
import { createBenchDatabase } from './support/database.ts';
import { quantile } from './support/measure.ts';
import { addSource, type MeasuredProgram, startMeasuredProgram, startSync } from './support/program.ts';
import { openQueryJobs } from './support/query-jobs.ts';
import { printTable } from './support/report.ts';

// How a cluster scales: how soon an idle one takes up a job, and how many rows a second of one source its workers ingest,
// one thread each. Prints one table, and writes it as JSON if a file is named.

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    workers: { type: 'string', default: '1,2,4' },
    pickups: { type: 'string', default: '100' },
    json: { type: 'string' },
  },
});
const rows = Number(values.rows);

/** Rows that warm a worker up: a new one spends seconds on compiling its code. */
const WARM_UP_ROWS = 60_000;

/** Runs some work in a cluster with its own database and a warehouse of two tables. */
async function withCluster<Found>(
  work: (start: (role: 'api' | 'worker') => Promise<MeasuredProgram>) => Promise<Found>,
): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const database = await createBenchDatabase();
  const programs: MeasuredProgram[] = [];
  try {
    await writeQuery(join(folder, 'warehouse'), 'sortie', selectSorties('SRT', rows));
    await writeQuery(join(folder, 'warehouse'), 'warm_up', selectSorties('WARM', WARM_UP_ROWS));
    return await work(async (role) => {
      const program = await startMeasuredProgram({
        DATABASE_URL: database.url,
        BLADE_ROLES: role,
        BLADE_DATA_FOLDER: folder,
        BLADE_WORKER_THREADS: '1',
      });
      programs.push(program);
      return program;
    });
  } finally {
    for (const program of programs) await program.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const selectSorties = (prefix: string, count: number) => `
  select '${prefix}-' || lpad(i::varchar, 8, '0') as item_id, 'M-' || i as mission_id, 'T' || (i % 500) as aircraft_tail,
    'C-17A' as aircraft_type, 'REACH' || (i % 900) as pilot_callsign, 'AIRLIFT' as mission_type, 'KDOV' as departure_base,
    'ETAR' as destination_base, timestamp '2026-01-01 06:00:00' + interval (i % 500000) minute as scheduled_departure,
    timestamp '2026-01-01 06:10:00' + interval (i % 500000) minute as actual_departure,
    timestamp '2026-01-01 14:00:00' + interval (i % 500000) minute as scheduled_arrival,
    timestamp '2026-01-01 14:20:00' + interval (i % 500000) minute as actual_arrival,
    (i % 120) / 10.0 as flight_hours, 'COMPLETED' as mission_status
  from range(1, ${count + 1}) as r(i)`;

/** Syncs a table of this many rows in partitions for all workers. @returns the seconds from its start to its end. */
async function syncTable(
  api: MeasuredProgram,
  table: { name: string; rows: number },
  workers: number,
): Promise<number> {
  const source = await addSource(api, { tableName: table.name });
  const id = await startSync(api, { options: { partitionRows: Math.ceil(table.rows / workers / 2) } });
  for (;;) {
    const { job } = await api.send<{ job: { state: string; progress: { elapsedSeconds: number } } }>(
      'query ($id: ID!) { job(id: $id) { state progress { elapsedSeconds } } }',
      { id },
    );
    if (job.state === 'FAILED') throw new Error('the sync failed');
    if (job.state === 'COMPLETED') {
      await api.send('mutation ($id: ID!) { deleteDataSource(input: { id: $id }) { __typename } }', {
        id: source,
      });
      return job.progress.elapsedSeconds;
    }
    await setTimeout(100);
  }
}

/** Measures how many rows a second this many workers ingest. */
function measureRate(workers: number): Promise<number> {
  return withCluster(async (start) => {
    const api = await start('api');
    for (let count = 0; count < workers; count++) await start('worker');
    await syncTable(api, { name: 'warm_up', rows: WARM_UP_ROWS }, workers);
    return rows / (await syncTable(api, { name: 'sortie', rows }, workers));
  });
}

/** Measures the milliseconds from sending a mutation to one API until a subscriber of another sees the job RUNNING. */
function measurePickups(count: number): Promise<number[]> {
  return withCluster(async (start) => {
    const [first, second] = [await start('api'), await start('api')];
    await start('worker');
    const jobs = await openQueryJobs(first, second);
    const times: number[] = [];
    for (let index = -5; index < count; index++) {
      const time = await jobs.runOne();
      if (index >= 0) times.push(time);
    }
    await jobs.close();
    return times;
  });
}

const pickups = await measurePickups(Number(values.pickups));
const table = [0.5, 0.9, 0.99].map((share) => ({
  measure: `mutation at one API to RUNNING seen at the other, p${share * 100}`,
  value: quantile(pickups, share).toFixed(1),
  unit: 'ms',
}));
for (const workers of values.workers.split(',').map(Number)) {
  table.push({
    measure: `rows of one source with ${workers} worker${workers === 1 ? '' : 's'}`,
    value: (await measureRate(workers)).toFixed(0),
    unit: 'rows/s',
  });
}
printTable(
  ['measure', 'value', 'unit'],
  table.map(({ measure, value, unit }) => [measure, value, unit]),
);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ rows, table }, null, 2)}\n`);
