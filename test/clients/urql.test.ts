import { gql } from '@urql/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBladeClient } from '../../docs/examples/urql.ts';
import { addSource, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

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

test('urql starts a sync, watches it to its end, and finds it in the history', async () => {
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
