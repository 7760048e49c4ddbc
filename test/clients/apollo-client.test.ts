import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gql, NetworkStatus } from '@apollo/client';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createBladeClient, START_SYNC, WATCH_JOB } from '../../docs/examples/apollo-client.ts';
import { possibleTypes } from '../../src/dashboard/generated/possible-types.ts';
import { addSorties } from '../support/cluster.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, startProgram } from '../support/program.ts';
import { addSource, writeQuery } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

interface JobSeen {
  readonly id: string;
  readonly state: string;
  readonly revision: number;
  readonly progress: { readonly processedItems: number };
}

const SORTIES = `select 'S-' || i as item_id, 'M-' || i as mission_id from range(1, 1001) as r(i)`;

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
  await writeQuery(application.warehouseFolder, 'sortie', SORTIES);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
});

afterAll(() => application.close());

const JOB = gql`
  query JobShown($id: ID!) {
    job(id: $id) {
      id
      state
      revision
    }
  }
`;

async function startSync(client: ReturnType<typeof createBladeClient>, input: object = {}): Promise<string> {
  const { data } = await client.mutate<{ startSync: { job: { id: string } } }>({
    mutation: START_SYNC,
    variables: { input: { syncType: 'FULL', ...input } },
  });
  return data?.startSync.job.id ?? '';
}

/** Every state of a job that a subscription gives until its end. */
async function watch(client: ReturnType<typeof createBladeClient>, id: string): Promise<JobSeen[]> {
  const seen: JobSeen[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.subscribe<{ jobProgress: JobSeen }>({ query: WATCH_JOB, variables: { id } }).subscribe({
    next({ data, error }) {
      if (error !== undefined) reject(new Error(String(error)));
      else if (data != null) seen.push(data.jobProgress);
    },
    error: reject,
    complete: resolve,
  });
  await promise;
  return seen;
}

test('Apollo Client starts a sync, and watches it over graphql-ws to its end', async () => {
  const client = createBladeClient(application.url, possibleTypes);
  onTestFinished(() => client.stop());
  const seen = await watch(client, await startSync(client));
  expect(seen.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 1_000 } });
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
});

test('a query that shows a job follows the subscription: the cache knows it by its id', async () => {
  const client = createBladeClient(application.url, possibleTypes);
  onTestFinished(() => client.stop());
  const id = await startSync(client);
  const states: string[] = [];
  const shown = client.watchQuery<{ job: JobSeen }>({ query: JOB, variables: { id } });
  const following = shown.subscribe(({ data, networkStatus }) => {
    if (networkStatus === NetworkStatus.ready && data !== undefined) states.push(data.job?.state ?? 'NONE');
  });
  onTestFinished(() => following.unsubscribe());
  await watch(client, id);
  await vi.waitFor(() => expect(states.at(-1)).toBe('COMPLETED'));
  const cached = Object.keys(client.cache.extract() as object).filter((key) => key.startsWith('Job:'));
  expect(cached).toEqual([`Job:${id}`]);
});

test('a typed error is data like any other', async () => {
  const client = createBladeClient(application.url, possibleTypes);
  onTestFinished(() => client.stop());
  const { data } = await client.mutate<{ startSync: { message: string } }>({
    mutation: START_SYNC,
    variables: { input: { syncType: 'FULL', dataType: 'submarine' } },
  });
  expect(data?.startSync).toMatchObject({ __typename: 'InvalidInputError' });
});

test('a subscription of Apollo Client outlives a restart of the server, and sees the end', {
  timeout: 120_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blade-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeQuery(join(folder, 'warehouse'), 'sortie', SORTIES);
  const settings = { BLADE_DATA_FOLDER: folder, PORT: String(await freePort()) };
  const first = await startProgram(settings);
  let running: Program = first;
  onTestFinished(async () => {
    await running.end('SIGKILL');
  });
  await addSorties(first);
  const client = createBladeClient(first.url, possibleTypes);
  onTestFinished(() => client.stop());
  const id = await startSync(client, { options: { batchSize: 10 } });
  const states: JobSeen[] = [];
  const ended = watch(client, id).then((seen) => states.push(...seen));
  await vi.waitFor(
    async () => {
      const { data } = await client.query<{ job: JobSeen }>({
        query: JOB,
        variables: { id },
        fetchPolicy: 'network-only',
      });
      expect(data?.job.state).toBe('RUNNING');
    },
    { timeout: 30_000, interval: 20 },
  );
  await first.end('SIGTERM');
  running = await startProgram(settings);
  await ended;
  expect(states.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 1_000 } });
});
