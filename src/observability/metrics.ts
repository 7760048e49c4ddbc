import { setTimeout } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { JobState, ScheduledRunState } from '../database/generated/prisma/enums.ts';
import type { PartitionOutcome } from '../ingestion/partition-task.ts';
import { type Measurements, STAGES } from '../ingestion/stage-meter.ts';
import { once } from '../shared/once.ts';
import { version } from '../shared/version.ts';

/** Facts about the whole cluster, from the database. */
export interface ClusterFacts {
  readonly jobs: Readonly<Partial<Record<JobState, number>>>;
  readonly queue: QueueFacts;
  /** How far the copies of sources are from their tables, as far as that is known. */
  readonly drifts: readonly SourceDrift[];
  /** Deleted items that wait to be removed from the catalog. */
  readonly pendingRemovals: number;
}

export interface SourceDrift {
  readonly source: string;
  /** How many rows are not in the copy or, below zero, how many items have no row any more. */
  readonly drift: number;
}

/** The queue of partitions. */
export interface QueueFacts {
  /** Partitions that a worker can claim. */
  readonly ready: number;
  /** Partitions that wait for their next attempt. */
  readonly deferred: number;
  /** Partitions that workers run. */
  readonly active: number;
  /** How long the oldest ready partition has waited, in seconds; 0 if there is none. */
  readonly oldestReadySeconds: number;
}

export type OperationType = 'query' | 'mutation' | 'subscription' | 'unknown';

/** `refused`: the client learns what is wrong with its operation; `failed`: it gets only an id, and the log has the rest. */
export type OperationOutcome = 'done' | 'refused' | 'failed';

export type SubscriptionTransport = 'websocket' | 'http';

/** Metrics for Prometheus, of this process and, from the database, of its cluster. */
export interface Metrics {
  /** Formats all of them as Prometheus reads them. */
  text(): Promise<string>;
  readonly contentType: string;
  recordBatches(dataType: string, measurements: Measurements): void;
  recordPartition(dataType: string, outcome: PartitionOutcome['status'] | 'THREW', seconds: number): void;
  recordOperation(type: OperationType, outcome: OperationOutcome, seconds: number): void;
  recordDueTimes(state: ScheduledRunState, count: number): void;
  /** @returns a function to call at its end. */
  openSubscription(transport: SubscriptionTransport): () => void;
  /** @returns a function to call at its end. */
  openConnection(): () => void;
  close(): void;
}

/** Where numbers are read when Prometheus asks. */
export interface MetricSources {
  readonly facts: () => Promise<ClusterFacts>;
  /** The names of the data types, whose counters begin at 0. */
  readonly dataTypes: readonly string[];
  readonly pool: { readonly threads: number; readonly busyThreads: number };
  /** The time in milliseconds; tests pass their own. */
  readonly now?: () => number;
}

/** How long facts from the database are cached, so that several scrapes cost one query; in milliseconds. */
const FACTS_CACHE_MS = 1_000;

/** How long a scrape waits for the database before it goes without its facts, in milliseconds. */
const FACTS_TIMEOUT_MS = 2_000;

export function createMetrics({
  facts,
  dataTypes,
  pool,
  now = () => performance.now(),
}: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const build = new Gauge({
    name: 'blade_build_info',
    help: 'The version that runs; always 1.',
    labelNames: ['version'],
    registers,
  });
  build.set({ version }, 1);

  const databaseUp = new Gauge({
    name: 'blade_database_up',
    help: 'Whether the database answered in time when this process asked for the metrics that come from it.',
    registers,
  });
  const jobs = new Gauge({
    name: 'blade_jobs',
    help: 'Jobs by state in the whole cluster, the same from every process.',
    labelNames: ['state'],
    registers,
  });
  const queued = new Gauge({
    name: 'blade_queue_partitions',
    help: 'Partitions in the queue of the whole cluster: ready to be claimed, deferred to their next attempt, or active.',
    labelNames: ['state'],
    registers,
  });
  const oldest = new Gauge({
    name: 'blade_queue_oldest_ready_seconds',
    help: 'How long the oldest ready partition of the whole cluster has waited for a worker; 0 if there is none.',
    registers,
  });
  const drift = new Gauge({
    name: 'blade_source_drift',
    help: 'How far the copy of a source is from its table after its last completed sync, if that is known: rows that are not in the copy or, below zero, items without a row.',
    labelNames: ['source'],
    registers,
  });
  const removals = new Gauge({
    name: 'blade_removals_pending',
    help: 'Deleted items of the whole cluster that wait to be removed from the catalog.',
    registers,
  });
  const clusterFacts = cacheWork(FACTS_CACHE_MS, now, async () => {
    const { jobs: byState, queue, drifts, pendingRemovals } = await withTimeout(facts(), FACTS_TIMEOUT_MS);
    for (const state of Object.values(JobState)) jobs.set({ state }, byState[state] ?? 0);
    for (const state of ['ready', 'deferred', 'active'] as const) queued.set({ state }, queue[state]);
    oldest.set(queue.oldestReadySeconds);
    removals.set(pendingRemovals);
    drift.reset();
    for (const { source, drift: rows } of drifts) drift.set({ source }, rows);
  });

  const threads = new Gauge({
    name: 'blade_threads',
    help: 'Worker threads of this process: how many partitions it can run at once.',
    registers,
    collect() {
      threads.set(pool.threads);
    },
  });
  const busyThreads = new Gauge({
    name: 'blade_threads_busy',
    help: 'Worker threads of this process that are busy.',
    registers,
    collect() {
      busyThreads.set(pool.busyThreads);
    },
  });

  const createRowCounter = (name: string, help: string) => {
    const counter = new Counter({ name, help, labelNames: ['data_type'], registers });
    for (const dataType of dataTypes) counter.inc({ data_type: dataType }, 0);
    return counter;
  };
  const rows = {
    read: createRowCounter(
      'blade_rows_read_total',
      'Rows read from the warehouse, or from the database after an interruption, by this process.',
    ),
    saved: createRowCounter('blade_rows_saved_total', 'Items that were new or changed and were saved.'),
    unchanged: createRowCounter(
      'blade_rows_unchanged_total',
      'Items that had been saved and uploaded before.',
    ),
    uploaded: createRowCounter('blade_rows_uploaded_total', 'Items that the catalog accepted.'),
  };
  const bytes = {
    saved: createRowCounter('blade_saved_bytes_total', 'Bytes of data of saved items.'),
    uploaded: createRowCounter(
      'blade_uploaded_bytes_total',
      'Bytes of data of items that the catalog accepted.',
    ),
  };
  const failed = new Counter({
    name: 'blade_rows_failed_total',
    help: 'Rows that failed, by stage.',
    labelNames: ['data_type', 'stage'],
    registers,
  });
  for (const dataType of dataTypes) {
    for (const stage of FAILURE_STAGES) failed.inc({ data_type: dataType, stage: stage.toLowerCase() }, 0);
  }
  const stageSeconds = new Histogram({
    name: 'blade_stage_duration_seconds',
    help: 'How long a batch was in a stage: read (waiting for the warehouse), transform, save, upload, mark.',
    labelNames: ['stage'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  for (const stage of STAGES) stageSeconds.zero({ stage });
  const partitionSeconds = new Histogram({
    name: 'blade_partition_duration_seconds',
    help: 'How long attempts at partitions took, by outcome.',
    labelNames: ['data_type', 'outcome'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400],
    registers,
  });

  const dueTimes = new Counter({
    name: 'blade_schedule_due_times_total',
    help: 'Due times of schedules that this process saw: a sync was started for them, had to wait for the active one first, was skipped, or was missed while nothing looked.',
    labelNames: ['state'],
    registers,
  });
  for (const state of Object.values(ScheduledRunState)) dueTimes.inc({ state: state.toLowerCase() }, 0);

  const operationSeconds = new Histogram({
    name: 'blade_graphql_operation_duration_seconds',
    help: 'How long GraphQL operations took, by type and outcome; for a subscription, until it was open.',
    labelNames: ['type', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  for (const type of ['query', 'mutation', 'subscription', 'unknown'] as const) {
    for (const outcome of ['done', 'refused', 'failed'] as const) operationSeconds.zero({ type, outcome });
  }
  const subscriptions = new Gauge({
    name: 'blade_graphql_subscriptions',
    help: 'Open subscriptions, over WebSocket and over HTTP (server-sent events).',
    labelNames: ['transport'],
    registers,
  });
  for (const transport of ['websocket', 'http'] as const) subscriptions.set({ transport }, 0);
  const connections = new Gauge({
    name: 'blade_websocket_connections',
    help: 'Open WebSocket connections.',
    registers,
  });

  return {
    contentType: registry.contentType,
    async text() {
      await clusterFacts().then(
        () => databaseUp.set(1),
        () => {
          databaseUp.set(0);
          // Stale numbers would look current.
          for (const gauge of [jobs, queued, drift]) gauge.reset();
          oldest.remove();
          removals.remove();
        },
      );
      return registry.metrics();
    },
    recordBatches(dataType, measurements) {
      const labels = { data_type: dataType };
      for (const { stage, seconds } of measurements.timings) stageSeconds.observe({ stage }, seconds);
      for (const [name, counter] of Object.entries(rows)) {
        counter.inc(labels, measurements.rows[name as keyof typeof rows]);
      }
      for (const [name, counter] of Object.entries(bytes)) {
        counter.inc(labels, measurements.bytes[name as keyof typeof bytes]);
      }
      for (const stage of FAILURE_STAGES) {
        failed.inc({ ...labels, stage: stage.toLowerCase() }, measurements.failedRows[stage]);
      }
    },
    recordPartition(dataType, outcome, seconds) {
      partitionSeconds.observe({ data_type: dataType, outcome: outcome.toLowerCase() }, seconds);
    },
    recordDueTimes(state, count) {
      dueTimes.inc({ state: state.toLowerCase() }, count);
    },
    recordOperation(type, outcome, seconds) {
      operationSeconds.observe({ type, outcome }, seconds);
    },
    openSubscription(transport) {
      subscriptions.inc({ transport });
      return once(() => subscriptions.dec({ transport }));
    },
    openConnection() {
      connections.inc();
      return once(() => connections.dec());
    },
    close: () => registry.clear(),
  };
}

const FAILURE_STAGES = ['READ', 'TRANSFORM', 'SAVE', 'UPLOAD'] as const;

/** Wraps work so that it runs at most once an interval, and once for all concurrent callers; failed work runs again. */
function cacheWork(intervalMs: number, now: () => number, work: () => Promise<void>): () => Promise<void> {
  let doneAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  return async () => {
    if (running === undefined && now() - doneAt < intervalMs) return;
    running ??= work()
      .then(() => {
        doneAt = now();
      })
      .finally(() => {
        running = undefined;
      });
    await running;
  };
}

async function withTimeout<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  const cleared = new AbortController();
  const timeout = setTimeout(timeoutMs, undefined, { signal: cleared.signal }).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    timeout.catch(() => {});
    cleared.abort();
    work.catch(() => {});
  }
}
