import type { Browser, Page, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab } from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

/** A thousand rows in so many batches that the job is still running when the page is cut off. */
const SLOW_SYNC = { syncType: 'FULL', dataType: 'deployment', options: { batchSize: 4 } } as const;

const QUERY = { dataType: 'sortie', sqlQuery: "select 'S-1' as item_id" } as const;

describe.skipIf(findChromium() === null)(inChromium, { timeout: 300_000 }, () => {
  let application: TestApplication;
  let browser: Browser;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_DEMO_DATA: 'true', BLADE_WORKER_THREADS: '1' });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
  });

  test('a list that is cut off while jobs start and end shows all of it when it is back, and loads only what it has to', async () => {
    const { client } = application;
    const { page, errors } = await openTab(browser, application.url);
    const link = await holdLink(page);
    const { id } = await client.startSync(SLOW_SYNC);
    await page.goto('/');
    const sync = page.getByRole('row', { name: /Full sync of deployment/ });
    await sync.getByText('Running', { exact: true }).waitFor();
    await link.hasCursor;

    await link.cut();
    await page.getByText('Connection lost.').waitFor();
    await client.waitForEnd(id);
    const before = link.listed();
    link.restore();
    await sync.getByText('Completed with errors').waitFor();
    await page.getByText('Reconnected, nothing missed.').waitFor();
    // The feed brought the end of the job.
    expect(link.listed()).toBe(before);

    await link.cut();
    await page.getByText('Connection lost.').waitFor();
    for (const _ of [1, 2, 3]) await client.waitForEnd((await client.startQueryJob(QUERY)).id);
    link.restore();
    const queries = page.getByRole('row', { name: /Query of sortie/ });
    await queries.nth(2).getByText('Completed', { exact: true }).waitFor();
    await page.getByText('Reconnected, nothing missed.').waitFor();
    await page.getByText('4 jobs').waitFor();
    // Once for all the rows that are new.
    expect(link.listed()).toBe(before + 1);
    await page.context().close();
    expect(errors.filter((error) => !error.includes('WebSocket'))).toEqual([]);
  });

  test('a list that cannot continue where it was says so, and is loaded again', async () => {
    const { client } = application;
    const { page } = await openTab(browser, application.url);
    const link = await holdLink(page);
    await page.goto('/');
    await page.getByText('Live', { exact: true }).waitFor();
    await link.hasCursor;
    await link.cut();
    await page.getByText('Connection lost.').waitFor();
    const { id } = await client.startQueryJob({ ...QUERY, dataType: 'logistics' });
    await client.waitForEnd(id);
    const before = link.listed();
    link.forgetCursor();
    link.restore();
    await page.getByText(/^Reconnected\. The server does not know where this list was/).waitFor();
    await page
      .getByRole('row', { name: /Query of logistics/ })
      .getByText('Completed', { exact: true })
      .waitFor();
    expect(link.listed()).toBeGreaterThan(before);
    await page.context().close();
  });
});

/** Counts the requests for the list of jobs, and holds the connection of the page, which it can cut. */
async function holdLink(page: Page) {
  let isAway = false;
  let listed = 0;
  let forgets = false;
  const cursor = Promise.withResolvers<void>();
  const sockets = new Set<WebSocketRoute>();
  page.on('request', (request) => {
    if (/"operationName":"Jobs"/.test(request.postData() ?? '')) listed += 1;
  });
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    sockets.add(socket);
    if (isAway) {
      void socket.close();
      return;
    }
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const sent = JSON.parse(String(message));
      if (forgets && sent.payload?.variables?.after !== undefined) sent.payload.variables.after = 'forgotten';
      server.send(JSON.stringify(sent));
    });
    server.onMessage((message) => {
      socket.send(message);
      if (String(message).includes('"cursor"')) cursor.resolve();
    });
  });
  return {
    /** Resolves when the page has a cursor to continue after. */
    hasCursor: cursor.promise,
    listed: () => listed,
    async cut() {
      isAway = true;
      for (const socket of sockets) await socket.close();
      sockets.clear();
    },
    restore() {
      isAway = false;
    },
    forgetCursor() {
      forgets = true;
    },
  };
}
