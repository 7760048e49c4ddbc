import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createBenchDatabase } from './support/database.ts';
import { sendOne } from './support/http-load.ts';
import {
  logProgress,
  type MeasureOptions,
  quantile,
  type Result,
  ratioAtMost,
  valueAtMost,
} from './support/measure.ts';
import { addSource, type MeasuredProgram, startMeasuredProgram, startSync } from './support/program.ts';
import { createSorties } from './support/sorties.ts';

// How fast the API answers while a sync runs: in the worker's process, as with `npm start`, and in its own.

const QUERY = JSON.stringify({ query: '{ dataSources { nodes { name } } }' });

const STATE = `query ($id: ID!) { job(id: $id) { state } }`;

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const rows = quick ? 50_000 : 500_000;
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const warehouse = join(folder, 'warehouse');
  try {
    await createSorties(warehouse, rows);
    return [
      ...(await measureTopology('API and worker in one process', ['api,worker'], folder, warehouse)),
      ...(await measureTopology('API in its own process', ['api', 'worker'], folder, warehouse)),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureTopology(
  name: string,
  roles: readonly string[],
  folder: string,
  warehouse: string,
): Promise<Result[]> {
  const database = await createBenchDatabase();
  const programs: MeasuredProgram[] = [];
  const agent = new Agent({ keepAlive: true });
  const bare = fork(new URL('./support/bare-query.ts', import.meta.url), {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url },
  });
  try {
    const [bareUrl] = (await once(bare, 'message')) as [string];
    for (const role of roles) {
      programs.push(
        await startMeasuredProgram({
          DATABASE_URL: database.url,
          BLADE_ROLES: role,
          BLADE_DATA_FOLDER: await mkdtemp(join(folder, 'program-')),
          BLADE_WAREHOUSE_FOLDER: warehouse,
          BLADE_WORKER_THREADS: '1',
        }),
      );
    }
    const [api] = programs;
    if (api === undefined) throw new Error('there is no API');
    await addSource(api);
    for (let warmUp = 0; warmUp < 300; warmUp++)
      for (const url of [api.url, bareUrl]) await sendOne(agent, url, QUERY);
    await api.read();
    const [idle, bareIdle]: [number[], number[]] = [[], []];
    const idleUntil = performance.now() + 5_000;
    while (performance.now() < idleUntil) {
      idle.push(await ask(agent, api.url));
      bareIdle.push(await ask(agent, bareUrl));
    }
    const idleReading = await api.read();

    const id = await startSync(api);
    const [busy, bareBusy]: [number[], number[]] = [[], []];
    for (;;) {
      for (let count = 0; count < 50; count++) {
        busy.push(await ask(agent, api.url));
        bareBusy.push(await ask(agent, bareUrl));
      }
      const { job } = await api.send<{ job: { state: string } }>(STATE, { id });
      if (job.state === 'FAILED') throw new Error('the sync failed');
      if (job.state === 'COMPLETED') break;
    }
    const reading = await api.read();
    logProgress(
      `  ${name}: idle p99 ${quantile(idle, 0.99).toFixed(1)} ms, ${busy.length} queries during the sync p99 ${quantile(busy, 0.99).toFixed(1)} ms, loop p99 ${reading.delayP99.toFixed(1)} ms`,
    );
    return [
      {
        measure: `${name}: event-loop delay during a sync, p99`,
        unit: 'ms',
        value: reading.delayP99,
        peer: { name: 'idle', value: idleReading.delayP99 },
        goal: valueAtMost(10),
      },
      {
        measure: `${name}: a small query during a sync, p99`,
        unit: 'ms',
        value: quantile(busy, 0.99),
        peer: { name: 'idle', value: quantile(idle, 0.99) },
        goal: ratioAtMost(2),
      },
      {
        measure: `${name}: pg by hand during a sync, p99`,
        unit: 'ms',
        value: quantile(bareBusy, 0.99),
        peer: { name: 'idle', value: quantile(bareIdle, 0.99) },
        goal: null,
      },
    ];
  } finally {
    bare.kill();
    agent.destroy();
    for (const program of programs) await program.stop();
    await database.close();
  }
}

async function ask(agent: Agent, url: string): Promise<number> {
  await setTimeout(5);
  return sendOne(agent, url, QUERY);
}
