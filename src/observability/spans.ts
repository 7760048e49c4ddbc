import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Measurements, Stage, StageTiming } from '../ingestion/stage-meter.ts';
import type { JsonObject } from '../shared/json.ts';
import { version } from '../shared/version.ts';
import { SERVICE } from './tracing.ts';

/** The span of an API operation. */
export interface OperationSpan {
  /** For the log; undefined if traces are off. */
  readonly traceId: string | undefined;
  /** Runs work whose spans have this one as their parent. */
  run<Result>(work: () => Result): Result;
  /** @param problem why the operation failed; undefined if it succeeded. */
  end(attributes: Attributes, problem?: string): void;
}

const getTracer = () => trace.getTracer(SERVICE, version);

/**
 * Starts the span of an API operation.
 * @param headers the headers of the request; a `traceparent` makes the span part of its trace.
 */
export function startOperationSpan(
  name: string,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  attributes: Attributes,
): OperationSpan {
  const parent = propagation.extract(ROOT_CONTEXT, headers);
  const span = getTracer().startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
  const inside = trace.setSpan(parent, span);
  return {
    traceId: findTraceId(span),
    run: (work) => context.with(inside, work),
    end(more, problem) {
      span.setAttributes(more);
      if (problem !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
      span.end();
    },
  };
}

/** Adds attributes to the active span, such as the queue's span of a partition. */
export function describeActiveSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Finds the id of the active trace, for the log; undefined if traces are off. */
export function findActiveTraceId(): string | undefined {
  return findTraceId(trace.getActiveSpan());
}

function findTraceId(span: Span | undefined): string | undefined {
  return span?.isRecording() ? span.spanContext().traceId : undefined;
}

/** Starts a span below the active one, for work that ends in another callback. Only its first end counts. */
export function startSpan(name: string, attributes: Attributes): { end(): void } {
  const span = getTracer().startSpan(name, { attributes });
  return {
    end() {
      if (span.isRecording()) span.end();
    },
  };
}

/**
 * Runs work that sends messages in a new span.
 * @param work receives the span's context, to send along with the messages; null if traces are off.
 */
export function runInProducerSpan<Result>(
  name: string,
  work: (traceContext: JsonObject | null) => Promise<Result>,
): Promise<Result> {
  return runInSpan(
    name,
    {},
    () => {
      const carrier: Record<string, string> = {};
      propagation.inject(context.active(), carrier);
      return work(Object.keys(carrier).length === 0 ? null : carrier);
    },
    SpanKind.PRODUCER,
  );
}

/** Runs work in a new span. */
export async function runInSpan<Result>(
  name: string,
  attributes: Attributes,
  work: () => Promise<Result>,
  kind = SpanKind.INTERNAL,
): Promise<Result> {
  return getTracer().startActiveSpan(name, { attributes, kind }, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/**
 * The stages of an attempt as spans. A partition of ten million rows has tens of thousands of batches, too many for a span
 * each. So each stage is one span from its first batch to its last, with the total time of its batches and an event for each
 * slow batch.
 */
export interface StageSpans {
  add(measurements: Measurements): void;
  end(): void;
}

interface StageTotals {
  startedAt: number;
  endedAt: number;
  batches: number;
  busySeconds: number;
  slowestSeconds: number;
  readonly slow: StageTiming[];
}

/** A batch that takes longer than this in a stage gets an event, in seconds. */
const SLOW_SECONDS = 5;

/** The most events per stage; the latest are kept. */
const MAX_SLOW = 20;

/** Starts gathering measurements that become spans below the active one. */
export function gatherStageSpans(): StageSpans {
  if (trace.getActiveSpan()?.isRecording() !== true) return NO_SPANS;
  const parent: Context = context.active();
  const totals = new Map<Stage, StageTotals>();
  return {
    add({ timings }) {
      for (const timing of timings) addTiming(totals, timing);
    },
    end() {
      for (const [stage, { startedAt, endedAt, slow, ...total }] of totals) {
        const attributes = {
          'blade.batches': total.batches,
          'blade.busy_seconds': total.busySeconds,
          'blade.slowest_seconds': total.slowestSeconds,
        };
        const span = getTracer().startSpan(stage, { startTime: startedAt, attributes }, parent);
        for (const { seconds, endedAt: time } of slow) {
          span.addEvent('slow batch', { 'blade.seconds': seconds }, time);
        }
        span.end(endedAt);
      }
    },
  };
}

const NO_SPANS: StageSpans = { add() {}, end() {} };

function addTiming(totals: Map<Stage, StageTotals>, timing: StageTiming): void {
  const { stage, endedAt, seconds } = timing;
  const startedAt = endedAt - seconds * 1_000;
  let total = totals.get(stage);
  if (total === undefined) {
    total = { startedAt, endedAt, batches: 0, busySeconds: 0, slowestSeconds: 0, slow: [] };
    totals.set(stage, total);
  }
  total.startedAt = Math.min(total.startedAt, startedAt);
  total.endedAt = Math.max(total.endedAt, endedAt);
  total.batches++;
  total.busySeconds += seconds;
  total.slowestSeconds = Math.max(total.slowestSeconds, seconds);
  if (seconds < SLOW_SECONDS) return;
  total.slow.push(timing);
  if (total.slow.length > MAX_SLOW) total.slow.shift();
}
