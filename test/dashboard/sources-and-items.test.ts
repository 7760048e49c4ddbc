import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab, type Tab } from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const AIRCRAFT = ['11-0001', '11-0002', '12-0003'];

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let application: TestApplication;
  let browser: Browser;
  let tab: Tab;
  let page: Page;

  beforeAll(async () => {
    application = await startTestApplication();
    await writeRows(
      application.warehouseFolder,
      'repairs',
      AIRCRAFT.map((tail, index) => ({
        item_id: `R/${tail} #${index}`,
        aircraft_tail: tail,
        classification_marking: index === 0 ? 'SECRET' : 'CUI',
        updated_at: `2026-01-0${index + 1}`,
      })),
    );
    browser = await launchChromium();
    tab = await openTab(browser, application.url);
    page = tab.page;
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
    expect(tab.errors).toEqual([]);
  });

  test('without data sources, the sync form and the list say where to add one', async () => {
    await page.goto('/start/sync');
    await page.getByRole('link', { name: 'Add one' }).waitFor();
    await page.goto('/sources');
    await page.getByRole('link', { name: 'Add the first one' }).click();
    await page.getByRole('heading', { name: 'Add a data source' }).waitFor();
  });

  test('a data source is added with a schedule, once an invalid one was refused at its field', async () => {
    await page.goto('/sources/new');
    await page.getByRole('textbox', { name: 'Name' }).fill('Repairs');
    await page.getByLabel('Data type').selectOption('maintenance');
    await page.getByLabel('Catalog').fill('blade');
    await page.getByLabel('Schema').fill('field');
    await page.getByLabel('Table').fill('repairs');
    await page.getByLabel('Cursor column').fill('updated_at');
    await page.getByRole('textbox', { name: 'Schedule' }).fill('61 2 * * *');
    expect(await page.getByLabel('Time zone').inputValue()).toBe('America/New_York');
    await page.getByRole('button', { name: 'Add data source' }).click();
    const schedule = page.locator('[name="schedule.cron"][aria-invalid="true"]');
    await schedule.waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('schedule.cron');

    await page.getByRole('textbox', { name: 'Schedule' }).fill('30 2 * * *');
    await page.getByRole('button', { name: 'Add data source' }).click();
    await page.getByRole('heading', { level: 1, name: 'Repairs' }).waitFor();
    await page.getByText(/2:30:00 AM/).waitFor();
    await page.getByRole('link', { name: 'Data sources' }).click();
    const row = page.getByRole('row', { name: /Repairs/ });
    await row.getByText('30 2 * * *').waitFor();
    await row.getByText('America/New_York').waitFor();
    await row.getByText('never').waitFor();
  });

  test('testing a data source shows whether its table can be read, and its columns', async () => {
    await page.goto('/sources');
    await page.getByRole('link', { name: 'Repairs' }).click();
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByText('Readable, 3 rows').waitFor();
    await page
      .getByText(/work_order/)
      .first()
      .waitFor();
  });

  test('changes to a data source are saved, and its schedule can be removed', async () => {
    await page.goto('/sources');
    await page.getByRole('link', { name: 'Repairs' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Repairs of the wing');
    await page.getByRole('textbox', { name: 'Schedule' }).fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved', { exact: true }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'Repairs of the wing' }).waitFor();
    await page.reload();
    expect(await page.getByRole('textbox', { name: 'Schedule' }).inputValue()).toBe('');
  });

  test('the list of data sources shows a sync as soon as it ends', async () => {
    await page.goto('/sources');
    const row = page.getByRole('row', { name: /Repairs of the wing/ });
    await row.getByText('never').waitFor();
    await application.client.startSync({ syncType: 'FULL' });
    await row.getByText('Completed').waitFor();
    await row.getByText('2026-01-03').waitFor();
  });

  test('items can be found by marking and the start of their ID, and opened to see their whole row', async () => {
    await page.goto('/items');
    await page.getByText('3 of 3 items').waitFor();
    await page.getByLabel('Marking').selectOption('CUI');
    await page.getByText('2 of 2 items').waitFor();
    await page.getByLabel('ID starts with').fill('R/12');
    await page.getByText('1 of 1 item', { exact: true }).waitFor();
    const { search } = new URL(page.url());
    expect(Object.fromEntries(new URLSearchParams(search))).toEqual({ marking: 'CUI', prefix: 'R/12' });
    await page.getByRole('link', { name: 'R/12-0003 #2' }).click();
    const row = page.getByRole('region', { name: 'The whole row' });
    expect(JSON.parse((await row.textContent()) ?? '')).toMatchObject({ aircraft_tail: '12-0003' });

    await page.getByRole('link', { name: 'Repairs of the wing' }).click();
    await page.getByRole('link', { name: 'Browse items' }).click();
    await page.getByText('3 of 3 items').waitFor();
    await page.getByLabel('In the catalog').selectOption('no');
    await page.getByText('No items match these filters').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await page.getByText('3 of 3 items').waitFor();
  });

  test('a data source is deleted once confirmed, and its items stay', async () => {
    await page.goto('/sources');
    await page.getByRole('link', { name: 'Repairs of the wing' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Keep source' }).click();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete source' }).click();
    await page.getByText('No data sources yet').waitFor();
    await page.goto('/items');
    await page.getByText('3 of 3 items').waitFor();
  });
});
