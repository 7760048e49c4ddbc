import { once } from 'node:events';
import { parse } from 'graphql';
import { describe, expect, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { insertJob, moveJob } from '../support/job-rows.ts';
import { SubscriptionClient, WebSocketLink } from '../support/older-clients.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';
import { startTestApplication } from '../support/test-application.ts';

const WATCH = 'subscription Watch($id: ID!) { jobProgress(id: $id) { id state revision } }';

test.beforeAll(async ({ application }) => {
  await addSorties(application, 500);
});

interface Result {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: object }[];
}

interface Observable {
  subscribe(sink: { next(result: Result): void; error(error: unknown): void; complete(): void }): unknown;
}

/** Every result until the end. */
function collect(observable: Observable): Promise<Result[]> {
  const results: Result[] = [];
  return new Promise((resolve, reject) => {
    observable.subscribe({
      next: (result) => results.push(result),
      error: reject,
      complete: () => resolve(results),
    });
  });
}

function connect(url: string, options = {}) {
  // By default it gives up for good on a server that takes more than a second, as on a busy machine.
  const patient = { minTimeout: 60_000, ...options };
  const client = new SubscriptionClient(url.replace(/^http/, 'ws'), patient, WebSocket);
  onTestFinished(() => client.close());
  return client;
}

/** A connection without a client, to send what no client sends. */
async function open(url: string) {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-ws');
  await once(socket, 'open');
  const messages: { type: string; id?: string; payload?: unknown }[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data))));
  return {
    messages,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    async waitForClose() {
      const [code, reason] = await once(socket, 'close');
      return { code, reason: String(reason) };
    },
  };
}

function expectStates(results: readonly Result[]) {
  const jobs = results.map(({ data }) => data?.jobProgress as { state: string; revision: number });
  expect(jobs.at(-1)?.state).toBe('COMPLETED');
  const revisions = jobs.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
}

test('subscriptions-transport-ws watches a job until it ends', async ({ application }) => {
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  expectStates(await collect(connect(application.url).request({ query: WATCH, variables: { id } })));
});

test('apollo-link-ws watches a job until it ends', async ({ application }) => {
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const link = new WebSocketLink(connect(application.url));
  const operation = { query: parse(WATCH), variables: { id }, operationName: 'Watch', extensions: {} };
  expectStates(await collect(link.request(operation as never) as Observable));
});

test('queries and mutations go over the same connection', async ({ application }) => {
  const client = connect(application.url);
  const [[query], [mutation]] = await Promise.all([
    collect(client.request({ query: '{ dataTypes { name } }', operationName: '' })),
    collect(client.request({ query: 'mutation { stopSync { __typename } }' })),
  ]);
  expect(query?.data).toMatchObject({ dataTypes: expect.any(Array) });
  expect(mutation?.data).toMatchObject({ stopSync: { __typename: expect.any(String) } });
});

test('an operation that is refused tells why, with its code and nothing of HTTP', async ({ application }) => {
  const client = connect(application.url);
  const deep = `{ jobs { edges { node { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } } }`;
  for (const [query, code] of [
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['{', 'GRAPHQL_PARSE_FAILED'],
    [deep, 'OPERATION_TOO_DEEP'],
    ['query ($id: ID!) { job(id: $id) { id } }', 'BAD_USER_INPUT'],
    ['query A { me { role } } query B { me { role } }', 'OPERATION_RESOLUTION_FAILURE'],
  ] as const) {
    const [result] = await collect(client.request({ query }));
    expect(result?.errors?.[0]?.extensions).toMatchObject({ code });
    expect(result?.errors?.[0]?.extensions).not.toHaveProperty('http');
  }
});

test('a subscription that is stopped sends nothing more', async ({ application }) => {
  const { database } = application;
  const id = await insertJob(database, { state: 'RUNNING' });
  const { send, messages } = await open(application.url);
  send({ type: 'connection_init' });
  const payload = { query: WATCH, variables: { id: `Job:${id}` } };
  const findData = (subscription: string) =>
    messages.filter((message) => message.type === 'data' && message.id === subscription);
  for (const subscription of ['1', '2']) send({ id: subscription, type: 'start', payload });
  await expect.poll(() => [findData('1').length, findData('2').length]).toEqual([1, 1]);
  send({ id: '1', type: 'stop' });
  // The answer to a later message shows that the server has read the earlier one.
  send({ id: '3', type: 'start', payload: { query: '{ me { role } }' } });
  await expect.poll(() => findData('3')).toHaveLength(1);
  await moveJob(database, id, 'COMPLETED');
  await expect.poll(() => messages.at(-1)).toEqual({ id: '2', type: 'complete' });
  expect(findData('1')).toHaveLength(1);
  send({ type: 'connection_terminate' });
});

const server = test.extend('secured', { scope: 'file' }, async ({}, { onCleanup }) => {
  const secured = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_MAX_CONNECTION_OPERATIONS: '2',
    BLADE_CONNECTION_INIT_TIMEOUT_MS: '300',
    BLADE_MAX_BODY_BYTES: '5000',
    ...SECRET_SETTINGS,
  });
  onCleanup(() => secured.close());
  return secured;
});

describe('with credentials', () => {
  server('a client without a valid one gets the reason, once, and no result', async ({ secured }) => {
    for (const connectionParams of [{}, { authorization: 'Bearer nonsense' }]) {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const client = connect(secured.url, { connectionParams, connectionCallback: resolve });
      const results: unknown[] = [];
      client
        .request({ query: '{ me { role } }' })
        .subscribe({ next: (result) => results.push(result), error: () => {} });
      expect(await promise).toMatchObject({ message: expect.stringMatching(/credential|token/) });
      expect(results).toEqual([]);
    }
  });

  server('a viewer reads and may not start anything', async ({ secured }) => {
    const client = connect(secured.url, { connectionParams: { authorization: await bearer() } });
    const [me] = await collect(client.request({ query: '{ me { role } }' }));
    expect(me?.data).toEqual({ me: { role: 'VIEWER' } });
    const [started] = await collect(
      client.request({ query: 'mutation { startSync(input: { syncType: FULL }) { __typename } }' }),
    );
    expect(started?.data).toEqual({ startSync: { __typename: 'ForbiddenError' } });
  });

  server('one connection runs so many operations', async ({ secured }) => {
    const { send, messages } = await open(secured.url);
    send({ type: 'connection_init', payload: { authorization: await bearer() } });
    for (const id of ['1', '2', '3'])
      send({ id, type: 'start', payload: { query: 'subscription { syncProgress { state } }' } });
    await expect
      .poll(() => messages.find(({ id }) => id === '3')?.payload)
      .toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_OPERATIONS' } }] });
    send({ type: 'connection_terminate' });
  });

  server('what is not in order closes the connection', async ({ secured }) => {
    const init = { type: 'connection_init', payload: { authorization: await bearer() } };
    const query = '{ me { role } }';
    const cases: [code: number, ...messages: unknown[]][] = [
      [4408],
      [4401, { id: '1', type: 'start', payload: { query } }],
      [4400, init, { id: '1', type: 'subscribe', payload: { query } }],
      [4400, init, { id: '1', type: 'start', payload: {} }],
      [4400, init, { id: 1, type: 'start', payload: { query } }],
      [4400, init, []],
      [4429, init, init],
      [1009, { ...init, text: 'x'.repeat(6_000) }],
    ];
    for (const [code, ...messages] of cases) {
      const connection = await open(secured.url);
      for (const message of messages) connection.send(message);
      expect(await connection.waitForClose()).toMatchObject({ code });
    }
  });
});
