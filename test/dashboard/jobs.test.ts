import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab, type Tab } from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { insertJob } from '../support/job-rows.ts';
import { JobErrors } from '../support/operations.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';
import { waitForState } from './job-state.ts';

const SLOW_QUERY = {
  dataType: 'sortie',
  sqlQuery: 'SELECT * FROM blade.field.sortie',
  options: { batchSize: 10 },
} as const;

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let application: TestApplication;
  let browser: Browser;
  let tab: Tab;
  let page: Page;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_DEMO_DATA: 'true' });
    browser = await launchChromium();
    tab = await openTab(browser, application.url);
    page = tab.page;
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
    expect(tab.errors).toEqual([]);
  });

  test('a new installation says what to do next', async () => {
    await page.goto('/');
    await page.getByText('No jobs yet').waitFor();
    await page.getByRole('link', { name: 'data sources', exact: true }).waitFor();
  });

  test('the sync form shows what the server refuses at the field', async () => {
    await page.goto('/start/sync');
    const filter = page.getByLabel('Filter');
    await filter.fill('flight_hours >');
    await page.getByText('Advanced').click();
    await page.getByLabel('Batch size').fill('0');
    await page.getByText('Advanced').click();
    await page.getByRole('button', { name: 'Start sync' }).click();
    await page.locator('[name="filter"][aria-invalid="true"]').waitFor();
    const batch = page.locator('[name="options.batchSize"]');
    expect(await batch.isVisible(), 'the fold that hides a field at fault opens').toBe(true);
    expect(await readDescription(page, 'options.batchSize')).toContain(
      'must be a whole number from 1 to 10000',
    );
    expect(await readDescription(page, 'filter')).not.toBe('');
    await filter.fill('');
    await batch.fill('many');
    await page.getByRole('button', { name: 'Start sync' }).click();
    await page.getByText('must be a whole number, such as 5000').waitFor();
  });

  test('a sync started in the form is shown live to its end, and in the list', async () => {
    await page.goto('/start/sync');
    await page.getByRole('button', { name: 'Start sync' }).click();
    await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    await waitForState(page, 'Completed with errors');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toMatch(/^Full sync of all types/);
    const { rows } = await application.database.pool.query<{ processed: number; errors: number }>(
      'select processed_items::int as processed, error_count::int as errors from job',
    );
    const [job] = rows;
    await page
      .getByText(new Intl.NumberFormat('en-US').format(job?.processed ?? 0))
      .first()
      .waitFor();
    expect(job?.errors).toBeGreaterThan(0);
    await page.getByRole('img', { name: /^Rows per second over/ }).waitFor();

    await page.getByRole('link', { name: 'Jobs', exact: true }).click();
    const row = page.getByRole('row', { name: /Full sync of all types/ });
    await row.getByText('Completed with errors').waitFor();
    expect(await row.getByRole('link', { name: `${job?.errors} errors` }).count()).toBe(1);
  });

  test('errors can be paged, filtered by stage, and opened to see their rows', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Full sync of all types' }).click();
    const errors = page.getByRole('region', { name: 'Errors', exact: true });
    await errors.getByText(/^25 of \d+ errors$/).waitFor();
    await errors.getByRole('button', { name: 'Load more' }).click();
    await errors.getByText(/^50 of \d+ errors$/).waitFor();
    await errors.locator('summary').first().click();
    const row = await errors.getByRole('region', { name: 'The row as it was read' }).first().textContent();
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    const { job } = await application.client.send(JobErrors, { id, first: 1 });
    expect(JSON.parse(row ?? '')).toEqual(job?.errors.edges[0]?.node.row);
    await errors.getByLabel('Stage of the errors').selectOption('Upload');
    await errors.getByText('No errors in this stage.').waitFor();
  });

  test('failed items are retried as a separate job that links to the first one', async () => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Full sync of all types' }).click();
    await page.getByRole('button', { name: 'Retry failed items' }).click();
    await page.getByRole('heading', { name: /^Retry of failed items/ }).waitFor();
    await waitForState(page, 'All items failed');
    await page.getByText('failed items only').waitFor();
  });

  test('the query form refuses invalid JSON, and shows which parameter has no value', async () => {
    await page.goto('/start/query');
    await page
      .locator('[name="sqlQuery"]')
      .fill('SELECT * FROM blade.field.sortie WHERE departure_base = :base');
    await page.getByLabel('Data type').selectOption('sortie');
    await page.getByLabel('Parameters').fill('{ base: 1 }');
    await page.getByRole('button', { name: 'Start query job' }).click();
    await page.getByText(/must be valid JSON/).waitFor();
    await page.getByLabel('Parameters').fill('{}');
    await page.getByRole('button', { name: 'Start query job' }).click();
    await page.getByText('base: the query uses :base, so it needs a value').waitFor();
    await page.getByLabel('Parameters').fill('{ "base": "ATL" }');
    await page.getByLabel('Metadata').fill('{ "requestedBy": "ops" }');
    await page.getByRole('button', { name: 'Start query job' }).click();
    await page.getByRole('heading', { name: /^Query of sortie/ }).waitFor();
    await waitForState(page, 'Completed');
    const query = page.getByRole('region', { name: 'Query' });
    expect(await query.textContent()).toBe('SELECT * FROM blade.field.sortie WHERE departure_base = :base');
    await page.getByText(':base', { exact: true }).waitFor();
  });

  test('a job can be paused, resumed and, once confirmed, cancelled', async () => {
    const { id } = await application.client.startQueryJob(SLOW_QUERY);
    await page.goto(`/jobs/${id.split(':')[1]}`);
    await page.getByRole('button', { name: 'Pause' }).click();
    await waitForState(page, 'Paused');
    const elapsed = page.locator('dt', { hasText: 'Elapsed' }).locator('xpath=following-sibling::dd');
    const atFirst = await elapsed.textContent();
    await expect.poll(() => elapsed.textContent(), { timeout: 30_000 }).not.toBe(atFirst);
    await page.getByRole('button', { name: 'Resume' }).click();
    await waitForState(page, 'Running');
    await page.getByRole('button', { name: 'Cancel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this job?' });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('Cancel');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await dialog.getByRole('button', { name: 'Cancel job' }).click();
    await waitForState(page, 'Cancelled');
  });

  test('a second sync is refused with a link to the active one', async () => {
    const { id } = await application.client.startSync({ syncType: 'FULL', options: { batchSize: 10 } });
    await page.goto('/start/sync');
    await page.getByRole('region', { name: 'Active sync' }).waitFor();
    await page.getByRole('button', { name: 'Start sync' }).click();
    await page.getByText('A sync is already running. Wait until it ends, or cancel it.').waitFor();
    await page.getByRole('link', { name: 'Go to the active sync' }).click();
    await page.waitForURL(`**/jobs/${id.split(':')[1]}`);
    await application.client.cancelJob(id);
    await waitForState(page, 'Cancelled');
    await page.getByRole('region', { name: 'Active sync' }).waitFor({ state: 'detached' });
  });

  test('a list shows jobs started elsewhere, and drops those that no longer match its filter', async () => {
    await page.goto('/?state=active');
    await page.getByText('No jobs match these filters').waitFor();
    const { id } = await application.client.startQueryJob(SLOW_QUERY);
    const row = page.getByRole('row', { name: /Query of sortie/ });
    await row.getByText('Running').waitFor();
    await application.client.cancelJob(id);
    await page.getByText('No jobs match these filters').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await row.first().getByText('Cancelled').waitFor();
    expect(new URL(page.url()).search).toBe('');
  });

  test('a long history is loaded page by page, and is still loaded after going back from a job', async () => {
    const day = 24 * 60 * 60 * 1000;
    for (let daysAgo = 1; daysAgo <= 60; daysAgo++) {
      await insertJob(application.database, {
        kind: 'SYNC',
        createdAt: new Date(Date.now() - daysAgo * day),
      });
    }
    await page.goto('/');
    await page.getByText(/^25 of \d+ jobs$/).waitFor();
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.getByText(/^50 of \d+ jobs$/).waitFor();
    await page.getByRole('row').nth(45).getByRole('link').first().click();
    await waitForState(page, 'Completed');
    await page.goBack();
    await page.getByText(/^50 of \d+ jobs$/).waitFor();
  });

  test('a missing job, data source or item is reported as missing', async () => {
    await page.goto('/jobs/00000000-0000-7000-8000-000000000000');
    await page.getByRole('heading', { name: 'Job not found' }).waitFor();
    await page.goto('/sources/00000000-0000-7000-8000-000000000000');
    await page.getByRole('heading', { name: 'Data source not found' }).waitFor();
    await page.goto('/items/sortie/none%2Fsuch');
    await page.getByRole('heading', { name: 'Item not found' }).waitFor();
  });
});

/** Reads the description of a field, as a screen reader would. */
async function readDescription(page: Page, name: string): Promise<string> {
  return await page.evaluate<string>(
    `document.querySelector('[name="${name}"]').getAttribute('aria-describedby').split(' ')
       .map((id) => document.getElementById(id)?.textContent ?? '').join(' ')`,
  );
}
