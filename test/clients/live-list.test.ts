import { readFile } from 'node:fs/promises';
import * as apollo4 from '@apollo/client';
import { GraphQLWsLink as Apollo4WsLink } from '@apollo/client/link/subscriptions';
import * as apollo3 from 'apollo-client-3/core';
import { GraphQLWsLink as Apollo3WsLink } from 'apollo-client-3/link/subscriptions';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { expect, onTestFinished, vi } from 'vitest';
import WebSocket from 'ws';
import { possibleTypes } from '../../src/dashboard/generated/possible-types.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';

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
  await addSorties(application, 2_000);
});

interface History {
  readonly jobs: {
    readonly edges: readonly {
      readonly node: { readonly id: string; readonly progress: { readonly processedItems: number } };
    }[];
  };
}

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
};

test.for(Object.keys(CLIENTS) as (keyof typeof CLIENTS)[])(
  'the list of the README asks once in %s, and is kept current by its subscription',
  async (name, { application }) => {
    const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => warnings.mockRestore());
    const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
    const counts: number[] = [];
    const counted = CLIENTS[name](application.url, (list) => {
      const job = list?.jobs.edges.find(({ node }) => node.id === id);
      if (job !== undefined) counts.push(job.node.progress.processedItems);
    });
    await vi.waitFor(() => expect(counts.at(-1)).toBe(2_000), { timeout: 60_000 });
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(counted.requests).toBe(1);
    expect(warnings).not.toHaveBeenCalled();
    await application.client.waitForEnd(id);
  },
);
