import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import WebSocket from 'ws';
import { DataSources, JobById } from '../support/operations.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const run = promisify(execFile);
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const operations = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation = '']) => operation);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

// The snippets in their order, on the demo tables, as somebody does who reads the README.
describe('the README on a new machine', () => {
  let application: TestApplication;

  beforeAll(async () => {
    application = await startTestApplication({ BLADE_DEMO_DATA: 'true' });
  });

  afterAll(() => application.close());

  async function send(query: string, variables: Record<string, unknown> = {}) {
    const { errors, data } = await application.client.sendRaw(query, variables);
    expect(errors).toBeUndefined();
    return data as Record<string, { __typename?: string; job?: { id: string } }>;
  }

  function operationNamed(name: string): string {
    const operation = operations.find((text) => getOperationAST(parse(text))?.name?.value === name);
    if (operation === undefined) throw new Error(`the README has no operation ${name}`);
    return operation;
  }

  async function untilEnded(id: string): Promise<string> {
    return vi.waitFor(
      async () => {
        const { job } = await application.client.send(JobById, { id });
        expect(['COMPLETED', 'CANCELLED', 'FAILED']).toContain(job?.state);
        return job?.state ?? '';
      },
      { timeout: 50_000, interval: 50 },
    );
  }

  test('the first sync starts, is watched over WebSocket, and is stopped', async () => {
    const client = createClient({ url: application.url.replace(/^http/, 'ws'), webSocketImpl: WebSocket });
    const watched = client.iterate({ query: operationNamed('WatchSync') });
    const { startSync } = await send(operationNamed('StartSync'));
    expect(startSync?.__typename).toBe('StartSyncSuccess');
    for await (const { data, errors } of watched) {
      expect(errors).toBeUndefined();
      if (data?.syncProgress !== undefined && JSON.stringify(data).includes('RUNNING')) break;
    }
    const { stopSync } = await send(operationNamed('StopSync'));
    expect(stopSync?.__typename).toMatch(/^(StopSyncSuccess|NoActiveSyncError)$/);
    await untilEnded(startSync?.job?.id ?? '');
    await client.dispose();
  });

  test('the query job brings in rows, and the history shows the sync', async () => {
    const { startQueryJob } = await send(operationNamed('QueryJob'));
    expect(startQueryJob?.__typename).toBe('StartQueryJobSuccess');
    expect(await untilEnded(startQueryJob?.job?.id ?? '')).toBe('COMPLETED');
    expect(await send(operationNamed('History'))).toMatchObject({ jobs: { totalCount: 1 } });
  });

  test('what failed is retried, and a source is given a schedule', async () => {
    const { startSync } = await send(operationNamed('StartSync'));
    const id = startSync?.job?.id ?? '';
    await untilEnded(id);
    const { retryJob } = await send(operationNamed('Retry'), { id });
    expect(retryJob?.__typename).toBe('RetryJobSuccess');
    await untilEnded(retryJob?.job?.id ?? '');
    const { dataSources } = await application.client.send(DataSources, {});
    const sorties = dataSources.find(({ dataType }) => dataType === 'sortie');
    const { saveDataSource } = await send(operationNamed('Schedule'), { id: sorties?.id });
    expect(saveDataSource?.__typename).toBe('SaveDataSourceSuccess');
  });

  test.skipIf(!hasCurl)(
    `curl gets the present state${hasCurl ? '' : ' (skipped: no curl here)'}`,
    async () => {
      const [, command = ''] = /```sh\n(curl .*?)```/s.exec(readme) ?? [];
      const local = command.replace('http://127.0.0.1:4000/graphql', application.url);
      // It goes on for as long as syncs come, so it is ended after a while.
      const { stdout } = await run('timeout', ['3', 'sh', '-c', local]).catch(
        (ended: { stdout: string }) => ended,
      );
      expect(stdout).toMatch(/event: next\ndata: \{"data":\{"syncProgress":/);
    },
  );

  test('queries and mutations arrive as GraphQL Playground and Apollo Sandbox send them', async () => {
    const history = operationNamed('History');
    for (const headers of [
      { accept: '*/*', 'content-type': 'application/json' },
      {
        accept: 'application/json, multipart/mixed',
        'content-type': 'application/json',
        'apollo-require-preflight': 'true',
      },
    ]) {
      const response = await fetch(application.url, {
        method: 'POST',
        headers: headers as Record<string, string>,
        body: JSON.stringify({ operationName: 'History', variables: {}, query: history, extensions: {} }),
      });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/json/);
      expect(await response.json()).toMatchObject({ data: { jobs: { totalCount: expect.any(Number) } } });
    }
  });
});
