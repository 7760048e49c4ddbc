import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab, type Tab } from '../support/browser.ts';
import { test } from '../support/in-chromium.ts';
import { createPluginFolder, FUEL_ROWS, type PluginFolder } from '../support/plugin-folder.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

describe.skipIf(findChromium() === null)(inChromium, { timeout: 180_000 }, () => {
  let plugins: PluginFolder;
  let application: TestApplication;
  let browser: Awaited<ReturnType<typeof launchChromium>>;
  let tab: Tab;

  beforeAll(async () => {
    plugins = await createPluginFolder();
    application = await startTestApplication({
      BLADE_PLUGINS: join(plugins.path, 'blade-fuel/index.ts'),
      FUEL_ROWS: JSON.stringify(FUEL_ROWS),
    });
    browser = await launchChromium();
    tab = await openTab(browser, application.url);
  });

  afterAll(async () => {
    await browser.close();
    await application.close();
    await plugins.close();
    expect(tab.errors).toEqual([]);
  });

  test('a table of the data type of a plug-in is added, synced and shown', async () => {
    const { page } = tab;
    await page.goto('/sources/new');
    await page.getByRole('textbox', { name: 'Name' }).fill('Fuel');
    await page.getByLabel('Data type').selectOption('fuel');
    await page.getByLabel('Catalog').fill('blade');
    await page.getByLabel('Schema').fill('field');
    await page.getByLabel('Table').fill('fuel');
    await page.getByRole('button', { name: 'Add data source' }).click();
    await page.getByRole('heading', { name: 'Fuel' }).waitFor();
    const { id } = await application.client.startSync({ syncType: 'FULL', dataType: 'fuel' });
    await application.client.waitForEnd(id);
    await page.goto('/items?type=fuel');
    await page.getByRole('row', { name: /fuel/ }).nth(1).waitFor();
  });
});
