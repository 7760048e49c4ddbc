import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab } from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import { waitForState } from './job-state.ts';

/** A thousand rows in so many batches that the job is still running when its page opens. */
const SLOW_QUERY = {
  dataType: 'deployment',
  sqlQuery: 'SELECT * FROM blade.field.deployment',
  options: { batchSize: 10 },
} as const;

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let application: TestApplication;
  let browser: Browser;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_DEMO_DATA: 'true' });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
  });

  test('a job and its partitions end on its page together, whichever feed is the first to say so', async () => {
    const { page, errors } = await openTab(browser, application.url);
    const feeds = await holdLastEvent(page);
    const { id } = await application.client.startQueryJob(SLOW_QUERY);
    await page.goto(`/jobs/${id.split(':')[1]}`);
    await waitForState(page, 'Running');
    await readPartitions(page).getByText('Running', { exact: true }).waitFor();

    await feeds.othersHaveEnd;
    await waitForFrames(page);
    await waitForState(page, 'Running');
    feeds.release();
    await waitForState(page, 'Completed with errors');
    await readPartitions(page).getByText('Completed', { exact: true }).waitFor();
    expect(await readPartitions(page).getByText('Running', { exact: true }).count()).toBe(0);
    await page.context().close();
    expect(errors).toEqual([]);
  });

  test('a job that was left while it ran is not shown with the partitions of back then', async () => {
    const { page, errors } = await openTab(browser, application.url);
    const { id } = await application.client.startQueryJob(SLOW_QUERY);
    await page.goto('/');
    const row = page.getByRole('row', { name: /Query of deployment/ }).first();
    await row.getByRole('link').first().click();
    await waitForState(page, 'Running');
    await readPartitions(page).getByText('Running', { exact: true }).waitFor();
    await page.goBack();
    await application.client.waitForEnd(id);
    await row.getByText('Completed').waitFor();

    const held: Route[] = [];
    await page.route('**/graphql', (route) =>
      route.request().postData()?.includes('JobById') ? void held.push(route) : route.continue(),
    );
    await row.getByRole('link').first().click();
    await page.getByText('Loading the job').waitFor();
    for (const route of held) await route.continue();
    await waitForState(page, 'Completed with errors');
    await readPartitions(page).getByText('Completed', { exact: true }).waitFor();
    expect(await readPartitions(page).getByText('Running', { exact: true }).count()).toBe(0);
    await page.context().close();
    expect(errors).toEqual([]);
  });

  test('the page of a data source shows a sync as soon as it ends', async () => {
    const { page, errors } = await openTab(browser, application.url);
    await page.goto('/sources');
    await page.getByRole('link', { name: 'Unit deployments' }).click();
    const facts = page.getByRole('region', { name: 'Syncs' });
    await facts.getByText('never').waitFor();
    await application.client.startSync({ syncType: 'FULL', dataType: 'deployment' });
    await facts.getByText('Completed').waitFor();
    await facts.getByRole('link', { name: 'Browse items' }).waitFor();
    await page.context().close();
    expect(errors).toEqual([]);
  });
});

function readPartitions(page: Page) {
  return page.getByRole('table', { name: 'Partitions' });
}

/** Waits until the page has drawn everything that it was sent before. */
async function waitForFrames(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
}

/**
 * Holds the end of a job back on the feed of that job, until it is released. On all other feeds it arrives.
 * @returns `othersHaveEnd` resolves once another feed has said that a job has ended.
 */
async function holdLastEvent(page: Page) {
  const others = Promise.withResolvers<void>();
  const held: (() => void)[] = [];
  let isHolding = true;
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const ownFeeds = new Set<unknown>();
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const { type, id, payload } = JSON.parse(String(message));
      if (type === 'subscribe' && payload.operationName === 'JobProgress') ownFeeds.add(id);
      server.send(message);
    });
    server.onMessage((message) => {
      const { type, id, payload } = JSON.parse(String(message));
      const isEnd = type === 'complete' || payload?.data?.jobProgress?.state === 'COMPLETED';
      if (isHolding && ownFeeds.has(id) && isEnd) held.push(() => socket.send(message));
      else socket.send(message);
      if (payload?.data?.jobChanges?.job?.state === 'COMPLETED') others.resolve();
    });
  });
  return {
    othersHaveEnd: others.promise,
    release() {
      isHolding = false;
      for (const send of held) send();
    },
  };
}
