import { gql } from '@urql/core';
import { expect } from 'vitest';
import { createBladeClient } from '../../docs/examples/urql.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';

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
