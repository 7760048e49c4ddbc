import { setTimeout } from 'node:timers/promises';
import { createClient as createSseClient, type Sink } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { describe, expect, onTestFinished, vi } from 'vitest';
import WebSocket, { type CloseEvent } from 'ws';
import { createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { startProxy } from '../support/cut-off.ts';
import { test as base } from '../support/on-server.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import type { TestDatabase } from '../support/test-database.ts';

/** A port on which nothing listens. */
const NOWHERE = 'http://127.0.0.1:9';

const test = base
  /** What is between the program and its database, which it can be cut off from. */
  .extend('outage', { scope: 'file' }, async ({ database }, { onCleanup }) => {
    let isAway = false;
    const proxy = await startProxy(() => (isAway ? NOWHERE : database.connectionString));
    onCleanup(proxy.close);
    return {
      port: new URL(proxy.url).port,
      begin() {
        isAway = true;
        proxy.cut();
      },
      end() {
        isAway = false;
      },
      /** Waits until the program has tried to connect again. */
      async noticed() {
        const { connections } = proxy;
        await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(connections), 20_000);
      },
    };
  })
  .extend('application', { scope: 'file' }, async ({ database, outage }, { onCleanup }) => {
    const application = await startTestApplication({}, {}, throughProxy(database, outage.port));
    onCleanup(application.close);
    return application;
  })
  /** A program on the same database that asks for a credential. */
  .extend('guarded', { scope: 'file' }, async ({ database, outage }, { onCleanup }) => {
    const settings = { ...SECRET_SETTINGS, BLADE_API_KEYS: 'true', BLADE_ROLES: 'api' };
    const { url, close } = await startTestApplication(settings, {}, throughProxy(database, outage.port));
    const admin = createApiClient(url, await bearer({ role: 'admin', clearance: 'TOP SECRET' }));
    onCleanup(async () => {
      await admin.close();
      await close();
    });
    return {
      url,
      admin,
      /** Creates a key that no request has used. */
      async createKey() {
        const input = '{ name: "follower", role: VIEWER, clearance: TOP_SECRET }';
        const mutation = `mutation { createApiKey(input: ${input}) { ... on CreateApiKeySuccess { key apiKey { id } } } }`;
        const created = (await admin.sendRaw(mutation)).data?.createApiKey;
        return created as { key: string; apiKey: { id: string } };
      },
    };
  });

/** The database as a program reaches it through a proxy. */
function throughProxy(database: TestDatabase, port: string): TestDatabase {
  const url = new URL(database.connectionString);
  url.hostname = '127.0.0.1';
  url.port = port;
  return { ...database, connectionString: url.href };
}

test.afterEach(({ outage }) => outage.end());

const SUBSCRIPTIONS: Readonly<Record<string, string>> = {
  jobEvents: 'subscription ($id: ID!) { jobEvents(id: $id) { event { message } } }',
  jobProgress:
    'subscription ($id: ID!) { jobProgress(id: $id) { state events(first: 1) { edges { cursor } } } }',
  jobChanges: 'subscription { jobChanges(filter: { states: [RUNNING] }) { mayHaveMissed } }',
  syncProgress: 'subscription { syncProgress { state } }',
};

async function countOpenSubscriptions({ url }: TestApplication): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  const counts = metrics.matchAll(/^blade_graphql_subscriptions\S* (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test('an operation while the database is away says so, with a code to try again by', async ({
  client,
  outage,
}) => {
  outage.begin();
  expect((await client.sendRaw('{ syncStatus { state } }')).errors).toMatchObject([
    {
      message: expect.stringMatching(/^The database does not answer now: try again in a moment/),
      extensions: { code: 'SERVICE_UNAVAILABLE', errorId: expect.any(String) },
    },
  ]);
  outage.end();
});

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('each subscription that is asked for while the database is away begins when it is back', async ({
    application,
    client,
    outage,
  }) => {
    const { id } = await client.startQueryJob({ dataType: 'sortie', sqlQuery: "select 'S-1' as item_id" });
    await client.waitForEnd(id);
    outage.begin();
    const asked = Object.entries(SUBSCRIPTIONS).map(([name, query]) => ({
      name,
      messages: subscribe<Record<string, unknown>>(application.url, transport, query, { id }),
    }));
    await outage.noticed();
    await outage.noticed();
    for (const { name, messages } of asked) expect([name, messages.received]).toEqual([name, []]);
    outage.end();
    for (const { name, messages } of asked) {
      const { value } = await messages.next();
      await messages.leave();
      expect(value).toEqual({ data: { [name]: expect.anything() } });
    }
  });

  test('one that its client gives up meanwhile does not stay open', async ({ application, outage }) => {
    const before = await countOpenSubscriptions(application);
    outage.begin();
    const given = [1, 2, 3].map(
      () => subscribe(application.url, transport, SUBSCRIPTIONS.syncProgress ?? '').leave,
    );
    await outage.noticed();
    for (const leave of given) await leave();
    const later = subscribe(application.url, transport, SUBSCRIPTIONS.syncProgress ?? '');
    await outage.noticed();
    outage.end();
    await later.next();
    await later.leave();
    await vi.waitFor(async () => expect(await countOpenSubscriptions(application)).toBe(before), 20_000);
  });
});

/** Clients with their own retries, and what each of them was refused with. */
const RETRYING = {
  'graphql-ws'(url: string, key: string, sink: Sink, refused: (code: number) => void) {
    const client = createWebSocketClient({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${key}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      retryWait: () => setTimeout(100),
      on: { closed: (event) => refused((event as CloseEvent).code) },
    });
    client.subscribe({ query: CHANGES }, sink);
    return async () => client.dispose();
  },
  'graphql-sse'(url: string, key: string, sink: Sink, refused: (code: number) => void) {
    const client = createSseClient({
      url,
      headers: { authorization: `Bearer ${key}` },
      retryAttempts: Number.POSITIVE_INFINITY,
      retry: () => setTimeout(100),
      async fetchFn(input: string, init: RequestInit) {
        const response = await fetch(input, init);
        if (!response.ok) refused(response.status);
        return response;
      },
    });
    client.subscribe({ query: CHANGES }, sink);
    return () => client.dispose();
  },
};

const CHANGES = 'subscription { jobChanges { mayHaveMissed job { id } } }';

/** Subscribes with a key. @returns what comes, and how it was refused. */
function follow(client: keyof typeof RETRYING, url: string, key: string) {
  const received: unknown[] = [];
  const failures: unknown[] = [];
  const refusals: number[] = [];
  const sink = {
    next: (message: unknown) => void received.push(message),
    error: (error: unknown) => void failures.push(error),
    complete() {},
  };
  const leave = RETRYING[client](url, key, sink, (code) => void refusals.push(code));
  // A client that was refused last fails with that again.
  onTestFinished(async () => {
    await Promise.resolve(leave()).catch(() => {});
  });
  return { received, failures, refusals };
}

describe.each([
  ['graphql-ws', 1013, 4403],
  ['graphql-sse', 503, 401],
] as const)('with API keys over %s', (client, tryAgain, wrongKey) => {
  test('a subscription that is asked for while the database is away is refused until it is back, and never as with a wrong key', async ({
    guarded,
    outage,
  }) => {
    const { key } = await guarded.createKey();
    outage.begin();
    const follower = follow(client, guarded.url, key);
    const stranger = follow(client, guarded.url, key.replace(/.{4}$/, '0000'));
    await outage.noticed();
    await vi.waitFor(() => {
      for (const { refusals } of [follower, stranger]) expect(refusals.length).toBeGreaterThan(2);
    }, 20_000);
    for (const { refusals, failures, received } of [follower, stranger])
      expect([new Set(refusals), failures, received]).toEqual([new Set([tryAgain]), [], []]);
    outage.end();
    await vi.waitFor(() => expect(follower.received).toHaveLength(1), 20_000);
    expect([follower.failures, new Set(follower.refusals)]).toEqual([[], new Set([tryAgain])]);
    await vi.waitFor(() => expect(stranger.refusals.at(-1)).toBe(wrongKey), 20_000);
    expect(stranger.received).toEqual([]);
  });

  test('a subscription that runs when the database goes away continues after it', async ({
    client: starter,
    guarded,
    outage,
  }) => {
    const { key } = await guarded.createKey();
    const follower = follow(client, guarded.url, key);
    await vi.waitFor(() => expect(follower.received).toHaveLength(1));
    outage.begin();
    await outage.noticed();
    await outage.noticed();
    outage.end();
    const { id } = await vi.waitFor(
      () => starter.startQueryJob({ dataType: 'sortie', sqlQuery: "select 'S-1' as item_id" }),
      20_000,
    );
    await vi.waitFor(() => expect(JSON.stringify(follower.received)).toContain(id), 20_000);
    expect([follower.failures, follower.refusals]).toEqual([[], []]);
  });

  test('a subscription whose key is revoked while the database is away ends when it is back', async ({
    database,
    guarded,
    outage,
  }) => {
    const { key, apiKey } = await guarded.createKey();
    const follower = follow(client, guarded.url, key);
    await vi.waitFor(() => expect(follower.received).toHaveLength(1));
    outage.begin();
    await outage.noticed();
    // As another process that still reaches the database does.
    await database.pool.query('update api_key set revoked_at = now() where id = $1', [
      apiKey.id.replace('ApiKey:', ''),
    ]);
    outage.end();
    await vi.waitFor(
      () => expect(JSON.stringify([follower.received, follower.refusals])).toMatch(/UNAUTHENTICATED|4403/),
      20_000,
    );
  });
});

test('a request while its API key cannot be checked says when to try again', async ({ guarded, outage }) => {
  const { key } = await guarded.createKey();
  outage.begin();
  const response = await fetch(guarded.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query: '{ syncStatus { state } }' }),
  });
  expect([
    response.status,
    response.headers.get('retry-after'),
    response.headers.get('www-authenticate'),
  ]).toEqual([503, '1', null]);
  expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
});
