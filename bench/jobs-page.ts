import { fork } from 'node:child_process';
import { once } from 'node:events';
import { startCountingProxy } from './support/counting-proxy.ts';
import { createBenchDatabase } from './support/database.ts';
import { growHistory } from './support/history.ts';
import { sendMany } from './support/http-load.ts';
import {
  logProgress,
  type MeasureOptions,
  type Result,
  ratioAtLeast,
  valueAtMost,
} from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';
import { median } from './support/report.ts';

// The first page of jobs, 20 with their sources: through the API, and by hand.

const createPageRequest = (first: number) =>
  JSON.stringify({
    query: `{ jobs(first: ${first}) { edges { cursor node { id kind state createdAt finishedAt
      progress { processedItems totalItems errorCount } dataSources { id name } } }
      pageInfo { hasNextPage endCursor } } }`,
  });

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const count = quick ? 200 : 1_500;
  const database = await createBenchDatabase();
  const settings = { BLADE_ROLES: 'api' };
  const program = await startMeasuredProgram({ DATABASE_URL: database.url, ...settings });
  const bare = fork(new URL('./support/bare-page.ts', import.meta.url), {
    env: { PATH: process.env.PATH, DATABASE_URL: database.url },
  });
  try {
    await growHistory(database.pool, 1_000);
    const [bareUrl] = (await once(bare, 'message')) as [string];
    const statements = await countStatements(database.url, settings);
    const rates = { product: [] as number[], bare: [] as number[] };
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      for (const [name, url] of [
        ['product', program.url],
        ['bare', bareUrl],
      ] as const) {
        const load = { count, connections: 8 };
        if (round === 0) await sendMany(url, createPageRequest(20), load);
        const { perSecond } = await sendMany(url, createPageRequest(20), load);
        rates[name].push(perSecond);
        logProgress(`  jobs page, ${name}: ${Math.round(perSecond)} requests/s`);
      }
    }
    return [
      {
        measure: 'first page of jobs, 20 with sources',
        unit: 'requests/s',
        value: median(rates.product),
        peer: { name: 'pg by hand', value: median(rates.bare) },
        goal: ratioAtLeast(0.4),
      },
      {
        measure: 'statements for a page of 100 jobs beside one of 20',
        unit: 'statements',
        value: statements.hundred,
        peer: { name: 'page of 20', value: statements.twenty },
        goal: { of: 'ratio', at: 'most', bound: 1 },
      },
      {
        measure: 'statements for a page',
        unit: 'statements',
        value: statements.twenty,
        peer: null,
        goal: valueAtMost(5),
      },
    ];
  } finally {
    bare.kill();
    await program.stop();
    await database.close();
  }
}

/** What the API sends to the database for one page. */
async function countStatements(
  databaseUrl: string,
  settings: Record<string, string>,
): Promise<{ twenty: number; hundred: number }> {
  const proxy = await startCountingProxy(databaseUrl);
  const program = await startMeasuredProgram({ DATABASE_URL: proxy.url, ...settings });
  try {
    const countFor = async (first: number) => {
      await sendMany(program.url, createPageRequest(first), { count: 1, connections: 1 });
      proxy.take();
      await sendMany(program.url, createPageRequest(first), { count: 1, connections: 1 });
      // The queue and the health of the database are looked after in statements of their own.
      return proxy.take().filter((text) => /"(job|job_partition|data_source)"/.test(text)).length;
    };
    return { twenty: await countFor(20), hundred: await countFor(100) };
  } finally {
    await program.stop();
    await proxy.close();
  }
}
