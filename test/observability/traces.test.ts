import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject } from 'vitest';
import { createApiClient } from '../support/api-client.ts';
import { type Cluster, createCluster } from '../support/cluster.ts';
import { test } from '../support/on-server.ts';
import { CreateDataSource } from '../support/operations.ts';
import { killPrograms, type Program, startProgram } from '../support/program.ts';
import { writeQuery } from '../support/tables.ts';
import { type CollectedSpan, startTraceCollector, type TraceCollector } from '../support/trace-collector.ts';

const ROWS = 300;

/** What a caller of ours would send along, as W3C Trace Context has it. */
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

let collector: TraceCollector;
let cluster: Cluster | undefined;
let folder: string;
let spans: readonly CollectedSpan[];
let logLines: readonly string[];

beforeAll(async () => {
  collector = await startTraceCollector();
  folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=of-the-collector',
  };
  const prepared = inject('preparedDatabase');
  const programs: Program[] = [];
  if (prepared.kind === 'server') {
    // The hop through the queue is one between processes.
    cluster = await createCluster(prepared.url, ROWS, settings);
    programs.push(await cluster.start('api'), await cluster.start('worker'));
  } else {
    await writeQuery(
      join(folder, 'warehouse'),
      'sortie',
      `select 'S-' || i as item_id from range(1, ${ROWS + 1}) as r(i)`,
    );
    programs.push(await startProgram({ BLADE_DATA_FOLDER: folder, ...settings }));
  }
  const [api] = programs;
  if (api === undefined) throw new Error('no program was started');
  await api.client.send(CreateDataSource, {
    input: {
      ...{ name: 'Sorties', dataType: 'sortie' },
      ...{ catalogName: 'blade', schemaName: 'field', tableName: 'sortie' },
    },
  });
  const client = createApiClient(api.url, undefined, {
    traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01`,
  });
  const job = await client.startSync({ syncType: 'FULL' });
  await client.close();
  await api.client.waitForEnd(job.id);
  // Stopping sends what has not been sent yet.
  for (const program of programs) await program.end('SIGTERM');
  spans = collector.spans;
  logLines = programs.flatMap(({ lines }) => lines);
});

afterAll(async () => {
  await killPrograms();
  await cluster?.close();
  await collector.close();
  await rm(folder, { recursive: true, force: true });
});

function spanNamed(name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name && span.traceId === CALLER.traceId);
  expect(found, `one span ${name} in the trace of the caller`).toHaveLength(1);
  return found[0] as CollectedSpan;
}

test("a mutation is part of its sender's trace", () => {
  const mutation = spanNamed('mutation startSync');
  expect(mutation).toMatchObject({ parentSpanId: CALLER.spanId, kind: 2, service: 'blade-ingestion' });
  expect(mutation.attributes).toMatchObject({
    'graphql.operation.type': 'mutation',
    'blade.outcome': 'done',
  });
});

test('the trace continues through the queue into the worker, down to each stage of the partition', () => {
  const mutation = spanNamed('mutation startSync');
  const sent = spanNamed('insert partitions');
  const processed = spanNamed('process partitions');
  const planned = spanNamed('plan partition');
  const ingested = spanNamed('ingest partition');
  expect(sent).toMatchObject({ parentSpanId: mutation.spanId, kind: 4 });
  expect(processed).toMatchObject({ parentSpanId: sent.spanId, kind: 5 });
  expect(planned.parentSpanId).toBe(ingested.spanId);
  expect(ingested.parentSpanId).toBe(processed.spanId);
  expect(processed.attributes).toMatchObject({ 'blade.data_type': 'sortie', 'blade.outcome': 'COMPLETED' });
  for (const name of ['read', 'transform', 'save', 'upload', 'mark']) {
    const stage = spanNamed(name);
    expect(stage.parentSpanId).toBe(ingested.spanId);
    expect(stage.attributes['blade.batches']).toBe(1);
    expect(stage.attributes['blade.busy_seconds']).toBeGreaterThan(0);
    expect(stage.end).toBeGreaterThanOrEqual(stage.start);
  }
});

test('lines of the log name the trace', () => {
  const named = logLines.filter((line) => line.includes(CALLER.traceId));
  expect(named.some((line) => line.includes('"mutation"'))).toBe(true);
  expect(named.some((line) => line.includes('partition ended'))).toBe(true);
});

test('the collector gets the headers that are set, and the log does not show them', () => {
  expect(collector.headers[0]).toMatchObject({ 'api-key': 'of-the-collector' });
  expect(logLines.join('\n')).not.toContain('of-the-collector');
});

test("without a collector, OpenTelemetry's SDK is not loaded", async () => {
  const program = await startProgram({
    BLADE_DATA_FOLDER: join(folder, 'without'),
    // Tells of each module as it is loaded.
    NODE_OPTIONS: `--import ${new URL('../support/report-loaded.ts', import.meta.url).href}`,
  });
  await program.end('SIGTERM');
  const loaded = program.lines.filter((line) => line.startsWith('loaded '));
  expect(loaded.some((line) => line.includes('/graphql-yoga/'))).toBe(true);
  expect(loaded.filter((line) => /@opentelemetry\/(?!api\/)/.test(line))).toEqual([]);
});
