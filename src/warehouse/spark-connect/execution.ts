import { setTimeout } from 'node:timers/promises';
import type { ParameterValue } from '../warehouse.ts';
import type { ResponseStream } from './client.ts';
import { isOperationLost, isTransient } from './error.ts';
import type { ExecutePlanRequest, ExecutePlanResponse, Expression } from './messages.ts';
import { createRetries } from './retries.ts';
import type { SparkSession } from './session.ts';

/** A statement that Spark runs. */
export interface Execution {
  /**
   * Returns the next response; null after the last. A stream that breaks off is continued after the last response that was
   * returned, and Spark may forget those before it.
   * @throws ServiceError of gRPC if it cannot be continued.
   */
  next(): Promise<ExecutePlanResponse | null>;
  /** Interrupts the statement in Spark, and resolves once Spark knows. */
  cancel(): Promise<void>;
}

export interface ExecutionOptions {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** A UUID. */
  readonly operationId: string;
  /** Identifies the statement in Spark's UI; without commas, which separate tags. */
  readonly tag: string | undefined;
  readonly retryDelayMs: number;
  /** Called before another attempt, because Spark could not be reached. */
  readonly onRepeat: () => void;
}

/** Starts a statement, which Spark keeps while nobody listens for as long as its settings say: five minutes. */
export function startExecution({ client, context }: SparkSession, options: ExecutionOptions): Execution {
  const operation = { ...context, operation_id: options.operationId };
  const request = toRequest(operation, options);
  const ended = new AbortController();
  const retries = createRetries(options.retryDelayMs, ended.signal);
  let lastId: string | null = null;
  /** The last batch that was returned, until Spark may forget it. */
  let unreleased: string | null = null;
  let isComplete = false;
  let stream: ResponseStream = client.stream('ExecutePlan', request);

  function reattach(): void {
    stream.close();
    stream = client.stream('ReattachExecute', {
      ...operation,
      ...(lastId === null ? {} : { last_response_id: lastId }),
    });
  }

  /** Lets Spark forget the responses up to one, or all of them and the statement. */
  function release(until: string | null): Promise<unknown> {
    const what = until === null ? { release_all: {} } : { release_until: { response_id: until } };
    // Spark forgets by itself what nobody asks for.
    return client.request('ReleaseExecute', { ...operation, ...what }).catch(() => {});
  }

  async function recover(error: unknown): Promise<void> {
    if (ended.signal.aborted) throw error;
    if (isOperationLost(error) && lastId === null) {
      // It has not arrived, so it is sent again.
      if (!(await retries.wait())) throw error;
      stream.close();
      stream = client.stream('ExecutePlan', request);
      return;
    }
    if (!isTransient(error)) throw error;
    options.onRepeat();
    if (!(await retries.wait())) throw error;
    reattach();
  }

  async function receive(): Promise<ExecutePlanResponse | null> {
    try {
      const response = await stream.next();
      if (response !== null) {
        retries.reset();
        return response;
      }
      // Spark ends a stream every few minutes, and at once while it ends an earlier one of the statement.
      await setTimeout(REATTACH_WAIT_MS, undefined, { signal: ended.signal });
      reattach();
    } catch (error) {
      await recover(error);
    }
    return null;
  }

  return {
    async next() {
      if (isComplete) return null;
      if (unreleased !== null) void release(unreleased);
      unreleased = null;
      let response = await receive();
      while (response === null) response = await receive();
      lastId = response.response_id ?? lastId;
      if (response.arrow_batch !== undefined) unreleased = lastId;
      if (response.result_complete === undefined) return response;
      isComplete = true;
      stream.close();
      void release(null);
      return null;
    },

    async cancel() {
      if (isComplete || ended.signal.aborted) return;
      ended.abort();
      try {
        await interrupt();
      } finally {
        stream.close();
        await release(null);
      }
    },
  };

  /** Interrupts the statement, and again if Spark has not begun with it yet. */
  async function interrupt(): Promise<void> {
    for (let attempt = 0; attempt < MAX_INTERRUPTS; attempt += 1) {
      const { interrupted_ids: ids = [] } = await client.request('Interrupt', {
        ...operation,
        interrupt_type: 'INTERRUPT_TYPE_OPERATION_ID',
      });
      if (ids.length > 0 || lastId !== null) return;
      await setTimeout(INTERRUPT_WAIT_MS);
    }
  }
}

const REATTACH_WAIT_MS = 50;
const MAX_INTERRUPTS = 5;
const INTERRUPT_WAIT_MS = 100;

function toRequest(
  operation: Omit<ExecutePlanRequest, 'plan' | 'request_options' | 'tags'>,
  { sql, parameters, tag }: ExecutionOptions,
): ExecutePlanRequest {
  const values = Object.entries(parameters).map(([name, value]) => [name, toExpression(value)] as const);
  return {
    ...operation,
    plan: { root: { common: {}, sql: { query: sql, named_arguments: Object.fromEntries(values) } } },
    request_options: [{ reattach_options: { reattachable: true } }],
    tags: tag === undefined ? [] : [tag],
  };
}

/** Binds a value with the type that the driver of Databricks gives it. */
function toExpression(value: ParameterValue): Expression {
  if (value === null) return { literal: { null: { string: {} } } };
  if (typeof value === 'boolean') return { literal: { boolean: value } };
  if (typeof value === 'string') return { literal: { string: value } };
  if (!Number.isSafeInteger(value)) return { literal: { double: value } };
  return { literal: Math.abs(value) <= MAX_INTEGER ? { integer: value } : { long: value } };
}

const MAX_INTEGER = 2 ** 31 - 1;
