import { join } from 'node:path';
import { gql, NetworkStatus } from '@apollo/client';
import { expect, onTestFinished, vi } from 'vitest';
import { createBladeClient, START_SYNC, WATCH_JOB } from '../../docs/examples/apollo-client.ts';
import { possibleTypes } from '../../src/dashboard/generated/possible-types.ts';
import { freePort } from '../support/free-port.ts';
import { test } from '../support/on-server.ts';
import { addSorties, addSource, writeSorties } from '../support/tables.ts';

interface JobSeen {
  readonly id: string;
  readonly state: string;
  readonly revision: number;
  readonly progress: { readonly processedItems: number };
}

test.beforeAll(async ({ application }) => {
  await addSorties(application, 1_000);
});

const JOB = gql`
  query JobShown($id: ID!) {
    job(id: $id) {
      id
      state
      revision
    }
  }
`;

/** Creates a client that is stopped when the test ends. */
function connect({ url }: { readonly url: string }) {
  const client = createBladeClient(url, possibleTypes);
  onTestFinished(() => client.stop());
  return client;
}

type Client = ReturnType<typeof connect>;

async function startSync(client: Client, input: object = {}): Promise<string> {
  const { data } = await client.mutate<{ startSync: { job: { id: string } } }>({
    mutation: START_SYNC,
    variables: { input: { syncType: 'FULL', ...input } },
  });
  return data?.startSync.job.id ?? '';
}

/** Collects every state of a job until it ends. */
async function watch(client: Client, id: string): Promise<JobSeen[]> {
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

test('Apollo Client starts a sync and watches it over graphql-ws until it ends', async ({ application }) => {
  const client = connect(application);
  const seen = await watch(client, await startSync(client));
  expect(seen.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 1_000 } });
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
});

test('a subscription updates a query of the same job: the cache identifies it by id', async ({
  application,
}) => {
  const client = connect(application);
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

test('a typed error arrives as data', async ({ application }) => {
  const client = connect(application);
  const { data } = await client.mutate<{ startSync: { message: string } }>({
    mutation: START_SYNC,
    variables: { input: { syncType: 'FULL', dataType: 'submarine' } },
  });
  expect(data?.startSync).toMatchObject({ __typename: 'InvalidInputError' });
});

test('a subscription of Apollo Client survives a restart of the server and sees the end', {
  timeout: 120_000,
}, async ({ folder, startProgram }) => {
  await writeSorties(join(folder, 'warehouse'), 1_000);
  const settings = { BLADE_DATA_FOLDER: folder, PORT: String(await freePort()) };
  const first = await startProgram(settings);
  await addSource(first);
  const client = connect(first);
  const id = await startSync(client, { options: { batchSize: 10 } });
  const ended = watch(client, id);
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
  await startProgram(settings);
  const states = await ended;
  expect(states.at(-1)).toMatchObject({ state: 'COMPLETED', progress: { processedItems: 1_000 } });
});
