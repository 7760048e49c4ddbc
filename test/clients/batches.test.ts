import { ApolloClient, gql, InMemoryCache } from '@apollo/client';
import { BatchHttpLink } from '@apollo/client/link/batch-http';
import { GraphQLClient } from 'graphql-request';
import { describe, expect, onTestFinished } from 'vitest';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { startTestApplication } from '../support/test-application.ts';

const ME = '{ me { role } }';
const DEEP = `{ jobs { edges { node { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } } }`;

async function sendBatch(url: string, operations: readonly unknown[], headers: Record<string, string> = {}) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(operations),
  });
  return { status: answer.status, results: await answer.json() };
}

test('BatchHttpLink of Apollo Client sends queries together', async ({ application }) => {
  let requests = 0;
  const link = new BatchHttpLink({
    uri: application.url,
    fetch: (...args: Parameters<typeof fetch>) => {
      requests++;
      return fetch(...args);
    },
  });
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  onTestFinished(() => client.stop());
  const answers = await Promise.all([
    client.query({ query: gql`{ me { role } }` }),
    client.query({ query: gql`{ dataTypes { name } }` }),
    client.query({ query: gql`{ syncStatus { state } }` }),
  ]);
  expect(requests).toBe(1);
  expect(answers.map(({ data }) => Object.keys(data as object)[0])).toEqual([
    'me',
    'dataTypes',
    'syncStatus',
  ]);
});

test('batchRequests of graphql-request gets each answer', async ({ application }) => {
  const answers = await new GraphQLClient(application.url).batchRequests([
    { document: ME },
    { document: '{ dataTypes { name } }' },
  ]);
  expect(answers).toMatchObject([
    { data: { me: { role: 'ADMIN' } } },
    { data: { dataTypes: [{}, {}, {}, {}] } },
  ]);
});

test('each operation has its own limits and its own errors', async ({ application }) => {
  const { status, results } = await sendBatch(application.url, [
    { query: ME },
    { query: DEEP },
    { query: '{' },
    { query: 'subscription { syncProgress { state } }' },
    null,
  ]);
  expect(status).toBe(200);
  expect(results).toMatchObject([
    { data: { me: { role: 'ADMIN' } } },
    { errors: [{ extensions: { code: 'OPERATION_TOO_DEEP' } }] },
    { errors: [{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }] },
    {
      errors: [
        { message: expect.stringContaining('request of its own'), extensions: { code: 'BAD_REQUEST' } },
      ],
    },
    { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
  ]);
  expect(JSON.stringify(results)).not.toContain('"http"');
});

describe('a batch', () => {
  test('has at most ten operations', async ({ application }) => {
    const send = (count: number) =>
      sendBatch(
        application.url,
        Array.from({ length: count }, () => ({ query: ME })),
      );
    expect(await send(10)).toMatchObject({ status: 200, results: { length: 10 } });
    expect(await send(11)).toMatchObject({
      status: 413,
      results: { errors: [{ message: expect.stringContaining('10'), extensions: { code: 'BAD_REQUEST' } }] },
    });
  });

  test('counts as many requests and mutations as it has, and gives a viewer no more than one has', async () => {
    const application = await startTestApplication({
      BLADE_ROLES: 'api',
      BLADE_MAX_BATCH_OPERATIONS: '5',
      BLADE_REQUESTS_PER_SECOND: '1',
      BLADE_MUTATIONS_PER_MINUTE: '2',
      ...SECRET_SETTINGS,
    });
    onTestFinished(() => application.close());
    const authorization = await bearer();
    const start = { query: 'mutation { startSync(input: { syncType: FULL }) { __typename } }' };
    const first = await sendBatch(application.url, [start, start, start], { authorization });
    expect(first.results.map(({ data }: { data?: unknown }) => data).filter(Boolean)).toEqual([
      { startSync: { __typename: 'ForbiddenError' } },
      { startSync: { __typename: 'ForbiddenError' } },
    ]);
    expect(JSON.stringify(first.results)).toContain('RATE_LIMITED');
    // Ten requests in ten seconds: three are used up, and five more leave too few for another five.
    const five = Array.from({ length: 5 }, () => ({ query: ME }));
    expect((await sendBatch(application.url, five, { authorization })).status).toBe(200);
    expect(await sendBatch(application.url, five, { authorization })).toMatchObject({
      status: 429,
      results: { errors: [{ extensions: { code: 'RATE_LIMITED' } }] },
    });
  });
});
