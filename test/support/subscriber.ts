import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import WebSocket from 'ws';

export type Transport = 'WebSocket' | 'server-sent events';

export interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** A subscription over its own connection; yields each answer, errors included. */
export interface Subscription<Data> extends AsyncIterableIterator<Answer<Data>> {
  /** All answers so far, read or not. */
  readonly received: readonly Answer<Data>[];
  /** Whether the server has completed it. */
  readonly isComplete: boolean;
  /** Unsubscribes, and closes the connection. */
  leave(): Promise<void>;
}

/** Subscribes with the client of the protocol. @param authorization the value of the header. */
export function subscribe<Data>(
  url: string,
  transport: Transport,
  query: string,
  variables: Record<string, unknown> = {},
  authorization?: string,
): Subscription<Data> {
  const received: Answer<Data>[] = [];
  let read = 0;
  let isComplete = false;
  let failure: unknown;
  let wake = Promise.withResolvers<void>();
  const woken = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const sink = {
    next(answer: unknown) {
      received.push(answer as Answer<Data>);
      woken();
    },
    error(error: unknown) {
      failure = error;
      woken();
    },
    complete() {
      isComplete = true;
      woken();
    },
  };
  const client =
    transport === 'WebSocket'
      ? createWebSocketClient({
          url: url.replace(/^http/, 'ws'),
          webSocketImpl: WebSocket,
          retryAttempts: 0,
          ...(authorization === undefined ? {} : { connectionParams: { authorization } }),
        })
      : createSseClient({
          url,
          retryAttempts: 0,
          ...(authorization === undefined ? {} : { headers: { authorization } }),
        });
  const unsubscribe = client.subscribe({ query, variables }, sink);

  const subscription: Subscription<Data> = {
    received,
    get isComplete() {
      return isComplete;
    },
    async leave() {
      unsubscribe();
      await client.dispose();
    },
    async next() {
      for (;;) {
        const answer = received[read];
        if (answer !== undefined) {
          read++;
          return { done: false, value: answer };
        }
        if (failure !== undefined) throw failure;
        if (isComplete) return { done: true, value: undefined };
        await wake.promise;
      }
    },
    async return() {
      await subscription.leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => subscription,
  };
  return subscription;
}
