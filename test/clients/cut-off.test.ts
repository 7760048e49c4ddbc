import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { EventSource } from 'undici';
import { expect, vi } from 'vitest';
import WebSocket from 'ws';
import { createContinueLink } from '../../docs/examples/apollo-continue.ts';
import { followEvents, JOB_EVENTS, type JobEventMessage } from '../../docs/examples/follow-events.ts';
import { startProxy } from '../support/cut-off.ts';
import { readLog } from '../support/job-events.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';
import type { TestDatabase } from '../support/test-database.ts';

type OnMessage = (message: JobEventMessage) => void;

/** Follows a job to its end with a package as its users do, with its own retry. */
type Follow = (url: string, id: string, onMessage: OnMessage) => Promise<void>;

const RETRY = { retryAttempts: 1_000, retryWait: async () => {}, shouldRetry: () => true };

const createWebSockets = (url: string) =>
  createWebSocketClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket, ...RETRY });

const FOLLOWERS: Readonly<Record<string, Follow>> = {
  'graphql-ws': (url, id, onMessage) => followEvents(createWebSockets(url), id, onMessage),

  'graphql-sse': (url, id, onMessage) =>
    followEvents(createSseClient({ url, retryAttempts: 1_000, retry: async () => {} }), id, onMessage),

  EventSource(url, id, onMessage) {
    const query = `subscription { jobEvents(id: "${id}") { cursor event { __typename time message } gap { message } } }`;
    const events = new EventSource(`${url}?query=${encodeURIComponent(query)}`);
    return new Promise((resolve) => {
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
};

/** Adds events to the log of a job that runs. @returns whether it does. */
async function addEvents({ pool }: Pick<TestDatabase, 'pool'>, id: string, round: number): Promise<boolean> {
  const { rows } = await pool.query(
    `with running as (select id from job where id = $1 and state = 'RUNNING' for update)
     select blade_add_job_event(id, 'WAITING', reason => 'Waiting for round ' || $2) from running, generate_series(1, 3)`,
    [id.replace('Job:', ''), String(round)],
  );
  return rows.length > 0;
}

test.for(Object.entries(FOLLOWERS))(
  '%s that is cut off again and again in the middle of a sync receives its log, in order, each event once',
  async ([, follow], { application }) => {
    const { client, database } = application;
    await database.pool.query('truncate blade_item; delete from data_source');
    await addSorties(application, 20_000);
    const proxy = await startProxy(application.url);
    try {
      const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
      const received: JobEventMessage[] = [];
      const followed = follow(proxy.url, id, (message) => received.push(message));
      await vi.waitFor(
        () => expect(received.some(({ event }) => event?.__typename === 'JobStartedEvent')).toBe(true),
        20_000,
      );
      proxy.cut();
      let rounds = 0;
      while (rounds < 5 && (await addEvents(database, id, rounds + 1))) {
        rounds += 1;
        const message = `Waiting for round ${rounds}`;
        await vi.waitFor(
          () => expect(received.filter(({ event }) => event?.message === message)).toHaveLength(3),
          20_000,
        );
        proxy.cut();
      }
      expect(rounds).toBeGreaterThan(0);
      await client.waitForEnd(id);
      await followed;
      const log = await readLog(client, id);
      expect(received.map(({ cursor }) => cursor)).toEqual(log.map(({ cursor }) => cursor));
      expect(received.map(({ event }) => event?.message)).toEqual(log.map(({ message }) => message));
    } finally {
      proxy.close();
    }
  },
);
