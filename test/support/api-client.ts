import { createClient as createSseClient, type Client as SseClient } from 'graphql-sse';
import { createClient as createWebSocketClient, type Client as WebSocketClient } from 'graphql-ws';
import { expect } from 'vitest';
import WebSocket from 'ws';
import type { CompleteData } from '../../src/command-line/complete-data.ts';
import type {
  JobFactsFragment,
  StartQueryJobInput,
  StartSyncInput,
  TypedDocumentString,
} from '../generated/graphql.ts';
import { CancelJob, JobProgress, StartQueryJob, StartSync } from './operations.ts';

/** A client of the API over HTTP, WebSocket and server-sent events. */
export interface ApiClient {
  /** Sends an operation over HTTP; errors in the answer fail the test. */
  send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<CompleteData<Result>>;
  /** Sends any text over HTTP and returns the raw answer, errors included. */
  sendRaw(query: string, variables?: Record<string, unknown>): Promise<RawAnswer>;
  /** Subscribes over WebSocket. */
  watch<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncIterableIterator<Result>;
  /** Subscribes over server-sent events. */
  watchEvents<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncIterableIterator<Result>;
  /** Starts a sync, which must succeed. */
  startSync(input: StartSyncInput): Promise<JobFactsFragment>;
  /** Starts a query job, which must succeed. */
  startQueryJob(input: StartQueryJobInput): Promise<JobFactsFragment>;
  cancelJob(id: string): Promise<JobFactsFragment>;
  /** Watches a job over WebSocket until it ends, and returns its last state. */
  waitForEnd(id: string): Promise<JobFactsFragment>;
  close(): Promise<void>;
}

export interface RawAnswer {
  readonly status: number;
  readonly data?: Record<string, unknown> | null;
  readonly extensions?: Readonly<Record<string, unknown>>;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/**
 * @param authorization the value of the header; none when left out.
 * @param headers to add to each request over HTTP.
 */
export function createApiClient(
  url: string,
  authorization?: string,
  headers: Readonly<Record<string, string>> = {},
): ApiClient {
  const credential: Record<string, string> = authorization === undefined ? {} : { authorization };
  const webSockets: WebSocketClient = createWebSocketClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: credential,
  });
  const events: SseClient = createSseClient({ url, retryAttempts: 0, headers: credential });

  async function sendRaw(query: string, variables: object = {}): Promise<RawAnswer> {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        ...credential,
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, ...((await response.json()) as Omit<RawAnswer, 'status'>) };
  }

  async function send<Result, Variables>(
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): Promise<CompleteData<Result>> {
    const answer = await sendRaw(operation.toString(), variables ?? {});
    expect(answer.errors).toBeUndefined();
    return answer.data as CompleteData<Result>;
  }

  async function* iterate<Result, Variables>(
    client: WebSocketClient | SseClient,
    operation: TypedDocumentString<Result, Variables>,
    variables: Variables,
  ): AsyncGenerator<Result> {
    const payload = { query: operation.toString(), variables: variables as Record<string, unknown> };
    for await (const { data, errors } of client.iterate<Result>(payload)) {
      if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join('; '));
      yield data as Result;
    }
  }

  return {
    send,
    sendRaw,
    watch: (operation, variables) => iterate(webSockets, operation, variables),
    watchEvents: (operation, variables) => iterate(events, operation, variables),

    async startSync(input) {
      const { startSync } = await send(StartSync, { input });
      if (startSync.__typename !== 'StartSyncSuccess') throw new Error(JSON.stringify(startSync));
      return startSync.job;
    },

    async startQueryJob(input) {
      const { startQueryJob } = await send(StartQueryJob, { input });
      if (startQueryJob.__typename !== 'StartQueryJobSuccess') throw new Error(JSON.stringify(startQueryJob));
      return startQueryJob.job;
    },

    async cancelJob(id) {
      const { cancelJob } = await send(CancelJob, { input: { id } });
      if (cancelJob.__typename !== 'CancelJobSuccess') throw new Error(JSON.stringify(cancelJob));
      return cancelJob.job;
    },

    async waitForEnd(id) {
      let last: JobFactsFragment | undefined;
      for await (const { jobProgress } of iterate(webSockets, JobProgress, { id })) last = jobProgress;
      if (last === undefined) throw new Error(`job ${id} was never seen`);
      return last;
    },

    async close() {
      await webSockets.dispose();
      events.dispose();
    },
  };
}
