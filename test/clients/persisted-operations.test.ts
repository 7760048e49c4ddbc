import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { describe, expect, onTestFinished } from 'vitest';
import { test } from '../support/on-server.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication } from '../support/test-application.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const byHash = (hash: string, query?: string) => ({
  query,
  extensions: { persistedQuery: { version: 1, sha256Hash: hash } },
});

async function post(url: string, body: object) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...((await answer.json()) as object) };
}

/** Counts requests, and those that have the text of an operation. */
function createCounter() {
  const counts = { requests: 0, texts: 0 };
  const count = (input: RequestInfo | URL, init?: RequestInit) => {
    counts.requests++;
    const url = new URL(String(input instanceof Request ? input.url : input));
    if (url.searchParams.has('query') || /"query":/.test(String(init?.body ?? ''))) counts.texts++;
    return fetch(input, init);
  };
  return { counts, fetch: count };
}

test.for([false, true])(
  "Apollo's persisted-query link sends the text once, and then the hash (by GET: %s)",
  async (useGETForHashedQueries, { application }) => {
    const counter = createCounter();
    const ask = async () => {
      const client = new ApolloClient({
        link: ApolloLink.from([
          new PersistedQueryLink({ sha256: async (text: string) => sha256(text), useGETForHashedQueries }),
          new HttpLink({ uri: application.url, fetch: counter.fetch }),
        ]),
        cache: new InMemoryCache(),
      });
      onTestFinished(() => client.stop());
      const { data } = await client.query<{ me: { role: string } }>({
        query: useGETForHashedQueries ? gql`query ByGet { me { role } }` : gql`query ByPost { me { role } }`,
      });
      expect(data?.me.role).toBe('ADMIN');
    };
    await ask();
    expect(counter.counts).toEqual({ requests: 2, texts: 1 });
    await ask();
    expect(counter.counts).toEqual({ requests: 3, texts: 1 });
  },
);

test("urql's persistedExchange sends the text once, and then the hash", async ({ application }) => {
  const counter = createCounter();
  const ask = async () => {
    const client = new Client({
      url: application.url,
      preferGetMethod: false,
      fetch: counter.fetch as typeof fetch,
      exchanges: [persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange],
    });
    const { data, error } = await client.query('query FromUrql { me { role } }', {}).toPromise();
    expect(error).toBeUndefined();
    expect(data?.me.role).toBe('ADMIN');
  };
  await ask();
  await ask();
  expect(counter.counts).toEqual({ requests: 3, texts: 1 });
});

describe('a hash', () => {
  test('that is not the hash of its text is refused, and puts nothing in the place of another text', async ({
    application: { url },
  }) => {
    const hash = sha256('query Victim { me { role } }');
    expect(await post(url, byHash(hash, 'query Attacker { me { clearance } }'))).toMatchObject({
      status: 400,
      errors: [{ extensions: { code: 'PERSISTED_QUERY_MISMATCH' } }],
    });
    expect(await post(url, byHash(hash))).toMatchObject({
      errors: [{ message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }],
    });
  });

  test('cannot run a mutation by GET', async ({ application: { url } }) => {
    const query = 'mutation Stop { stopSync { __typename } }';
    expect(await post(url, byHash(sha256(query), query))).toMatchObject({ status: 200 });
    const extensions = encodeURIComponent(JSON.stringify(byHash(sha256(query)).extensions));
    const headers = { 'x-requested-with': 'test' };
    expect((await fetch(`${url}?extensions=${extensions}`, { headers })).status).toBe(405);
  });
});

describe('with a list of operations', () => {
  const LISTED = 'query Listed { me { role } }';
  const WATCHED = 'subscription Listed { syncProgress { state } }';
  const NOT_LISTED = 'query NotListed { me { clearance } }';

  test.for([
    { [sha256(LISTED)]: LISTED, [sha256(WATCHED)]: WATCHED },
    {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [LISTED, WATCHED].map((body) => ({
        id: sha256(body),
        name: 'Listed',
        type: 'query',
        body,
      })),
    },
  ])('only these run, on every transport', async (list, { folder }) => {
    const file = join(folder, 'operations.json');
    await writeFile(file, JSON.stringify(list));
    const application = await startTestApplication({ BLADE_ROLES: 'api', BLADE_PERSISTED_OPERATIONS: file });
    onTestFinished(() => application.close());
    const { url } = application;
    const data = { me: { role: 'ADMIN' } };
    expect(await post(url, byHash(sha256(LISTED)))).toMatchObject({ status: 200, data });
    expect(await post(url, { query: 'query Listed {\n  me {\n    role\n  }\n}' })).toMatchObject({ data });
    const refused = { errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_IN_LIST' } }] };
    for (const body of [
      { query: NOT_LISTED },
      byHash(sha256(NOT_LISTED)),
      byHash(sha256(LISTED), NOT_LISTED),
      byHash(sha256(NOT_LISTED), NOT_LISTED),
      byHash('__proto__'),
    ])
      expect(await post(url, body)).toMatchObject({ status: 403, ...refused });
    for (const transport of TRANSPORTS) {
      const listed = subscribe(url, transport, WATCHED);
      expect((await listed.next()).value?.data).toBeTruthy();
      await listed.leave();
      const other = subscribe(url, transport, 'subscription Other { syncProgress { state } }');
      const end = await other.next().then(
        ({ value }) => value,
        (error: unknown) => ({ error, text: String(error) }),
      );
      expect(JSON.stringify(end) + String((end as { text?: string }).text)).toMatch(
        /PERSISTED_QUERY_NOT_IN_LIST|403|not on it/,
      );
      await other.leave();
    }
  });

  test('a list that cannot be read ends the start with the reason', async ({ folder }) => {
    const file = join(folder, 'operations.json');
    await writeFile(file, '[1]');
    await expect(
      startTestApplication({ BLADE_ROLES: 'api', BLADE_PERSISTED_OPERATIONS: file }),
    ).rejects.toThrow(/BLADE_PERSISTED_OPERATIONS must name/);
    await expect(
      startTestApplication({ BLADE_ROLES: 'api', BLADE_PERSISTED_OPERATIONS: `${file}.missing` }),
    ).rejects.toThrow(/BLADE_PERSISTED_OPERATIONS names a file that cannot be read/);
  });
});
