import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab } from '../support/browser.ts';
import type { Site } from '../support/built-page.ts';
import { PLAYGROUND_FOLDER, serveAltair, servePlayground } from '../support/ide-sites.ts';
import { test } from '../support/in-chromium.ts';
import { insertJob } from '../support/job-rows.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const WATCH = 'subscription { syncProgress { state } }';

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser?.close());

  /** Subscribes on the page of an IDE with its defaults, and watches the state of the sync change. */
  async function watchIn(
    serve: (url: string, query: string) => Promise<Site>,
    run: (page: Page) => Promise<void>,
  ): Promise<void> {
    // The server must know the site, and the site the server.
    const first = await startTestApplication({ BLADE_ROLES: 'api' });
    const { port } = new URL(first.url);
    const site = await serve(first.url, WATCH);
    await first.stop();
    const settings = { BLADE_ROLES: 'api', PORT: port, BLADE_ALLOWED_ORIGINS: site.origin };
    const application: TestApplication = await startTestApplication(settings, {}, first.database);
    onTestFinished(async () => {
      await application.close();
      await first.close();
      site.close();
    });
    const { page } = await openTab(browser, site.origin);
    onTestFinished(() => page.context().close());
    const protocols: string[] = [];
    page.on('websocket', (socket) => protocols.push(socket.url()));
    await page.goto('/');
    await run(page);
    await page.getByText('NO_SYNC_JOB').first().waitFor();
    await insertJob(application.database, { kind: 'SYNC', state: 'RUNNING' });
    await page.getByText('RUNNING').first().waitFor();
    expect(protocols.filter((url) => url.includes(port))).not.toEqual([]);
  }

  test.skipIf(!existsSync(PLAYGROUND_FOLDER))(
    'GraphQL Playground subscribes over its WebSocket',
    async () => {
      await watchIn(servePlayground, async (page) => {
        await page.locator('[title^="Execute"]').first().click();
      });
    },
  );

  test('Altair subscribes over its default provider', async () => {
    await watchIn(serveAltair, async (page) => {
      await page
        .getByRole('button', { name: /send request/i })
        .first()
        .click();
    });
  });
});
