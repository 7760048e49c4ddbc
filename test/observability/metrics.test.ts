import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { SyncProgress } from '../support/operations.ts';
import { addSource, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
let text: string;

beforeAll(async () => {
  application = await startTestApplication();
  await writeRows(application.warehouseFolder, 'sortie', [
    ...Array.from({ length: 40 }, (_, n) => ({ item_id: `S-${n}`, aircraft_tail: 'T1', flight_hours: '2' })),
    { item_id: 'bad', aircraft_tail: 'T1', flight_hours: 'no number' },
  ]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  for (let sync = 0; sync < 2; sync++) {
    const job = await application.client.startSync({ syncType: 'FULL' });
    await application.client.waitForEnd(job.id);
  }
  await application.client.sendRaw('{ nothing }');
  text = await readMetrics(application.url);
});

afterAll(() => application.close());

async function readMetrics(url: string): Promise<string> {
  const response = await fetch(new URL('/metrics', url));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return response.text();
}

/** The value of one series; undefined where there is none. */
function seriesValue(series: string, of: string = text): number | undefined {
  const line = of.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test('rows are counted by data type and outcome', () => {
  expect(seriesValue('blade_rows_read_total{data_type="sortie"}')).toBe(82);
  expect(seriesValue('blade_rows_saved_total{data_type="sortie"}')).toBe(40);
  expect(seriesValue('blade_rows_unchanged_total{data_type="sortie"}')).toBe(40);
  expect(seriesValue('blade_rows_uploaded_total{data_type="sortie"}')).toBe(40);
  expect(seriesValue('blade_rows_failed_total{data_type="sortie",stage="transform"}')).toBe(2);
  expect(seriesValue('blade_rows_read_total{data_type="logistics"}')).toBe(0);
  const saved = seriesValue('blade_saved_bytes_total{data_type="sortie"}');
  expect(saved).toBeGreaterThan(1_000);
  expect(seriesValue('blade_uploaded_bytes_total{data_type="sortie"}')).toBe(saved);
});

test('each batch is timed in each of its stages, and each attempt at a partition as a whole', () => {
  for (const [stage, batches] of [
    ['read', 2],
    ['transform', 2],
    ['save', 2],
    ['upload', 1],
    ['mark', 1],
  ]) {
    expect(seriesValue(`blade_stage_duration_seconds_count{stage="${stage}"}`)).toBe(batches);
  }
  expect(seriesValue('blade_partition_duration_seconds_count{data_type="sortie",outcome="completed"}')).toBe(
    2,
  );
});

test('jobs and the queue are counted as in the database', () => {
  expect(seriesValue('blade_database_up')).toBe(1);
  expect(seriesValue('blade_jobs{state="COMPLETED"}')).toBe(2);
  expect(seriesValue('blade_jobs{state="RUNNING"}')).toBe(0);
  expect(seriesValue('blade_queue_partitions{state="ready"}')).toBe(0);
  expect(seriesValue('blade_queue_oldest_ready_seconds')).toBe(0);
});

test('threads, operations by type and outcome, and the process itself have metrics', () => {
  expect(seriesValue('blade_threads')).toBe(2);
  expect(seriesValue('blade_threads_busy')).toBe(0);
  expect(
    seriesValue('blade_graphql_operation_duration_seconds_count{type="mutation",outcome="done"}'),
  ).toBeGreaterThanOrEqual(3);
  expect(
    seriesValue('blade_graphql_operation_duration_seconds_count{type="unknown",outcome="refused"}'),
  ).toBe(1);
  expect(seriesValue('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
  expect(seriesValue('process_resident_memory_bytes')).toBeGreaterThan(0);
});

test('subscriptions are counted by transport while they are open', async () => {
  const overWebSocket = application.client.watch(SyncProgress, {});
  const overEvents = application.client.watchEvents(SyncProgress, {});
  await overWebSocket.next();
  await overEvents.next();
  const during = await readMetrics(application.url);
  expect(seriesValue('blade_graphql_subscriptions{transport="websocket"}', during)).toBe(1);
  expect(seriesValue('blade_graphql_subscriptions{transport="http"}', during)).toBe(1);
  expect(seriesValue('blade_websocket_connections', during)).toBe(1);
  await overWebSocket.return?.();
  await overEvents.return?.();
  await expect
    .poll(async () => {
      const after = await readMetrics(application.url);
      return ['websocket', 'http'].map((transport) =>
        seriesValue(`blade_graphql_subscriptions{transport="${transport}"}`, after),
      );
    })
    .toEqual([0, 0]);
});

test('names follow the conventions of Prometheus', () => {
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type]) => ({ name, type }));
  for (const { name, type } of types.filter(({ name: ours }) => ours.startsWith('blade_'))) {
    if (type === 'counter') expect(name).toMatch(/_total$/);
    else expect(name).not.toMatch(/_total$/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
  }
});

/** The names that samples have: those of a histogram end in what they are. */
function toldNames(): ReadonlySet<string> {
  return new Set([...text.matchAll(/^([a-z]\w*)[{ ]/gm)].map(([, name = '']) => name));
}

test('the Grafana dashboard asks only for metrics that exist', async () => {
  const dashboard = JSON.parse(await readFile('docs/operations/grafana-dashboard.json', 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(15);
  for (const query of queries) {
    const names = query.match(/\b(?:blade|nodejs|process)_\w+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(toldNames()).toContain(name);
  }
});

test('the docs name each of our metrics, and in their alerts no other', async () => {
  const docs = await readFile('docs/operations.md', 'utf8');
  const alerts = [...docs.matchAll(/^ +expr: (.*)$/gm)].flatMap(
    ([, expr = '']) => expr.match(/\bblade_\w+/g) ?? [],
  );
  expect(alerts.length).toBeGreaterThan(3);
  for (const name of alerts) expect(toldNames()).toContain(name);

  const table = docs.slice(docs.indexOf('| Metric '), docs.indexOf('Alerts that are'));
  const named = [...table.matchAll(/`(blade_[\w{},]+?)(?:\{[a-z_,]+\})?`/g)].flatMap(([, name = '']) => {
    const [, before = '', choices = '', after = ''] = /^(\w*)\{([\w,]+)\}(\w+)/.exec(name) ?? [];
    return choices === '' ? [name] : choices.split(',').map((choice) => `${before}${choice}${after}`);
  });
  const ours = [...text.matchAll(/^# TYPE (blade_\w+) /gm)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual(ours.toSorted());
});

test('if a credential is needed, only principals cleared for everything may read metrics', async () => {
  const closed = await startTestApplication({ ...SECRET_SETTINGS });
  try {
    const ask = async (headers: Record<string, string>) =>
      (await fetch(new URL('/metrics', closed.url), { headers })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: await bearer({ role: 'admin', clearance: 'SECRET' }) })).toBe(403);
    expect(await ask({ authorization: await bearer({ role: 'viewer', clearance: 'TOP SECRET' }) })).toBe(200);
  } finally {
    await closed.close();
  }
});

test('a separate port serves metrics only, and they are served nowhere else', async () => {
  const worker = await startTestApplication({ BLADE_ROLES: 'worker', BLADE_METRICS_PORT: '0' });
  try {
    const log = worker.log.join('');
    const own = /metrics are at (http:[^"]+)/.exec(log)?.[1] ?? '';
    expect(seriesValue('blade_threads', await readMetrics(own))).toBe(2);
    expect((await fetch(new URL('/health/ready', own))).status).toBe(404);
    const health = /health is at (http:[^"]+)/.exec(log)?.[1] ?? '';
    expect((await fetch(new URL('/metrics', health))).status).toBe(404);
  } finally {
    await worker.close();
  }
});

test('a worker without an API serves metrics beside its health, and none if they are off', async () => {
  for (const [BLADE_METRICS, status] of [
    ['true', 200],
    ['false', 404],
  ] as const) {
    const worker = await startTestApplication({ BLADE_ROLES: 'worker', BLADE_METRICS });
    try {
      const health = /health is at (http:[^"]+)/.exec(worker.log.join(''))?.[1] ?? '';
      expect((await fetch(new URL('/metrics', health))).status).toBe(status);
    } finally {
      await worker.close();
    }
  }
});

test('a database that does not answer is reported as down, and the metrics from it are left out', async () => {
  let answers = true;
  let asked = 0;
  let time = 0;
  const metrics = createMetrics({
    facts: () => {
      asked++;
      return answers
        ? Promise.resolve({
            jobs: { RUNNING: 1 },
            queue: { ready: 2, deferred: 0, active: 1, oldestReadySeconds: 3 },
            drifts: [{ source: 'Sorties', drift: 3 }],
            pendingRemovals: 0,
          })
        : Promise.reject(new Error('gone'));
    },
    dataTypes: ['sortie'],
    pool: { threads: 1, busyThreads: 0 },
    now: () => time,
  });
  expect(seriesValue('blade_queue_oldest_ready_seconds', await metrics.text())).toBe(3);
  await metrics.text();
  expect(asked).toBe(1);
  answers = false;
  time = 1_000;
  const without = await metrics.text();
  expect(seriesValue('blade_database_up', without)).toBe(0);
  expect(seriesValue('blade_jobs{state="RUNNING"}', without)).toBeUndefined();
  expect(seriesValue('blade_queue_oldest_ready_seconds', without)).toBeUndefined();
  expect(seriesValue('blade_threads', without)).toBe(1);
  metrics.close();
});

test('a query is counted', async () => {
  const before = seriesValue(DONE_QUERIES, await readMetrics(application.url)) ?? 0;
  await application.client.sendRaw('{ jobs(first: 1) { totalCount } }');
  expect(seriesValue(DONE_QUERIES, await readMetrics(application.url))).toBe(before + 1);
});

const DONE_QUERIES = 'blade_graphql_operation_duration_seconds_count{type="query",outcome="done"}';
