import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createClient } from 'graphql-ws';
import { Client } from 'pg';
import WebSocket from 'ws';
import { type Program, startProgram } from '../test/support/program.ts';
import { writeQuery } from '../test/support/tables.ts';

// How a cluster does as it grows: how soon an idle one takes up a job, and how many rows a second of one source its
// workers bring in, one thread each. Prints one table, and writes it as JSON where a file is named.

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'postgresql://postgres@127.0.0.1:5432/postgres' },
    rows: { type: 'string', default: '1000000' },
    workers: { type: 'string', default: '1,2,4' },
    pickups: { type: 'string', default: '100' },
    json: { type: 'string' },
  },
});
const rows = Number(values.rows);

/** Rows that warm a worker up: one that has just been started spends seconds on compiling its code. */
const WARM_UP_ROWS = 60_000;

interface JobSeen {
  readonly state: string;
  readonly progress: { readonly itemsPerSecond: number | null; readonly elapsedSeconds: number | null };
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: values.server });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** A database, a warehouse with one table, and the means to start processes on them. */
async function createPlace() {
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const name = `blade_bench_${process.pid}_${Date.now()}`;
  await onServer(`create database ${name}`);
  const databaseUrl = new URL(values.server);
  databaseUrl.pathname = `/${name}`;
  await writeQuery(join(folder, 'warehouse'), 'sortie', SORTIES('SRT', rows));
  await writeQuery(join(folder, 'warehouse'), 'warm_up', SORTIES('WARM', WARM_UP_ROWS));
  const programs: Program[] = [];
  return {
    async start(roles: 'api' | 'worker') {
      const program = await startProgram({
        DATABASE_URL: databaseUrl.href,
        BLADE_ROLES: roles,
        BLADE_DATA_FOLDER: folder,
        BLADE_WORKER_THREADS: '1',
      });
      programs.push(program);
      return program;
    },
    async close() {
      for (const program of programs) await program.end('SIGKILL');
      await onServer(`drop database ${name} with (force)`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const SORTIES = (prefix: string, count: number) => `
  select '${prefix}-' || lpad(i::varchar, 8, '0') as item_id, 'M-' || i as mission_id, 'T' || (i % 500) as aircraft_tail,
    'C-17A' as aircraft_type, 'REACH' || (i % 900) as pilot_callsign, 'AIRLIFT' as mission_type, 'KDOV' as departure_base,
    'ETAR' as destination_base, timestamp '2026-01-01 06:00:00' + interval (i % 500000) minute as scheduled_departure,
    timestamp '2026-01-01 06:10:00' + interval (i % 500000) minute as actual_departure,
    timestamp '2026-01-01 14:00:00' + interval (i % 500000) minute as scheduled_arrival,
    timestamp '2026-01-01 14:20:00' + interval (i % 500000) minute as actual_arrival,
    (i % 120) / 10.0 as flight_hours, 'COMPLETED' as mission_status
  from range(1, ${count + 1}) as r(i)`;

async function send<Data>({ url }: Program, query: string, variables: object = {}): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: readonly { message: string }[] };
  if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join('; '));
  return data;
}

/** @returns the source's id. */
async function addSource(api: Program, tableName: string): Promise<string> {
  const { saveDataSource } = await send<{ saveDataSource: { dataSource: { id: string } } }>(
    api,
    `mutation ($tableName: String!) { saveDataSource(input: {
       name: "Sorties", dataType: "sortie", catalogName: "blade", schemaName: "field", tableName: $tableName
     }) { ... on SaveDataSourceSuccess { dataSource { id } } } }`,
    { tableName },
  );
  return saveDataSource.dataSource.id;
}

/** Syncs a table of this many rows in partitions for all workers. @returns the seconds that it took. */
async function syncTable(
  api: Program,
  table: { name: string; rows: number },
  workers: number,
): Promise<number> {
  const source = await addSource(api, table.name);
  const { startSync } = await send<{ startSync: { job: { id: string } } }>(
    api,
    'mutation ($input: StartSyncInput!) { startSync(input: $input) { ... on StartSyncSuccess { job { id } } } }',
    { input: { syncType: 'FULL', options: { partitionRows: Math.ceil(table.rows / workers / 2) } } },
  );
  const { state, progress } = await untilState(api, startSync.job.id, ['COMPLETED', 'FAILED']);
  if (state !== 'COMPLETED' || progress.elapsedSeconds === null) throw new Error(`the sync ${state}`);
  await send(api, 'mutation ($id: ID!) { deleteDataSource(id: $id) { __typename } }', { id: source });
  return progress.elapsedSeconds;
}

/** Waits over WebSocket for a job to be in one of the states. */
async function untilState(api: Program, id: string, states: readonly string[]): Promise<JobSeen> {
  const client = createClient({ url: api.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket });
  try {
    const query = `subscription ($id: ID!) {
      jobProgress(id: $id) { state progress { itemsPerSecond elapsedSeconds } } }`;
    for await (const { data } of client.iterate<{ jobProgress: JobSeen }>({ query, variables: { id } })) {
      if (data != null && states.includes(data.jobProgress.state)) return data.jobProgress;
    }
  } finally {
    await client.dispose();
  }
  throw new Error(`job ${id} never was ${states.join(' or ')}`);
}

async function measureRate(workers: number): Promise<number> {
  const place = await createPlace();
  try {
    const api = await place.start('api');
    for (let count = 0; count < workers; count++) await place.start('worker');
    await syncTable(api, { name: 'warm_up', rows: WARM_UP_ROWS }, workers);
    return rows / (await syncTable(api, { name: 'sortie', rows }, workers));
  } finally {
    await place.close();
  }
}

/** From sending the mutation to one API until a subscriber of the other sees RUNNING, in milliseconds, sorted. */
async function measurePickups(count: number): Promise<number[]> {
  const place = await createPlace();
  try {
    const [first, second] = [await place.start('api'), await place.start('api')];
    await addSource(first, 'sortie');
    await place.start('worker');
    const client = createClient({ url: second.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket });
    const query = 'subscription { jobChanges { id state } }';
    let onChange = (_job: { id: string; state: string }, _at: number) => {};
    const subscribed = (async () => {
      for await (const { data } of client.iterate<{ jobChanges: { id: string; state: string } }>({ query })) {
        if (data != null) onChange(data.jobChanges, performance.now());
      }
    })();
    const latencies: number[] = [];
    for (let index = -5; index < count; index++) {
      const runningAt = new Map<string, number>();
      const ended = new Set<string>();
      let wake = () => {};
      onChange = ({ id, state }, at) => {
        if (state !== 'QUEUED' && !runningAt.has(id)) runningAt.set(id, at);
        if (state === 'COMPLETED' || state === 'FAILED') ended.add(id);
        wake();
      };
      const sentAt = performance.now();
      const { startQueryJob } = await send<{ startQueryJob: { job: { id: string } } }>(
        first,
        `mutation { startQueryJob(input: { dataType: "sortie", sqlQuery: "select * from blade.field.sortie limit 1" }) {
           ... on StartQueryJobSuccess { job { id } } } }`,
      );
      const { id } = startQueryJob.job;
      while (!ended.has(id)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (ended.has(id)) resolve();
        });
      }
      if (index >= 0) latencies.push((runningAt.get(id) ?? Number.NaN) - sentAt);
    }
    await client.dispose();
    await subscribed;
    return latencies.toSorted((a, b) => a - b);
  } finally {
    await place.close();
  }
}

const pickups = await measurePickups(Number(values.pickups));
const quantile = (share: number) =>
  pickups[Math.min(pickups.length - 1, Math.floor(share * pickups.length))] ?? 0;
const table: { measure: string; value: number; unit: string }[] = [0.5, 0.9, 0.99].map((share) => ({
  measure: `mutation at one API to RUNNING seen at the other, p${share * 100}`,
  value: Math.round(quantile(share) * 10) / 10,
  unit: 'ms',
}));
for (const workers of values.workers.split(',').map(Number)) {
  table.push({
    measure: `rows of one source with ${workers} worker${workers === 1 ? '' : 's'}`,
    value: Math.round(await measureRate(workers)),
    unit: 'rows/s',
  });
}
// biome-ignore lint/suspicious/noConsole: this is what it is run for.
console.table(table);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ rows, table }, null, 2)}\n`);
