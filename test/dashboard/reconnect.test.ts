import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebSocketRoute } from 'playwright-core';
import { afterAll, describe, expect, vi } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab } from '../support/browser.ts';
import { freePort } from '../support/free-port.ts';
import { test } from '../support/in-chromium.ts';
import { readLog } from '../support/job-events.ts';
import { killPrograms, startProgram } from '../support/program.ts';
import { waitForState } from './job-state.ts';

/** A thousand rows in so many batches that the job is still running when the test acts. */
const SLOW_SYNC = { syncType: 'FULL', dataType: 'deployment', options: { batchSize: 4 } } as const;

afterAll(killPrograms);

describe.skipIf(findChromium() === null)(inChromium, { timeout: 300_000 }, () => {
  test('a job that survives a crash of the server is shown in its right state', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blade-dashboard-'));
    const environment = {
      BLADE_DATA_FOLDER: folder,
      BLADE_DEMO_DATA: 'true',
      BLADE_WORKER_THREADS: '1',
      PORT: String(await freePort()),
    };
    const browser = await launchChromium();
    try {
      const first = await startProgram(environment);
      const job = (await openTab(browser, first.url)).page;
      const list = (await openTab(browser, first.url)).page;
      const { id } = await first.client.startSync(SLOW_SYNC);
      await list.goto('/');
      await job.goto(`/jobs/${id.split(':')[1]}`);
      await job
        .getByRole('group', { name: 'State of the job' })
        .getByText(/^Syncing/)
        .waitFor();
      await first.end('SIGKILL');
      for (const page of [job, list]) await page.getByText('Connection lost.').waitFor();

      await list.getByRole('link', { name: 'Items', exact: true }).click();
      await list.getByText('This page could not be loaded').waitFor();
      await list.getByRole('link', { name: 'Jobs', exact: true }).click();
      await list.getByRole('row', { name: /Full sync of deployment/ }).waitFor();

      const second = await startProgram(environment);
      for (const page of [job, list]) {
        await page.getByText('Connection lost.').waitFor({ state: 'detached' });
      }
      const end = await second.client.waitForEnd(id);
      expect(end.state).toBe('COMPLETED');
      await waitForState(job, 'Completed with errors');
      const row = list.getByRole('row', { name: /Full sync of deployment/ });
      await row.getByText('Completed with errors').waitFor();
      const processed = new Intl.NumberFormat('en-US').format(end.progress.processedItems);
      await row.getByText(processed).first().waitFor();
      await job.getByText(processed).first().waitFor();
      await second.end('SIGTERM');
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a job that ended while the connection was lost is shown as ended, with all that happened, when it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'blade-dashboard-'));
    const browser = await launchChromium();
    try {
      const program = await startProgram({ BLADE_DATA_FOLDER: folder, BLADE_DEMO_DATA: 'true' });
      const { page } = await openTab(browser, program.url);
      let isAway = false;
      const sockets = new Set<WebSocketRoute>();
      await page.routeWebSocket(/\/graphql$/, (socket) => {
        if (isAway) void socket.close();
        else socket.connectToServer();
        sockets.add(socket);
      });
      const { id } = await program.client.startSync(SLOW_SYNC);
      await page.goto(`/jobs/${id.split(':')[1]}`);
      await waitForState(page, 'Running');
      isAway = true;
      for (const socket of sockets) await socket.close();
      await page.getByText('Connection lost.').waitFor();
      await program.client.waitForEnd(id);
      isAway = false;
      await waitForState(page, 'Completed with errors');
      // What happened meanwhile is there, each event once.
      const log = await readLog(program.client, id);
      const shown = page.getByRole('region', { name: 'What happened' }).getByRole('listitem').locator('span');
      const newest = log.map(({ message }) => message).toReversed();
      await vi.waitFor(
        async () => expect(await shown.allTextContents()).toEqual(newest.slice(0, 20)),
        20_000,
      );
      await page.getByText('Reconnected, nothing missed.').waitFor();
      await program.end('SIGTERM');
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
