import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'graphql';
import { createCostMeter } from '../src/api/limits/operation-cost.ts';
import { schema } from '../src/api/schema/schema.ts';
import { createBenchDatabase } from './support/database.ts';
import { sendOne } from './support/http-load.ts';
import { quantile } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';

// How long a small request takes here and in another checkout (one without limits, say), in turns on one database; and how
// long requests take by their `cost`, from which the default of BLADE_MAX_COST was chosen.

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '3000' },
    /** The folder of another checkout, with its packages and generated files. */
    other: { type: 'string' },
  },
});

const measureCost = createCostMeter(schema);

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

const database = await createBenchDatabase();
const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
const agent = new Agent({ keepAlive: true });
const settings = {
  BLADE_ROLES: 'api',
  BLADE_DATA_FOLDER: folder,
  DATABASE_URL: database.url,
  // Operations that the limit would refuse are measured too.
  BLADE_MAX_COST: '100000000',
};
const here = await startMeasuredProgram(settings);
const other = values.other === undefined ? null : await startMeasuredProgram(settings, values.other);
const ask = (url: string, query: string) => sendOne(agent, url, JSON.stringify({ query }));
const format = (times: readonly number[], share: number) => `${quantile(times, share).toFixed(2)} ms`;

try {
  await database.pool.query(
    `insert into job (id, kind, state, outcome, data_type, sql_query, started_at, finished_at, total_items, updated_at)
     select gen_random_uuid(), 'QUERY', 'COMPLETED', 'SUCCEEDED', 'sortie', 'SELECT 1', now(), now(), 0, now() from generate_series(1, 300)`,
  );
  const sides = [
    { name: 'here', url: here.url, times: [] as number[] },
    ...(other === null ? [] : [{ name: 'in the other checkout', url: other.url, times: [] as number[] }]),
  ];
  for (let round = -200; round < Number(values.requests); round += 1) {
    for (const { url, times } of sides) {
      const time = await ask(url, SMALL);
      if (round >= 0) times.push(time);
    }
  }
  for (const { name, times } of sides) {
    process.stdout.write(`${name}: p50 ${format(times, 0.5)}, p95 ${format(times, 0.95)}\n`);
  }
  for (const [example, query] of Object.entries(EXAMPLES)) {
    const cost = measureCost({ document: parse(query), operationName: null, variableValues: {} });
    const times: number[] = [];
    for (let round = 0; round < 10; round += 1) times.push(await ask(here.url, query));
    process.stdout.write(
      `${example}: cost ${cost?.cost}, fields ${cost?.fields}, depth ${cost?.depth}, p50 ${format(times, 0.5)}\n`,
    );
  }
} finally {
  agent.destroy();
  await here.stop();
  await other?.stop();
  await database.close();
  await rm(folder, { recursive: true, force: true });
}
