import { describe, expect, vi } from 'vitest';
import { startProxy } from '../support/cut-off.ts';
import { test as base } from '../support/on-server.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

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
    const url = new URL(database.connectionString);
    url.hostname = '127.0.0.1';
    url.port = outage.port;
    const application = await startTestApplication({}, {}, { ...database, connectionString: url.href });
    onCleanup(application.close);
    return application;
  });

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
