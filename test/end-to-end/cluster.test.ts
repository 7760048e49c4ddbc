import { createClient as createSseClient } from 'graphql-sse';
import { type Client, createClient as createWebSocketClient } from 'graphql-ws';
import { expect, onTestFinished, vi } from 'vitest';
import WebSocket from 'ws';
import type { JobFactsFragment } from '../generated/graphql.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { type Cluster, createCluster, expectAllOnce, listClaims, sortieIds } from '../support/cluster.ts';
import { test as base, describeOnServer, serverUrl } from '../support/on-cluster.ts';
import { JobById, JobProgress, StopSync, SyncStatus } from '../support/operations.ts';
import type { Program } from '../support/program.ts';
import { addSource, catalogContent, uuid } from '../support/tables.ts';

const ROWS = 4_000;

/** Small batches, so that a job runs for seconds. */
const SLOWLY = { syncType: 'FULL', options: { batchSize: 20, partitionRows: 1_000_000 } } as const;
const IN_PARTITIONS = { syncType: 'FULL', options: { batchSize: 50, partitionRows: 1_000 } } as const;

const waitFor = <Result>(check: () => Result | Promise<Result>) =>
  vi.waitFor(check, { timeout: 40_000, interval: 20 });

const test = base.extend('machines', { scope: 'file' }, async ({}, { onCleanup }) => {
  const cluster = await createCluster(serverUrl ?? '', ROWS);
  onCleanup(() => cluster.close());
  // All at once, on a database that is empty.
  const [firstApi, secondApi, firstWorker, secondWorker] = await Promise.all([
    cluster.start('api'),
    cluster.start('api'),
    cluster.start('worker'),
    cluster.start('worker'),
  ]);
  await addSource(firstApi);
  const apis: [Program, Program] = [firstApi, secondApi];
  const workers: [Program, Program] = [firstWorker, secondWorker];
  return { cluster, apis, workers };
});

/** Lets the next sync upload everything again. */
async function forgetItems({ pool }: Cluster): Promise<void> {
  await pool.query('truncate blade_item');
}

/** Watches a job to its end; `seen` grows as its states come. */
function watch({ client }: Program, id: string): { seen: JobFactsFragment[]; ended: Promise<void> } {
  const seen: JobFactsFragment[] = [];
  const ended = (async () => {
    for await (const { jobProgress } of client.watch(JobProgress, { id })) seen.push(jobProgress);
  })();
  return { seen, ended };
}

function expectOrdered(seen: readonly JobFactsFragment[]): void {
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
}

async function waitUntilRead({ client }: Program, id: string, rows: number): Promise<void> {
  await waitFor(async () => {
    const { job } = await client.send(JobById, { id });
    const read = job?.partitions.nodes.reduce((sum, { readItems }) => sum + readItems, 0) ?? 0;
    if (read <= rows) throw new Error(`the job is ${job?.state} and has read ${read} rows`);
  });
}

async function expectCompleted(cluster: Cluster, id: string): Promise<void> {
  await expectAllOnce(cluster, uuid(id), ROWS);
  const { rows } = await cluster.pool.query<{ itemId: string; contentHash: string }>(
    'select item_id as "itemId", content_hash as "contentHash" from blade_item',
  );
  expect(await catalogContent(cluster)).toEqual(
    new Map(rows.map(({ itemId, contentHash }) => [`BLADE-sortie-${itemId}`, contentHash])),
  );
}

describeOnServer('two API processes and two workers on one database', () => {
  // A failed test must not make the next one fail.
  test.beforeEach(async ({ machines: { apis, cluster }, onTestFailed }) => {
    onTestFailed(() => cluster.showLogs());
    await apis[0].client.send(StopSync, {});
    await waitFor(async () => {
      const { syncStatus } = await apis[0].client.send(SyncStatus, {});
      expect(['NO_SYNC_JOB', 'COMPLETED', 'FAILED', 'CANCELLED']).toContain(syncStatus.state);
    });
  });

  test('a job started at one API can be watched at the other, revision by revision', async ({
    machines: { cluster, apis },
  }) => {
    const { id } = await apis[0].client.startSync(SLOWLY);
    const { seen, ended } = watch(apis[1], id);
    await ended;
    expectOrdered(seen);
    expect(seen.length).toBeGreaterThan(10);
    expect(seen.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { successCount: ROWS } });
    await expectCompleted(cluster, id);
  });

  test('a job started at one API can be cancelled at the other, and both see its end', async ({
    machines: { cluster, apis },
  }) => {
    await forgetItems(cluster);
    const { id } = await apis[0].client.startSync(SLOWLY);
    const watched = [watch(apis[0], id), watch(apis[1], id)];
    await waitUntilRead(apis[0], id, 200);
    expect(await apis[1].client.cancelJob(id)).toMatchObject({ state: 'CANCELLING' });
    for (const { seen, ended } of watched) {
      await ended;
      expectOrdered(seen);
      expect(seen.at(-1)?.state).toBe('CANCELLED');
    }
  });

  test('the workers share the partitions of a large source', async ({
    machines: { cluster, apis, workers },
  }) => {
    await forgetItems(cluster);
    const before = workers.map((worker) => listClaims(worker).length);
    const { id } = await apis[0].client.startSync(IN_PARTITIONS);
    await apis[1].client.waitForEnd(id);
    await expectCompleted(cluster, id);
    const claims = workers.map((worker, index) => listClaims(worker).slice(before[index]));
    for (const claimed of claims) expect(claimed.length).toBeGreaterThan(0);
    const { rows } = await cluster.pool.query<{ id: string; attempt: number }>(
      'select id, attempt from job_partition where job_id = $1',
      [uuid(id)],
    );
    expect(rows.length).toBeGreaterThan(2);
    // Each is claimed once, by one of them.
    expect(rows.map((row) => row.attempt)).toEqual(rows.map(() => 1));
    expect(claims.flat().sort()).toEqual(rows.map((row) => row.id).sort());
  });

  test('subscribers see revisions in order, and the end, when the connection for notifications is cut', async ({
    machines: { cluster, apis },
  }) => {
    await forgetItems(cluster);
    const { id } = await apis[0].client.startSync(SLOWLY);
    const watched = [watch(apis[0], id), watch(apis[1], id)];
    for (const rows of [300, 1_000, 1_700]) {
      await waitUntilRead(apis[0], id, rows);
      const { rowCount } = await cluster.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and (query ~* '^listen ' or application_name like '%notifications')`,
      );
      expect(rowCount).toBeGreaterThan(3);
    }
    for (const { seen, ended } of watched) {
      await ended;
      expectOrdered(seen);
      expect(seen.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { successCount: ROWS } });
    }
    await expectCompleted(cluster, id);
  });

  test('a subscriber whose API process is killed continues at the other, and misses nothing', async ({
    machines: { cluster, apis },
  }) => {
    await forgetItems(cluster);
    const doomed = await cluster.start('api');
    const urls = [doomed.url, apis[1].url];
    let connections = 0;
    const client = createWebSocketClient({
      url: () => (urls[Math.min(connections++, 1)] ?? '').replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 3,
    });
    onTestFinished(() => client.dispose());
    const { id } = await apis[0].client.startSync(SLOWLY);
    const seen: JobFactsFragment[] = [];
    const ended = (async () => {
      const payload = { query: JobProgress.toString(), variables: { id } };
      for await (const { data } of client.iterate<{ jobProgress: JobFactsFragment }>(payload)) {
        if (data != null) seen.push(data.jobProgress);
      }
    })();
    await waitFor(() => expect(seen.at(-1)?.progress.processedItems).toBeGreaterThan(500));
    await doomed.end('SIGKILL');
    const before = seen.at(-1)?.revision ?? 0;
    await ended;
    expect(connections).toBe(2);
    expect(seen.at(-1)?.revision).toBeGreaterThan(before);
    const revisions = seen.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { successCount: ROWS } });
    await expectCompleted(cluster, id);
  });

  test('a worker that is stopped hands its partition to the other, and no row is lost', async ({
    machines: { cluster, apis, workers },
  }) => {
    await forgetItems(cluster);
    const claimed = workers.map((worker) => listClaims(worker).length);
    const { id } = await apis[0].client.startSync(SLOWLY);
    await waitUntilRead(apis[0], id, 500);
    const index = workers.findIndex((worker, which) => listClaims(worker).length > (claimed[which] ?? 0));
    const leaving = workers[index];
    const staying = workers[1 - index];
    onTestFinished(async () => {
      workers[index] = await cluster.start('worker');
    });
    expect(await leaving?.end('SIGTERM')).toEqual({ code: 0 });
    expect(await apis[1].client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    await expectCompleted(cluster, id);
    const { rows } = await cluster.pool.query('select id, attempt from job_partition where job_id = $1', [
      uuid(id),
    ]);
    expect(rows).toEqual([{ id: staying === undefined ? '' : listClaims(staying).at(-1), attempt: 2 }]);
    expect(leaving?.lines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
  });

  test('an API process that is stopped closes WebSockets and event streams so that clients reconnect', async ({
    machines: { cluster, apis },
  }) => {
    await forgetItems(cluster);
    const leaving = await cluster.start('api');
    const { id } = await apis[0].client.startSync(SLOWLY);
    const closed = Promise.withResolvers<{ code: number }>();
    let connections = 0;
    const webSockets = createWebSocketClient({
      url: () => (connections++ === 0 ? leaving : apis[0]).url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 3,
      on: { closed: (event) => closed.resolve(event as { code: number }) },
    });
    let streams = 0;
    const events = createSseClient({
      url: () => (streams++ === 0 ? leaving : apis[0]).url,
      retryAttempts: 3,
    });
    onTestFinished(async () => {
      events.dispose();
      await webSockets.dispose();
    });
    const results = [webSockets, events].map(async (client) => {
      let last: JobFactsFragment | undefined;
      const iterate = client.iterate as Client['iterate'];
      const payload = { query: JobProgress.toString(), variables: { id } };
      for await (const { data } of iterate<{ jobProgress: JobFactsFragment }>(payload)) {
        last = data?.jobProgress ?? last;
      }
      return last;
    });
    await waitUntilRead(apis[0], id, 500);
    expect(await leaving.end('SIGTERM')).toEqual({ code: 0 });
    expect((await closed.promise).code).toBe(1001);
    for (const last of await Promise.all(results)) expect(last).toMatchObject({ state: 'COMPLETED' });
    expect({ connections, streams }).toEqual({ connections: 2, streams: 2 });
  });
});

describeOnServer('a worker that is stopped during an upload', () => {
  test('is not ready any more, but stays up until it has handed its work back', async ({
    createCluster,
    open,
  }) => {
    const catalog = await open(startCatalogServer());
    const cluster = await createCluster(100, { CATALOG_URL: catalog.url });
    const [api, worker] = await Promise.all([cluster.start('api'), cluster.start('worker')]);
    await addSource(api);
    catalog.answerWith(() => 'SILENCE');
    const { id } = await api.client.startSync({ syncType: 'FULL' });
    await waitFor(() => expect(catalog.requests.length).toBeGreaterThan(0));
    const ready = async () => (await fetch(`${new URL(worker.url).origin}/health/ready`)).status;
    const live = async () => (await fetch(`${new URL(worker.url).origin}/health/live`)).status;
    expect(await ready()).toBe(200);
    const ended = worker.end('SIGTERM');
    await waitFor(async () => expect(await ready()).toBe(503));
    expect(await live()).toBe(200);
    expect(await ended).toEqual({ code: 0 });
    catalog.answerWith(() => null);
    await cluster.start('worker');
    expect(await api.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    await expectAllOnce(cluster, uuid(id), 100);
    expect([...catalog.items.values()].map(({ itemId }) => itemId).sort()).toEqual(sortieIds(100));
  });
});
