import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { parse } from 'graphql';
import { Client } from 'pg';
import { createCostMeter } from '../src/api/limits/operation-cost.ts';
import { schema } from '../src/api/schema/schema.ts';
import { startProgram } from '../test/support/program.ts';

// What a small request takes, here and in another checkout (one without limits, say), asked in turns on one database;
// and what requests take by their `cost`, from which the default of BLADE_MAX_COST was chosen.

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'postgresql://postgres@127.0.0.1:5432/postgres' },
    requests: { type: 'string', default: '3000' },
    /** The folder of another checkout, with its packages and generated files. */
    other: { type: 'string' },
  },
});

const costOf = createCostMeter(schema);

const SMALL = '{ jobs(first: 20) { edges { node { id state revision } } } }';
const FACTS = `id kind state revision createdAt startedAt finishedAt recentErrors
  progress { percent processedItems totalItems errorCount byType { dataType processedItems totalItems } }`;
const EXAMPLES: Record<string, string> = {
  'a status': '{ syncStatus { state } }',
  '20 jobs, 3 fields': SMALL,
  '20 jobs, all a list shows': `{ jobs(first: 20) { edges { node { ${FACTS} } } } }`,
  '200 jobs, all a list shows': `{ jobs(first: 200) { edges { node { ${FACTS} } } } }`,
  '200 jobs with 20 errors each':
    '{ jobs(first: 200) { edges { node { id errors(first: 20) { totalCount edges { node { message stage row } } } } } } }',
  '200 jobs with 200 errors each':
    '{ jobs(first: 200) { edges { node { id errors(first: 200) { edges { node { message stage row } } } } } } }',
};

async function onServer(statement: string, url = values.server): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

const name = `blade_bench_${process.pid}`;
const databaseUrl = new URL(values.server);
databaseUrl.pathname = `/${name}`;
const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
await onServer(`create database ${name}`);

const start = (checkout?: string) =>
  startProgram(
    {
      ...{ BLADE_ROLES: 'api', BLADE_DATA_FOLDER: folder, DATABASE_URL: databaseUrl.href, LOG_LEVEL: 'info' },
      // What the limits would refuse here is to be measured.
      ...{ BLADE_REQUESTS_PER_SECOND: '1000000', BLADE_MAX_COST: '100000000' },
    },
    { checkout },
  );

function sender(url: string) {
  return async (query: string): Promise<number> => {
    const begin = performance.now();
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const text = await answer.text();
    if (answer.status !== 200 || text.includes('"errors":[')) throw new Error(text.slice(0, 500));
    return performance.now() - begin;
  };
}

function quantile(times: readonly number[], share: number): string {
  const sorted = times.toSorted((left, right) => left - right);
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
}

const here = await start();
const other = values.other === undefined ? null : await start(values.other);
try {
  await onServer(
    `insert into job (id, kind, state, data_type, sql_query, started_at, finished_at, total_items, updated_at)
     select gen_random_uuid(), 'QUERY', 'COMPLETED', 'sortie', 'SELECT 1', now(), now(), 0, now() from generate_series(1, 300)`,
    databaseUrl.href,
  );
  const ask = sender(here.url);
  const sides = {
    here: ask,
    ...(other === null ? {} : { 'in the other checkout': sender(other.url) }),
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = -200; round < Number(values.requests); round += 1) {
    for (const [side, send] of Object.entries(sides)) {
      const taken = await send(SMALL);
      if (round >= 0) times[side]?.push(taken);
    }
  }
  for (const [side, taken] of Object.entries(times))
    process.stdout.write(`${side}: p50 ${quantile(taken, 0.5)} ms, p95 ${quantile(taken, 0.95)} ms\n`);
  for (const [example, query] of Object.entries(EXAMPLES)) {
    const document = parse(query);
    const cost = costOf({ document, operationName: null, variableValues: {} });
    const taken: number[] = [];
    for (let round = 0; round < 10; round += 1) taken.push(await ask(query));
    process.stdout.write(
      `${example}: cost ${cost?.cost}, fields ${cost?.fields}, depth ${cost?.depth}, p50 ${quantile(taken, 0.5)} ms\n`,
    );
  }
} finally {
  await here.end('SIGTERM');
  await other?.end('SIGTERM');
  await onServer(`drop database ${name} with (force)`);
  await rm(folder, { recursive: true, force: true });
}
