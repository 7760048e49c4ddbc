import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EventSource } from 'undici';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { watchJob } from '../../docs/examples/event-source.ts';
import { addSource, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await writeQuery(
    application.warehouseFolder,
    'sortie',
    `select 'S-' || i as item_id, 'M-' || i as mission_id from range(1, 501) as r(i)`,
  );
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
});

afterAll(() => application.close());

test('an EventSource, as browsers have it, watches a job to its end', async () => {
  vi.stubGlobal('EventSource', EventSource);
  onTestFinished(() => void vi.unstubAllGlobals());
  const { id } = await application.client.startSync({ syncType: 'FULL' });
  const seen: { state: string; revision: number }[] = [];
  await watchJob(application.url, id, (job) => seen.push(job));
  expect(seen.at(-1)?.state).toBe('COMPLETED');
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
});

test.skipIf(!hasCurl)(
  `curl watches a job to its end${hasCurl ? '' : ' (skipped: no curl here)'}`,
  async () => {
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
  },
);
