import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-ws';
import { describe, expect, vi } from 'vitest';
import WebSocket from 'ws';
import type { ApiClient } from '../support/api-client.ts';
import { hasCurl, needsCurl } from '../support/curl.ts';
import { test as base } from '../support/on-server.ts';
import { DataSources, JobById } from '../support/operations.ts';

const run = promisify(execFile);
const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const operations = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, operation = '']) => operation);

const test = base.extend('settings', { BLADE_DEMO_DATA: 'true' });

// The snippets in order on the demo tables, as a reader of the README would run them.
describe('the README on a new machine', () => {
  async function send(client: ApiClient, query: string, variables: Record<string, unknown> = {}) {
    const { errors, data } = await client.sendRaw(query, variables);
    expect(errors).toBeUndefined();
    return data as Record<string, { __typename?: string; job?: { id: string } }>;
  }

  function findOperation(name: string): string {
    const operation = operations.find((text) => getOperationAST(parse(text))?.name?.value === name);
    if (operation === undefined) throw new Error(`the README has no operation ${name}`);
    return operation;
  }

  async function waitForEnd(client: ApiClient, id: string): Promise<string> {
    return vi.waitFor(
      async () => {
        const { job } = await client.send(JobById, { id });
        expect(['COMPLETED', 'CANCELLED', 'FAILED']).toContain(job?.state);
        return job?.state ?? '';
      },
      { timeout: 50_000, interval: 50 },
    );
  }

  test('the first sync starts, is watched over WebSocket, and is stopped', async ({
    application: { client, url },
  }) => {
    const webSocket = createClient({ url: url.replace(/^http/, 'ws'), webSocketImpl: WebSocket });
    const watched = webSocket.iterate({ query: findOperation('WatchSync') });
    const { startSync } = await send(client, findOperation('StartSync'));
    expect(startSync?.__typename).toBe('StartSyncSuccess');
    for await (const { data, errors } of watched) {
      expect(errors).toBeUndefined();
      if (data?.syncProgress !== undefined && JSON.stringify(data).includes('RUNNING')) break;
    }
    const { stopSync } = await send(client, findOperation('StopSync'));
    expect(stopSync?.__typename).toMatch(/^(StopSyncSuccess|NoActiveSyncError)$/);
    await waitForEnd(client, startSync?.job?.id ?? '');
    await webSocket.dispose();
  });

  test('the query job ingests rows, and the history shows the sync', async ({ client }) => {
    const { startQueryJob } = await send(client, findOperation('QueryJob'));
    expect(startQueryJob?.__typename).toBe('StartQueryJobSuccess');
    expect(await waitForEnd(client, startQueryJob?.job?.id ?? '')).toBe('COMPLETED');
    expect(await send(client, findOperation('History'))).toMatchObject({ jobs: { totalCount: 1 } });
  });

  test('a job is retried, and a source gets a schedule', async ({ client }) => {
    const { startSync } = await send(client, findOperation('StartSync'));
    const id = startSync?.job?.id ?? '';
    await waitForEnd(client, id);
    const { retryJob } = await send(client, findOperation('Retry'), { id });
    expect(retryJob?.__typename).toBe('RetryJobSuccess');
    await waitForEnd(client, retryJob?.job?.id ?? '');
    const { dataSources } = await client.send(DataSources, {});
    const sorties = dataSources.nodes.find(({ dataType }) => dataType === 'sortie');
    const { updateDataSource } = await send(client, findOperation('Schedule'), { id: sorties?.id });
    expect(updateDataSource?.__typename).toBe('UpdateDataSourceSuccess');
  });

  test.skipIf(!hasCurl)(`curl gets the current state${needsCurl}`, async ({ application }) => {
    const [, command = ''] = /```sh\n(curl .*?)```/s.exec(readme) ?? [];
    const local = command.replace('http://127.0.0.1:4000/graphql', application.url);
    // The stream never ends, so curl is stopped after a while.
    const { stdout } = await run('timeout', ['3', 'sh', '-c', local]).catch(
      (ended: { stdout: string }) => ended,
    );
    expect(stdout).toMatch(/event: next\ndata: \{"data":\{"syncProgress":/);
  });

  test('operations work as GraphQL Playground and Apollo Sandbox send them', async ({ application }) => {
    const history = findOperation('History');
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
