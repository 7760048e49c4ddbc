import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  inChromium,
  launchChromium,
  openTab,
} from '../support/browser.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/in-chromium.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import { waitForState } from './job-state.ts';

const PHONE = { width: 390, height: 844 };

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let application: TestApplication;
  let browser: Browser;
  /** Each page of the dashboard by its address, and a text it shows once loaded. */
  let pages: Record<string, { path: string; ready: string }>;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_DEMO_DATA: 'true' });
    browser = await launchChromium();
    const { id } = await application.client.startSync({ syncType: 'FULL' });
    await application.client.waitForEnd(id);
    const { rows } = await application.database.pool.query<{ id: string }>(
      'select id from data_source limit 1',
    );
    pages = {
      jobs: { path: '/', ready: '1 of 1 job' },
      'jobs that match no filter': { path: '/?state=failed', ready: 'No jobs match these filters' },
      'a job': { path: `/jobs/${id.split(':')[1]}`, ready: 'Load more' },
      'starting a sync': { path: '/start/sync', ready: 'Sync type' },
      'starting a query job': { path: '/start/query', ready: 'blade.field.sortie' },
      'data sources': { path: '/sources', ready: 'Flown sorties' },
      'adding a data source': { path: '/sources/new', ready: 'Cursor column' },
      'a data source': { path: `/sources/${rows[0]?.id}`, ready: 'Scheduled runs' },
      items: { path: '/items', ready: 'Load more' },
      'an item': { path: '/items/deployment/DPL-000001', ready: 'Metadata' },
      'no such job': { path: '/jobs/00000000-0000-7000-8000-000000000000', ready: 'Job not found' },
    };
  }, 240_000);

  afterAll(async () => {
    await browser.close();
    await application.close();
  });

  /** Visits each page and runs once it is loaded. */
  async function visitPages(
    options: BrowserContextOptions,
    check: (page: Page, name: string) => Promise<void>,
  ) {
    const { page, errors } = await openTab(browser, application.url, options);
    for (const [name, { path, ready }] of Object.entries(pages)) {
      await page.goto(path);
      await page.getByText(ready).first().waitFor();
      await check(page, name);
    }
    await page.context().close();
    expect(errors).toEqual([]);
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`every page is accessible in ${colorScheme} colors`, async () => {
      const problems: Record<string, string[]> = {};
      await visitPages({ colorScheme }, async (page, name) => {
        const scheme = await page.evaluate('document.documentElement.dataset.mantineColorScheme');
        expect(scheme).toBe(colorScheme);
        for (const fold of await page.locator('summary').all()) await fold.click();
        const found = await accessibilityProblems(page);
        if (found.length > 0) problems[name] = found;
      });
      expect(problems).toEqual({});
    });
  }

  test('no page scrolls sideways on a phone', async () => {
    const wide: Record<string, unknown> = {};
    await visitPages({ viewport: PHONE }, async (page, name) => {
      const width = await page.evaluate('document.documentElement.scrollWidth');
      if (width !== PHONE.width) wide[name] = width;
    });
    expect(wide).toEqual({});
  });

  test('the theme is kept after a reload', async () => {
    const { page } = await openTab(browser, application.url, { colorScheme: 'light' });
    await page.goto('/');
    const scheme = () => page.evaluate('document.documentElement.dataset.mantineColorScheme');
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
    expect(await scheme()).toBe('dark');
    await page.reload();
    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
    expect(await scheme()).toBe('dark');
    await page.context().close();
  });

  test('a sync can be started and watched with the keyboard alone', async () => {
    const { page } = await openTab(browser, application.url);
    await page.goto('/');
    await page.getByText(/of \d+ jobs?$/).waitFor();
    await page.keyboard.press('Tab');
    expect(await readFocus(page)).toBe('Skip to content');
    await page.keyboard.press('Enter');
    await tabTo(page, 'Start sync');
    await page.keyboard.press('Enter');
    await page.getByText('Sync type').waitFor();
    expect(await readFocus(page), 'the new heading has the focus').toBe('Start a sync');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    expect(await page.evaluate('document.activeElement.value')).toBe('INCREMENTAL');
    await tabTo(page, 'Start sync');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /^Incremental sync of all types/ }).waitFor();
    await waitForState(page, 'Completed');
    await page.context().close();
  });

  test('an unknown caller signs in, sees which actions need another role, and signs out', async () => {
    const guarded = await startTestApplication(SECRET_SETTINGS);
    const { page } = await openTab(browser, guarded.url);
    try {
      await page.goto('/');
      await page.getByRole('heading', { name: 'Sign in to BLADE Ingestion' }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.getByLabel('Token or API key', { exact: true }).fill('not-a-token');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('The server did not accept this credential').waitFor();
      const credential = (await bearer({ name: 'Maj. Lee', role: 'viewer' })).replace('Bearer ', '');
      await page.getByLabel('Token or API key', { exact: true }).fill(credential);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByText('No jobs yet').waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByText('Needs the operator role. Your role is viewer.').waitFor();
      expect(await page.getByRole('button', { name: 'Start sync' }).isDisabled()).toBe(true);
      await page.reload();
      await page.getByText('No jobs yet').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Sign in to BLADE Ingestion' }).waitFor();
      expect(await page.evaluate('sessionStorage.length')).toBe(0);
    } finally {
      await page.context().close();
      await guarded.close();
    }
  });
});

/** Reads the text of the focused element. */
async function readFocus(page: Page): Promise<unknown> {
  return await page.evaluate('document.activeElement.textContent');
}

/** Presses Tab until the focus is on this text. */
async function tabTo(page: Page, text: string): Promise<void> {
  const passed: unknown[] = [];
  while ((await readFocus(page)) !== text) {
    if (passed.length > 40) throw new Error(`Tab never reaches ${text}, only ${passed.join(', ')}`);
    await page.keyboard.press('Tab');
    passed.push(await readFocus(page));
  }
}
