import { readFile } from 'node:fs/promises';
import * as apollo4 from '@apollo/client';
import { GraphQLWsLink as Apollo4WsLink } from '@apollo/client/link/subscriptions';
import * as urql from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import * as apollo3 from 'apollo-client-3/core';
import { GraphQLWsLink as Apollo3WsLink } from 'apollo-client-3/link/subscriptions';
import { getOperationAST, parse, print } from 'graphql';
import { createClient, type Sink } from 'graphql-ws';
import * as relay from 'relay-runtime';
import { expect, onTestFinished, vi } from 'vitest';
import WebSocket from 'ws';
import { createBladeClient } from '../../docs/examples/apollo-client.ts';
import { possibleTypes } from '../../src/dashboard/generated/possible-types.ts';
import { test } from '../support/on-server.ts';
import { addSource, writeRows } from '../support/tables.ts';
import compiledHistory from './relay/History.graphql.ts';
import compiledWatchSync from './relay/WatchSync.graphql.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const documents = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation = '']) =>
  parse(operation),
);

function findOperation(name: string) {
  const document = documents.find((one) => getOperationAST(one)?.name?.value === name);
  if (document === undefined) throw new Error(`the README has no operation ${name}`);
  return document;
}

test.beforeAll(async ({ application }) => {
  await addSource(application);
});

interface History {
  readonly jobs: {
    readonly edges: readonly { readonly node: ListedJob }[];
  };
}

interface ListedJob {
  readonly id: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly finishedAt: string | null;
  readonly progress: { readonly processedItems: number };
}

interface Watched {
  readonly syncProgress: { readonly job: Pick<ListedJob, 'id' | 'state'> | null };
}

const nodeFetch = fetch;

/** A client with its defaults, and how often it asks over HTTP. */
function createCounted(url: string) {
  const counted = {
    requests: 0,
    fetch: (...args: Parameters<typeof fetch>) => {
      counted.requests += 1;
      return fetch(...args);
    },
  };
  const webSocket = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket });
  onTestFinished(() => webSocket.dispose());
  return { counted, webSocket };
}

type Show = (list: History | undefined) => void;

/** Each shows the list, keeps its subscription open, and returns how often it has asked. */
const CLIENTS = {
  'Apollo Client 4'(url: string, show: Show) {
    const { counted, webSocket } = createCounted(url);
    const client = new apollo4.ApolloClient({
      cache: new apollo4.InMemoryCache({ possibleTypes }),
      link: apollo4.ApolloLink.split(
        ({ operationType }) => operationType === 'subscription',
        new Apollo4WsLink(webSocket),
        new apollo4.HttpLink({ uri: url, fetch: counted.fetch }),
      ),
    });
    onTestFinished(() => client.stop());
    const list = client.watchQuery<History>({ query: findOperation('History') });
    list.subscribe(({ data }) => show(data as History | undefined));
    client.subscribe({ query: findOperation('WatchSync') }).subscribe({});
    return counted;
  },
  'Apollo Client 3'(url: string, show: Show) {
    const { counted, webSocket } = createCounted(url);
    const client = new apollo3.ApolloClient({
      cache: new apollo3.InMemoryCache({ possibleTypes }),
      link: apollo3.ApolloLink.split(
        ({ query }) => getOperationAST(query)?.operation === 'subscription',
        new Apollo3WsLink(webSocket),
        new apollo3.HttpLink({ uri: url, fetch: counted.fetch }),
      ),
    });
    onTestFinished(() => client.stop());
    const list = client.watchQuery<History>({ query: findOperation('History') });
    list.subscribe(({ data }) => show(data));
    client.subscribe({ query: findOperation('WatchSync') }).subscribe({});
    return counted;
  },
  'urql with its graphcache'(url: string, show: Show) {
    const { counted, webSocket } = createCounted(url);
    const client = new urql.Client({
      url,
      fetch: counted.fetch,
      exchanges: [
        cacheExchange(),
        urql.fetchExchange,
        urql.subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: webSocket.subscribe({ query, variables: { ...variables } }, sink as Sink),
            }),
          }),
        }),
      ],
    });
    const list = client.query<History>(findOperation('History'), {}).subscribe(({ data }) => show(data));
    const watched = client.subscription(findOperation('WatchSync'), {}).subscribe(() => {});
    onTestFinished(() => {
      list.unsubscribe();
      watched.unsubscribe();
    });
    return counted;
  },
  Relay(url: string, show: Show) {
    const { counted, webSocket } = createCounted(url);
    const environment = new relay.Environment({
      store: new relay.Store(new relay.RecordSource()),
      network: relay.Network.create(
        async ({ text: query }, variables) => {
          const response = await counted.fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query, variables }),
          });
          return (await response.json()) as relay.GraphQLResponse;
        },
        ({ text }, variables) =>
          relay.Observable.create((sink) =>
            webSocket.subscribe({ query: text ?? '', variables }, sink as Sink<unknown> as Sink),
          ),
      ),
    });
    const operation = relay.createOperationDescriptor(compiledHistory, {});
    const kept = environment.retain(operation);
    const list = environment.subscribe(environment.lookup(operation.fragment), ({ data, isMissingData }) =>
      show(isMissingData ? undefined : (data as unknown as History)),
    );
    environment.execute({ operation }).subscribe({});
    const watched = relay.requestSubscription(environment, {
      subscription: compiledWatchSync,
      variables: {},
    });
    onTestFinished(() => {
      for (const one of [kept, list, watched]) one.dispose();
    });
    return counted;
  },
};

test.for(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
  'the list of the README asks once in %s, and its subscription keeps it current to the end of a sync',
  async (name, { application }) => {
    const complaints = (['warn', 'error'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => {}),
    );
    onTestFinished(() => complaints.forEach((complaint) => void complaint.mockRestore()));
    const rows = Array.from({ length: 2_000 }, (_, index) => ({ item_id: `${name} ${index}` }));
    await writeRows(application.warehouseFolder, 'sortie', rows);
    const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
    const shown: ListedJob[] = [];
    const counted = CLIENTS[name](application.url, (list) => {
      const job = list?.jobs.edges.find(({ node }) => node.id === id);
      if (job !== undefined) shown.push(job.node);
    });
    await vi.waitFor(
      () =>
        expect(shown.at(-1)).toMatchObject({
          state: 'COMPLETED',
          outcome: 'SUCCEEDED',
          finishedAt: expect.any(String),
          progress: { processedItems: 2_000 },
        }),
      { timeout: 60_000 },
    );
    await application.client.waitForEnd(id);
    const counts = shown.map(({ progress }) => progress.processedItems);
    expect(counts.length).toBeGreaterThan(2);
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(counted.requests).toBe(1);
    for (const complaint of complaints) expect(complaint).not.toHaveBeenCalled();
  },
);

test('an answer that comes after newer events is asked for again by the example of Apollo Client', async ({
  application,
}) => {
  const seenEnd = Promise.withResolvers<void>();
  let requests = 0;
  vi.stubGlobal('fetch', async (...args: Parameters<typeof nodeFetch>) => {
    const response = await nodeFetch(...args);
    if (!String(args[1]?.body).includes('query History')) return response;
    requests += 1;
    if (requests === 1) await seenEnd.promise;
    return response;
  });
  onTestFinished(() => void vi.unstubAllGlobals());
  const client = createBladeClient(application.url, possibleTypes);
  onTestFinished(() => client.stop());
  const rows = Array.from({ length: 2_000 }, (_, index) => ({ item_id: `late ${index}` }));
  await writeRows(application.warehouseFolder, 'sortie', rows);
  const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
  const watched = client.subscribe<Watched>({ query: findOperation('WatchSync') }).subscribe(({ data }) => {
    const job = data?.syncProgress.job;
    if (job?.id === id && job.state === 'COMPLETED') seenEnd.resolve();
  });
  onTestFinished(() => watched.unsubscribe());
  const { data } = await client.query<History>({ query: findOperation('History') });
  expect(data?.jobs.edges.find(({ node }) => node.id === id)?.node).toMatchObject({
    state: 'COMPLETED',
    progress: { processedItems: 2_000 },
  });
  expect(requests).toBe(2);
});

test.for([
  ['History', compiledHistory],
  ['WatchSync', compiledWatchSync],
] as const)('what Relay runs is the operation %s of the README', ([name, { params }]) => {
  // Otherwise: node test/clients/relay/compile.ts
  expect(print(parse(params.text ?? ''))).toBe(print(findOperation(name)));
});
