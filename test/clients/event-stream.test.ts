import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EventSource } from 'undici';
import { expect, onTestFinished, vi } from 'vitest';
import { watchJob } from '../../docs/examples/event-source.ts';
import { hasCurl, needsCurl } from '../support/curl.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';

const run = promisify(execFile);

test.beforeAll(async ({ application }) => {
  await addSorties(application, 500);
});

test('an EventSource, as in browsers, watches a job until it ends', async ({ application }) => {
  vi.stubGlobal('EventSource', EventSource);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const seen: { state: string; revision: number }[] = [];
  await watchJob(application.url, id, (job) => seen.push(job));
  expect(seen.at(-1)?.state).toBe('COMPLETED');
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
});

test.skipIf(!hasCurl)(`curl watches a job until it ends${needsCurl}`, async ({ application }) => {
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const query = 'subscription ($id: ID!) { jobProgress(id: $id) { state } }';
  const { stdout } = await run('curl', [
    ...['-sN', application.url],
    ...['-H', 'accept: text/event-stream'],
    ...['-H', 'content-type: application/json'],
    ...['-d', JSON.stringify({ query, variables: { id } })],
  ]);
  const states = [...stdout.matchAll(/"state":"([A-Z]+)"/g)].map(([, state]) => state);
  expect(states.at(-1)).toBe('COMPLETED');
  expect(stdout).toMatch(/event: complete/);
});
