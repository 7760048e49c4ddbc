import { Agent } from 'node:http';
import { createBenchDatabase } from './support/database.ts';
import { growHistory } from './support/history.ts';
import { sendOne } from './support/http-load.ts';
import { type MeasureOptions, quantile, type Result, ratioAtMost, tell } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';

// What a page of history costs as history grows: the first page, and the one after 999 others.

const PAGE = `query ($first: Int!, $after: String) { jobs(first: $first, after: $after) {
  edges { node { id kind state createdAt progress { processedItems } dataSources { name } } }
  pageInfo { hasNextPage endCursor } } }`;

const SIZES = [100, 10_000, 1_000_000];

/** The most that a page may take in a long history, as a multiple of what it takes in a short one. */
const CONSTANT = ratioAtMost(1.2);

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const requests = quick ? 50 : 300;
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_ROLES: 'api',
    BLADE_REQUESTS_PER_SECOND: '1000000',
  });
  const agent = new Agent({ keepAlive: true });

  const timeOf = async (after: string | null) => {
    const times: number[] = [];
    const body = JSON.stringify({ query: PAGE, variables: { first: 20, after } });
    for (let index = 0; index < requests; index++) times.push(await sendOne(agent, program.url, body));
    return quantile(times, 0.5);
  };
  const cursorAfter = async (count: number) => {
    let after: string | null = null;
    for (let passed = 0; passed < count; passed += 200) {
      const { jobs }: { jobs: { pageInfo: { endCursor: string } } } = await program.send(PAGE, {
        first: Math.min(200, count - passed),
        after,
      });
      after = jobs.pageInfo.endCursor;
    }
    return after;
  };

  try {
    const results: Result[] = [];
    let shortest: number | null = null;
    for (const size of quick ? SIZES.slice(0, 2) : SIZES) {
      await growHistory(database.pool, size);
      await timeOf(null);
      const first = await timeOf(null);
      // The page in the middle, where there are not a thousand.
      const pages = Math.min(1_000, Math.ceil(size / 20 / 2));
      const later = await timeOf(await cursorAfter((pages - 1) * 20));
      tell(`  ${size} jobs: first page ${first.toFixed(1)} ms, page ${pages} ${later.toFixed(1)} ms`);
      const short: Result['peer'] = shortest === null ? null : { name: 'first page of 100', value: shortest };
      shortest ??= first;
      const jobs = size.toLocaleString('en');
      results.push(
        {
          measure: `${jobs} jobs: first page, p50`,
          ...{ unit: 'ms', value: first, peer: short, goal: short === null ? null : CONSTANT },
        },
        {
          measure: `${jobs} jobs: page ${pages.toLocaleString('en')}, p50`,
          ...{ unit: 'ms', value: later, peer: short, goal: short === null ? null : CONSTANT },
        },
      );
    }
    return results;
  } finally {
    agent.destroy();
    await program.stop();
    await database.close();
  }
}
