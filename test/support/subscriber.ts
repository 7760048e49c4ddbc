import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { parse } from 'graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import { SubscriptionClient } from './older-clients.ts';

/** Everything that carries a subscription, each with the client of its protocol. */
export const TRANSPORTS = [
  'WebSocket',
  'the WebSocket of subscriptions-transport-ws',
  'server-sent events',
  'one connection of server-sent events',
  'multipart',
] as const;

export type Transport = (typeof TRANSPORTS)[number];

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
  const { unsubscribe, dispose } = connect(url, transport, { query, variables }, sink, authorization);

  const subscription: Subscription<Data> = {
    received,
    get isComplete() {
      return isComplete;
    },
    async leave() {
      unsubscribe();
      await dispose();
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

interface Sink {
  next(answer: unknown): void;
  error(error: unknown): void;
  complete(): void;
}

function connect(
  url: string,
  transport: Transport,
  request: { query: string; variables: Record<string, unknown> },
  sink: Sink,
  authorization: string | undefined,
): { unsubscribe: () => void; dispose: () => void | Promise<void> } {
  const credential: Record<string, string> = authorization === undefined ? {} : { authorization };
  if (transport === 'the WebSocket of subscriptions-transport-ws') {
    const client = new SubscriptionClient(
      url.replace(/^http/, 'ws'),
      {
        connectionParams: credential,
        // By default it gives up for good on a server that takes more than a second, as on a busy machine.
        minTimeout: 60_000,
        connectionCallback: (error) => {
          if (error !== undefined) sink.error(error);
        },
      },
      WebSocket,
    );
    const { unsubscribe } = client.request(request).subscribe(sink);
    return { unsubscribe, dispose: () => client.close() };
  }
  if (transport === 'multipart') {
    const link = new HttpLink({ uri: url, headers: credential });
    const client = new ApolloClient({ link, cache: new InMemoryCache() });
    const operation = { query: parse(request.query), variables: request.variables };
    const following = ApolloLink.execute(link, operation, { client }).subscribe(sink);
    return { unsubscribe: () => following.unsubscribe(), dispose: () => client.stop() };
  }
  const client =
    transport === 'WebSocket'
      ? createWebSocketClient({
          url: url.replace(/^http/, 'ws'),
          webSocketImpl: WebSocket,
          retryAttempts: 0,
          connectionParams: credential,
        })
      : createSseClient({
          url,
          retryAttempts: 0,
          headers: credential,
          singleConnection: transport === 'one connection of server-sent events',
        });
  return { unsubscribe: client.subscribe(request, sink), dispose: () => client.dispose() };
}
