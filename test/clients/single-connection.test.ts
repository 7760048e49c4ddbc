import { createClient } from 'graphql-sse';
import { describe, expect, onTestFinished } from 'vitest';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { insertJob, moveJob } from '../support/job-rows.ts';
import { test as onServer } from '../support/on-server.ts';
import { startTestApplication } from '../support/test-application.ts';

const WATCH = 'subscription ($id: ID!) { jobProgress(id: $id) { state } }';
const TOKEN = 'x-graphql-event-stream-token';

const test = onServer.extend('secured', { scope: 'file' }, async ({}, { onCleanup }) => {
  const secured = await startTestApplication({
    BLADE_ROLES: 'api',
    ...SECRET_SETTINGS,
  });
  onCleanup(() => secured.close());
  return secured;
});

test('graphql-sse watches many jobs over one connection, each to its end', async ({ application }) => {
  const { database, url } = application;
  let streams = 0;
  const client = createClient({
    url,
    singleConnection: true,
    retryAttempts: 0,
    fetchFn: (input: string, init: RequestInit) => {
      if (new Headers(init.headers).get('accept') === 'text/event-stream') streams++;
      return fetch(input, init);
    },
  });
  onTestFinished(() => client.dispose());
  const ids = await Promise.all(Array.from({ length: 20 }, () => insertJob(database, { state: 'RUNNING' })));
  await Promise.all(
    ids.map(async (id) => {
      const states: unknown[] = [];
      for await (const { data } of client.iterate<{ jobProgress: { state: string } }>({
        query: WATCH,
        variables: { id: `Job:${id}` },
      })) {
        states.push(data?.jobProgress.state);
        if (states.length === 1) await moveJob(database, id, 'COMPLETED');
      }
      expect([states[0], states.at(-1)]).toEqual(['RUNNING', 'COMPLETED']);
    }),
  );
  expect(streams).toBe(1);
});

test('queries, mutations and errors arrive over the same connection', async ({ application }) => {
  const client = createClient({ url: application.url, singleConnection: true, retryAttempts: 0 });
  onTestFinished(() => client.dispose());
  const read = async (query: string) => (await client.iterate({ query }).next()).value;
  expect(await read('{ me { role } }')).toMatchObject({ data: { me: { role: 'ADMIN' } } });
  expect(await read('mutation { stopSync { __typename } }')).toMatchObject({ data: { stopSync: {} } });
  for (const [query, code] of [
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    [`{ jobs { edges { node { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } } }`, 'OPERATION_TOO_DEEP'],
  ] as const) {
    const { errors } = (await read(query)) ?? {};
    expect(errors?.[0]?.extensions).toMatchObject({ code });
    expect(errors?.[0]?.extensions).not.toHaveProperty('http');
  }
});

test('a stopped subscription sends nothing more', async ({ application }) => {
  const { database, url } = application;
  const id = await insertJob(database, { state: 'RUNNING' });
  const client = createClient({ url, singleConnection: true, retryAttempts: 0 });
  onTestFinished(() => client.dispose());
  const watch = () =>
    client.iterate<{ jobProgress: { state: string } }>({ query: WATCH, variables: { id: `Job:${id}` } });
  const [stopped, kept] = [watch(), watch()];
  expect((await stopped.next()).value?.data?.jobProgress.state).toBe('RUNNING');
  expect((await kept.next()).value?.data?.jobProgress.state).toBe('RUNNING');
  await stopped.return?.();
  await moveJob(database, id, 'CANCELLED');
  expect((await kept.next()).value?.data?.jobProgress.state).toBe('CANCELLED');
  expect((await kept.next()).done).toBe(true);
});

describe('with credentials', () => {
  const send = (url: string, method: string, headers: Record<string, string>, body?: object) =>
    fetch(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  test('a stream works only with the credential that reserved it', async ({ secured: { url } }) => {
    const [own, other] = [await bearer(), await bearer({ sub: 'capt.kim' })];
    const raised = await bearer({ role: 'admin' });
    expect((await send(url, 'PUT', {})).status).toBe(401);
    const token = await (await send(url, 'PUT', { authorization: own })).text();
    const operation = { query: '{ me { role } }', extensions: { operationId: '1' } };
    for (const authorization of [other, raised]) {
      const headers = { authorization, [TOKEN]: token };
      expect((await send(url, 'GET', { ...headers, accept: 'text/event-stream' })).status).toBe(404);
      expect((await send(url, 'POST', headers, operation)).status).toBe(404);
      expect((await send(`${url}?operationId=1`, 'DELETE', headers)).status).toBe(404);
    }
    expect((await send(url, 'POST', { [TOKEN]: token }, operation)).status).toBe(401);
    const stream = await send(url, 'GET', {
      authorization: own,
      [TOKEN]: token,
      accept: 'text/event-stream',
    });
    expect(stream.status).toBe(200);
    expect(stream.headers.get('x-accel-buffering')).toBe('no');
    const again = await send(url, 'GET', { authorization: own, [TOKEN]: token, accept: 'text/event-stream' });
    expect(again.status).toBe(409);
    await stream.body?.cancel();
  });

  test('a viewer may not start anything', async ({ secured: { url } }) => {
    const client = createClient({
      url,
      singleConnection: true,
      retryAttempts: 0,
      headers: { authorization: await bearer() },
    });
    onTestFinished(() => client.dispose());
    const query = 'mutation { startSync(input: { syncType: FULL }) { __typename } }';
    expect((await client.iterate({ query }).next()).value).toMatchObject({
      data: { startSync: { __typename: 'ForbiddenError' } },
    });
  });

  test('a stream that nobody opens is given up, and one caller has so many', async ({ secured: { url } }) => {
    const authorization = await bearer({ sub: 'hoarder' });
    const reserve = () => send(url, 'PUT', { authorization });
    const first = await (await reserve()).text();
    const answers = await Promise.all(Array.from({ length: 100 }, reserve));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
    const end = () => send(`${url}?operationId=1`, 'DELETE', { authorization, [TOKEN]: first });
    await expect.poll(async () => (await end()).status, { timeout: 30_000 }).toBe(404);
    expect((await reserve()).status).toBe(201);
  });

  test('what is not in order is refused with what would be', async ({ secured: { url } }) => {
    const authorization = await bearer();
    const token = await (await send(url, 'PUT', { authorization })).text();
    const headers = { authorization, [TOKEN]: token };
    for (const [status, answer] of [
      [400, await send(url, 'POST', headers, { query: '{ me { role } }' })],
      [400, await send(url, 'POST', headers, { query: 1, extensions: { operationId: '1' } })],
      [400, await send(url, 'POST', headers, [])],
      [400, await send(url, 'DELETE', headers)],
      [404, await send(url, 'POST', { authorization, [TOKEN]: 'x' }, { query: '{ me { role } }' })],
    ] as const) {
      expect(answer.status).toBe(status);
      expect(await answer.json()).toEqual({
        errors: [{ message: expect.any(String), extensions: { code: expect.any(String) } }],
      });
    }
  });
});
