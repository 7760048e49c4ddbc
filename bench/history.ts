import { Agent } from 'node:http';
import { createBenchDatabase } from './support/database.ts';
import { growHistory } from './support/history.ts';
import { sendOne } from './support/http-load.ts';
import { logProgress, type MeasureOptions, type Result, ratioAtMost } from './support/measure.ts';
import { startMeasuredProgram } from './support/program.ts';
import { median } from './support/report.ts';

// What a page of history costs as history grows: the first page, and the one after 999 others.

const PAGE = `query ($first: Int!, $after: String) { jobs(first: $first, after: $after) {
  edges { node { id kind state createdAt progress { processedItems } dataSources { name } } }
  pageInfo { hasNextPage endCursor } } }`;

const SIZES = [100, 10_000, 1_000_000];

/** The most that a page may take in a long history, as a multiple of what the same takes in a short one. */
const CONSTANT = ratioAtMost(1.2);

/** A program with a history, and what is asked of it. */
interface Place {
  readonly size: number;
  readonly url: string;
  readonly page: number;
  readonly bodies: { readonly first: string; readonly later: string };
  readonly times: { readonly first: number[]; readonly later: number[] };
  close(): Promise<void>;
}

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const requests = quick ? 50 : 400;
  const agent = new Agent({ keepAlive: true });
  const places: Place[] = [];
  try {
    for (const size of quick ? SIZES.slice(0, 2) : SIZES) places.push(await createPlace(size));
    // In turns, so that all of them meet the same machine; the first are for warming up.
    for (let turn = -requests / 2; turn < requests; turn++) {
      for (const { url, bodies, times } of places) {
        for (const which of ['first', 'later'] as const) {
          const time = await sendOne(agent, url, bodies[which]);
          if (turn >= 0) times[which].push(time);
        }
      }
    }
    const [shortest] = places;
    return places.flatMap((place) =>
      (['first', 'later'] as const).map((which): Result => {
        const page = which === 'first' ? 1 : place.page;
        const peer =
          shortest === undefined || place === shortest
            ? null
            : {
                name: `page ${which === 'first' ? 1 : shortest.page} of ${shortest.size}`,
                value: median(shortest.times[which]),
              };
        return {
          measure: `${place.size.toLocaleString('en')} jobs: page ${page.toLocaleString('en')}, p50`,
          unit: 'ms',
          value: median(place.times[which]),
          peer,
          goal: peer === null ? null : CONSTANT,
        };
      }),
    );
  } finally {
    agent.destroy();
    for (const { close } of places) await close();
  }
}

async function createPlace(size: number): Promise<Place> {
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_ROLES: 'api',
  });
  await growHistory(database.pool, size);
  logProgress(`  a history of ${size} jobs is made`);
  // The page in the middle, where there are not two thousand.
  const page = Math.min(1_000, Math.ceil(size / 20 / 2));
  let after: string | null = null;
  for (let passed = 0, first = 0; passed < (page - 1) * 20; passed += first) {
    first = Math.min(200, (page - 1) * 20 - passed);
    const { jobs }: { jobs: { pageInfo: { endCursor: string } } } = await program.send(PAGE, {
      first,
      after,
    });
    after = jobs.pageInfo.endCursor;
  }
  const createBody = (cursor: string | null) =>
    JSON.stringify({ query: PAGE, variables: { first: 20, after: cursor } });
  return {
    size,
    url: program.url,
    page,
    bodies: { first: createBody(null), later: createBody(after) },
    times: { first: [], later: [] },
    async close() {
      await program.stop();
      await database.close();
    },
  };
}
