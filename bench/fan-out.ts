import type { Pool } from 'pg';
import { v7 as newUuid } from 'uuid';
import { createBenchDatabase } from './support/database.ts';
import { logProgress, type MeasureOptions, quantile, type Result, ratioAtLeast } from './support/measure.ts';
import { type Peer, startPeer } from './support/peer.ts';
import { startMeasuredProgram } from './support/program.ts';
import { median } from './support/report.ts';
import { openSubscribers } from './support/subscribers.ts';

// How fast the progress of one job reaches many subscribers. The product receives it from PostgreSQL, as from a worker on
// another node; the peers publish it in memory, which is in their favour.

const SELECTION = `id revision state
  progress { currentOperation percent totalItems processedItems successCount errorCount itemsPerSecond
    byType { dataType totalItems processedItems successCount errorCount } }
  recentErrors`;

/** A measured server, and how to make it publish. */
interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly query: string;
  publish(processedItems: number): Promise<unknown>;
  /** Returns the processor time of the process in seconds since its start. */
  processorSeconds(): Promise<number>;
}

interface Found {
  readonly perSecond: number;
  readonly p99: number;
  readonly microseconds: number;
}

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const sizes = quick ? [100] : [100, 1_000, 5_000];
  const turns = quick ? 1 : 3;
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_ROLES: 'api',
  });
  const peers = [
    { name: 'Mercurius', peer: await startPeer('subscription-mercurius.ts') },
    { name: 'Apollo Server', peer: await startPeer('subscription-apollo.ts') },
  ];
  try {
    const jobId = await createJob(database.pool);
    const contestants: Contestant[] = [
      {
        name: 'product',
        url: program.url.replace('http', 'ws'),
        query: `subscription { jobProgress(id: "${jobId}") { ${SELECTION} } }`,
        publish: (processedItems) =>
          database.pool.query(
            `update job set processed_items = $2::bigint, success_count = $2::bigint,
               progress_by_type = jsonb_set(progress_by_type, '{0,processedItems}', to_jsonb($2::bigint)) where id = $1`,
            [jobId, processedItems],
          ),
        processorSeconds: async () => (await program.read()).processorSeconds,
      },
      ...(await Promise.all(peers.map(({ name, peer }) => createContestant(name, peer, jobId)))),
    ];
    const results: Result[] = [];
    let processedItems = 1_000_000;
    for (const size of sizes) {
      const found = new Map<string, Found[]>();
      for (let turn = 0; turn < turns; turn++) {
        for (const contestant of contestants) {
          const one = await run(
            contestant,
            size,
            quick ? 5 : Math.max(20, 4_000 / size),
            () => ++processedItems,
          );
          found.set(contestant.name, [...(found.get(contestant.name) ?? []), one]);
          logProgress(
            `  ${size} subscribers, ${contestant.name}: ${Math.round(one.perSecond)} messages/s, p99 ${one.p99.toFixed(1)} ms, ${one.microseconds.toFixed(0)} µs of processor a message`,
          );
        }
      }
      const of = (name: string, read: (one: Found) => number) => median((found.get(name) ?? []).map(read));
      for (const { name } of peers) {
        results.push({
          measure: `progress to ${size} WebSockets`,
          unit: 'messages/s',
          value: of('product', ({ perSecond }) => perSecond),
          peer: { name, value: of(name, ({ perSecond }) => perSecond) },
          goal: ratioAtLeast(2),
        });
      }
      for (const { name } of peers) {
        results.push({
          measure: `progress to ${size} WebSockets, p99 delivery`,
          unit: 'ms',
          value: of('product', ({ p99 }) => p99),
          peer: { name, value: of(name, ({ p99 }) => p99) },
          goal: null,
        });
      }
      for (const { name } of peers) {
        results.push({
          measure: `progress to ${size} WebSockets, processor time of the server a message`,
          unit: 'µs',
          value: of('product', ({ microseconds }) => microseconds),
          peer: { name, value: of(name, ({ microseconds }) => microseconds) },
          goal: null,
        });
      }
    }
    return results;
  } finally {
    for (const { peer } of peers) await peer.stop();
    await program.stop();
    await database.close();
  }
}

async function run(
  contestant: Contestant,
  size: number,
  rounds: number,
  nextCount: () => number,
): Promise<Found> {
  await contestant.publish(nextCount());
  const subscribers = await openSubscribers(contestant.url, size, contestant.query);
  const round = () => {
    const count = nextCount();
    return subscribers.round(`"processedItems":${count}`, () => contestant.publish(count));
  };
  for (let warmUp = 0; warmUp < 5; warmUp++) await round();
  const times: number[] = [];
  const processorBefore = await contestant.processorSeconds();
  const start = performance.now();
  for (let index = 0; index < rounds; index++) times.push(...(await round()));
  const seconds = (performance.now() - start) / 1000;
  const processor = (await contestant.processorSeconds()) - processorBefore;
  await subscribers.close();
  return {
    perSecond: times.length / seconds,
    p99: quantile(times, 0.99),
    microseconds: (processor / times.length) * 1e6,
  };
}

async function createContestant(name: string, peer: Peer, jobId: string): Promise<Contestant> {
  const { url } = await peer.ask<{ url: string }>({});
  return {
    name,
    url,
    query: `subscription { jobProgress(id: "${jobId}") { ${SELECTION} } }`,
    publish: (processedItems) => peer.ask({ publish: createAnswer(jobId, processedItems) }),
    processorSeconds: async () => (await peer.ask<{ processorSeconds: number }>({})).processorSeconds,
  };
}

function createAnswer(jobId: string, processedItems: number): object {
  const counts = { totalItems: 3_000_000, processedItems, successCount: processedItems, errorCount: 0 };
  return {
    id: jobId,
    revision: processedItems,
    state: 'RUNNING',
    progress: {
      ...{ currentOperation: 'Syncing Sorties', percent: processedItems / 30_000, itemsPerSecond: 25_000.5 },
      ...counts,
      byType: [{ dataType: 'sortie', ...counts }],
    },
    recentErrors: [],
  };
}

async function createJob(pool: Pool): Promise<string> {
  const id = newUuid();
  const counts = { totalItems: 3_000_000, processedItems: 0, successCount: 0, errorCount: 0 };
  await pool.query(
    `insert into job (id, kind, state, data_type, sync_type, marking, total_items, is_total_known, current_operation,
       items_per_second, progress_by_type, started_at, updated_at)
     values ($1, 'SYNC', 'RUNNING', 'sortie', 'FULL', 'UNCLASSIFIED', 3000000, true, 'Syncing Sorties', 25000.5, $2, now(), now())`,
    [id, JSON.stringify([{ dataType: 'sortie', ...counts }])],
  );
  return id;
}
