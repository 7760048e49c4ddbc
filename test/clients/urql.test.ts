import { Client, fetchExchange, gql } from '@urql/core';
import { introspectionFromSchema } from 'graphql';
import { expect, onTestFinished, vi } from 'vitest';
import { createBladeClient } from '../../docs/examples/urql.ts';
import { createBladeCache } from '../../docs/examples/urql-graphcache.ts';
import { schema } from '../../src/api/schema/schema.ts';
import { test } from '../support/on-server.ts';
import { addSorties, addSource } from '../support/tables.ts';

test('urql starts a sync, watches it until it ends, and finds it in the history', async ({ application }) => {
  await addSorties(application, 500);
  const client = createBladeClient(application.url);
  const { data } = await client
    .mutation(
      gql`mutation { startSync(input: { syncType: FULL }) { ... on StartSyncSuccess { job { id } } } }`,
      {},
    )
    .toPromise();
  const { id } = data.startSync.job;
  const states: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const { unsubscribe } = client
    .subscription(gql`subscription Watch($id: ID!) { jobProgress(id: $id) { id state } }`, { id })
    .subscribe(({ data, error }) => {
      expect(error).toBeUndefined();
      states.push(data.jobProgress.state);
      if (data.jobProgress.state === 'COMPLETED') resolve();
    });
  await promise;
  unsubscribe();
  expect(states).toContain('RUNNING');
  const history = await client
    .query(gql`query { jobs(first: 1) { edges { node { id state progress { successCount } } } } }`, {})
    .toPromise();
  expect(history.data.jobs.edges).toMatchObject([
    { node: { id, state: 'COMPLETED', progress: { successCount: 500 } } },
  ]);
});

test("urql's graphcache keeps parts and errors without an id where they are, and warns of none", async ({
  application,
}) => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  await addSource(application, { name: 'Absent', tableName: 'absent' });
  const client = new Client({
    url: application.url,
    exchanges: [createBladeCache(introspectionFromSchema(schema)), fetchExchange],
  });
  const start = gql`
    mutation {
      startSync(input: { syncType: FULL, labels: [{ key: "run", value: "1" }] }) {
        ... on StartSyncSuccess { job { id labels { key value } configuration { ... on SyncConfiguration { syncType options { batchSize } } } } }
        ... on UserError { message code }
      }
    }
  `;
  const started = await client.mutation(start, {}).toPromise();
  const { id, labels } = started.data.startSync.job;
  expect(labels).toEqual([{ key: 'run', value: '1' }]);
  await application.client.waitForEnd(id);
  const job = gql`
    query ($id: ID!) {
      job(id: $id) { id state startedBy { id name } failedSources { id sourceName dataSource { id schedule { cron } } } }
      none: job(id: "Job:00000000-0000-4000-8000-000000000000") { id }
    }
  `;
  const { data } = await client.query(job, { id }).toPromise();
  expect(data).toMatchObject({
    job: { id, state: 'FAILED', failedSources: [{ sourceName: 'Absent' }] },
    none: null,
  });
  const refused = await client
    .mutation(gql`mutation { cancelJob(input: { id: "${id}" }) { ... on UserError { code } } }`, {})
    .toPromise();
  expect(refused.data.cancelJob).toMatchObject({ code: 'JOB_ALREADY_FINISHED' });
  expect(warn).not.toHaveBeenCalled();
});
