import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  accessibilityProblems,
  findChromium,
  inChromium,
  launchChromium,
  openTab,
  type Tab,
} from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { addSource, uuid, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import { waitForState } from './job-state.ts';

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let application: TestApplication;
  let browser: Browser;
  let tab: Tab;
  let page: Page;
  let jobId: string;

  beforeAll(async () => {
    application = await startTestApplication();
    browser = await launchChromium();
    tab = await openTab(browser, application.url);
    page = tab.page;
    const { warehouseFolder, client } = application;
    for (const name of ['East', 'North', 'West']) {
      await writeRows(warehouseFolder, name.toLowerCase(), [{ item_id: `${name}-1` }]);
      await addSource(application, { name, tableName: name.toLowerCase() });
    }
    await addSource(application, { name: 'South', tableName: 'south' });
    jobId = (await client.startSync({ syncType: 'FULL' })).id;
    await client.waitForEnd(jobId);
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
    expect(tab.errors).toEqual([]);
  });

  test('a job with a source that failed is not shown as done in the list', async () => {
    await page.goto('/');
    const row = page.getByRole('row', { name: /Full sync of all types/ });
    await row.getByText('Some sources failed').waitFor();
    expect(await row.getByText('100%').count()).toBe(0);
  });

  test('failed sources come first on the page of a job, each with its reason', async () => {
    await page.goto(`/jobs/${uuid(jobId)}`);
    await waitForState(page, 'Some sources failed');
    const failed = page.getByRole('list', { name: 'Failed sources' });
    expect(await failed.getByRole('listitem').allTextContents()).toEqual([
      expect.stringMatching(/^South sortie.*There is no table blade.field.south in the warehouse\./),
    ]);
    const [top, progress] = await Promise.all(
      [failed, page.getByRole('region', { name: 'Progress' })].map(
        async (part) => (await part.boundingBox())?.y ?? 0,
      ),
    );
    expect(top).toBeLessThan(progress ?? 0);
    await page.getByText('Sources read').waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('only the failed sources are read again by their own button', async () => {
    await writeRows(application.warehouseFolder, 'south', [
      { item_id: 'South-1' },
      { item_id: 'South-2', flight_hours: 'two' },
    ]);
    await page.goto(`/jobs/${uuid(jobId)}`);
    await page.getByRole('button', { name: 'Retry failed sources' }).click();
    await page.getByRole('heading', { name: /^Retry of failed sources, all types/ }).waitFor();
    await waitForState(page, 'Completed with errors');
    await page.getByText('failed sources only').waitFor();
    const partitions = page.getByRole('table', { name: 'Partitions' });
    expect(await partitions.getByText('South').count()).toBeGreaterThan(0);
    expect(await partitions.getByText('East').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Retry failed sources' }).count()).toBe(0);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test('a job whose items all failed is not shown as completed', async () => {
    await page.getByRole('button', { name: 'Retry failed items' }).click();
    await page.getByRole('heading', { name: /^Retry of failed items/ }).waitFor();
    await waitForState(page, 'All items failed');
  });

  test('a source that was deleted since cannot be retried', async () => {
    await application.database.pool.query(`delete from data_source where name = 'South'`);
    await page.goto(`/jobs/${uuid(jobId)}`);
    await page.getByText('deleted or disabled, so it cannot be read again').waitFor();
    expect(await page.getByRole('button', { name: 'Retry failed sources' }).count()).toBe(0);
  });
});
