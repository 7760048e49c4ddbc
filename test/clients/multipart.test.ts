import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import {
  ApolloClient as ApolloClient3,
  HttpLink as HttpLink3,
  InMemoryCache as InMemoryCache3,
} from 'apollo-client-3/core';
import { expect, onTestFinished } from 'vitest';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';

const WATCH = gql`
  subscription ($id: ID!) {
    jobProgress(id: $id) {
      id
      state
      revision
    }
  }
`;

test.beforeAll(async ({ application }) => {
  await addSorties(application, 500);
});

function connect4(uri: string) {
  const client = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache() });
  onTestFinished(() => client.stop());
  return client;
}

function connect3(uri: string) {
  const client = new ApolloClient3({ link: new HttpLink3({ uri }), cache: new InMemoryCache3() });
  onTestFinished(() => client.stop());
  return client;
}

interface Result {
  readonly data?: unknown;
  readonly error?: unknown;
}

interface Subscribable {
  subscribe(sink: { next(result: Result): void; error(error: unknown): void; complete(): void }): {
    unsubscribe(): void;
  };
}

function collect(subscribable: Subscribable): Promise<{ state: string; revision: number }[]> {
  const jobs: { state: string; revision: number }[] = [];
  return new Promise((resolve, reject) => {
    subscribable.subscribe({
      next({ data, error }) {
        if (error !== undefined) reject(new Error(String(error)));
        else jobs.push((data as { jobProgress: { state: string; revision: number } }).jobProgress);
      },
      error: reject,
      complete: () => resolve(jobs),
    });
  });
}

const CONNECTIONS = { 'Apollo Client 4': connect4, 'Apollo Client 3': connect3 };

test.for(Object.entries(CONNECTIONS))(
  'the HttpLink of %s watches a job until it ends, without another transport',
  async ([, connect], { application }) => {
    const { id } = await application.client.startSync({ syncType: 'FULL' });
    const client = connect(application.url);
    const jobs = await collect(
      client.subscribe({ query: WATCH as never, variables: { id } }) as unknown as Subscribable,
    );
    expect(jobs.at(-1)?.state).toBe('COMPLETED');
    const revisions = jobs.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  },
);

test('a subscription that is refused tells why', async ({ application }) => {
  const subscription = connect4(application.url).subscribe({ query: WATCH, variables: { id: 'nonsense' } });
  await expect(collect(subscription as unknown as Subscribable)).rejects.toThrow(/id/);
});

test('the answer has the form of the protocol, and reaches clients behind proxies at once', async ({
  application,
}) => {
  const controller = new AbortController();
  const answer = await fetch(application.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      // As Apollo Kotlin and Apollo iOS send it.
      accept: 'multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json, application/json',
    },
    body: JSON.stringify({ query: 'subscription { syncProgress { state } }' }),
    signal: controller.signal,
  });
  expect(answer.headers.get('content-type')).toBe('multipart/mixed;boundary="graphql";subscriptionSpec=1.0');
  expect(answer.headers.get('x-accel-buffering')).toBe('no');
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.includes('syncProgress') && text.endsWith('--graphql')) break;
  }
  expect(text).toMatch(
    /^\r\n--graphql\r\ncontent-type: application\/json\r\n\r\n\{"payload":\{"data":\{"syncProgress":.*\}\}\}\r\n--graphql$/,
  );
  controller.abort();
});

test('an idle subscription sends heartbeats', async () => {
  const application = await startTestApplication({ BLADE_ROLES: 'api', BLADE_KEEP_ALIVE_MS: '200' });
  onTestFinished(() => application.close());
  const answer = await fetch(application.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'multipart/mixed;subscriptionSpec=1.0' },
    body: JSON.stringify({ query: 'subscription { syncProgress { state } }' }),
  });
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += new TextDecoder().decode(chunk);
    if (text.split('\r\n{}\r\n').length > 2) break;
  }
  expect(text).toContain('{}');
});
