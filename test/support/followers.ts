import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { EventSource } from 'undici';
import WebSocket from 'ws';
import { createContinueLink } from '../../docs/examples/apollo-continue.ts';
import { followEvents, JOB_EVENTS, type JobEventMessage } from '../../docs/examples/follow-events.ts';
import { createContinueForwarder } from '../../docs/examples/urql-continue.ts';
import { hasCurl } from './curl.ts';

type OnMessage = (message: JobEventMessage) => void;

/** Follows a job to its end with a package as its users do, with its own retry. */
type Follow = (url: string, id: string, onMessage: OnMessage) => Promise<void>;

/** Connects again until there is a server. */
const RETRY_WAIT_MS = 20;

const RETRY = {
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: () => setTimeout(RETRY_WAIT_MS),
  shouldRetry: () => true,
};

const createWebSockets = (url: string) =>
  createWebSocketClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, ...RETRY });

/** The packages that follow the log of a job. */
export const FOLLOWERS: Readonly<Record<string, Follow>> = {
  'graphql-ws': (url, id, onMessage) => followEvents(createWebSockets(url), id, onMessage),

  'graphql-sse': (url, id, onMessage) =>
    followEvents(
      createSseClient({ url, retryAttempts: RETRY.retryAttempts, retry: RETRY.retryWait }),
      id,
      onMessage,
    ),

  EventSource(url, id, onMessage) {
    const query = `subscription { jobEvents(id: "${id}") { cursor event { __typename time message } gap { message } } }`;
    const events = new EventSource(`${url}?query=${encodeURIComponent(query)}`);
    return new Promise((resolve, reject) => {
      events.addEventListener('error', () => {
        if (events.readyState === EventSource.CLOSED) reject(new Error('the EventSource gave up'));
      });
      events.addEventListener('next', (event) => {
        if ('data' in event) onMessage(JSON.parse(String(event.data)).data.jobEvents);
      });
      events.addEventListener('complete', () => {
        events.close();
        resolve();
      });
    });
  },

  'Apollo Client 4'(url, id, onMessage) {
    const client = new ApolloClient({
      link: createContinueLink().concat(new GraphQLWsLink(createWebSockets(url))),
      cache: new InMemoryCache(),
    });
    return new Promise((resolve, reject) => {
      client
        .subscribe<{ jobEvents: JobEventMessage }>({ query: gql(JOB_EVENTS), variables: { id, after: null } })
        .subscribe({
          next({ data, error }) {
            if (error !== undefined) reject(error);
            else if (data?.jobEvents !== undefined) onMessage(data.jobEvents);
          },
          error: reject,
          complete: resolve,
        });
    });
  },

  urql(url, id, onMessage) {
    const forwardSubscription = createContinueForwarder(createWebSockets(url));
    const client = new Client({ url, exchanges: [subscriptionExchange({ forwardSubscription })] });
    return new Promise((resolve, reject) => {
      client
        .subscription<{ jobEvents: JobEventMessage }>(JOB_EVENTS, { id, after: null })
        .subscribe(({ data, error, hasNext }) => {
          if (error !== undefined) reject(error);
          // At the end, urql gives the last result again.
          else if (!hasNext) resolve();
          else if (data?.jobEvents !== undefined) onMessage(data.jobEvents);
        });
    });
  },

  ...(hasCurl && {
    async curl(url: string, id: string, onMessage: OnMessage) {
      const child = spawn('bash', ['docs/examples/follow-events.sh', url, id], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      createInterface({ input: child.stdout }).on('line', (line) =>
        onMessage(JSON.parse(line).data.jobEvents),
      );
      await once(child, 'close');
    },
  }),
};
