import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, vi } from 'vitest';
import WebSocket from 'ws';
import { DASHBOARD_FOLDER } from '../../src/api/http/dashboard-files.ts';
import { insertJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { openWebSocket } from '../support/open-web-socket.ts';
import { DataSources, JobChanges, JobProgress, SyncProgress } from '../support/operations.ts';
import { subscribe, type Transport } from '../support/subscriber.ts';
import { addSource } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const TRANSPORTS: Transport[] = ['WebSocket', 'server-sent events'];

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api' });
});

afterAll(() => application.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, application.url), {
    headers: { 'x-requested-with': 'test', ...headers },
    redirect: 'manual',
  });
}

function post(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(application.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const toPath = (query: string) => `/graphql?query=${encodeURIComponent(query)}`;

describe('an unexpected error', () => {
  /** While it runs, the database has no table of data sources. */
  async function withoutTheTable<Result>(run: () => Promise<Result>): Promise<Result> {
    const { pool } = application.database;
    await pool.query('alter table data_source rename to data_source_away');
    try {
      return await run();
    } finally {
      await pool.query('alter table data_source_away rename to data_source');
    }
  }

  const SAVE = `mutation { createDataSource(input: {
    name: "Sorties", dataType: "sortie", catalogName: "a", schemaName: "b", tableName: "c"
  }) { __typename } }`;

  const requests: Record<string, () => Promise<{ errors?: readonly object[] | undefined }>> = {
    'of a query': () => application.client.sendRaw(DataSources.toString()),
    'of a mutation with a union of its own': () => application.client.sendRaw(SAVE),
    'of a query over WebSocket': () => firstAnswer('WebSocket', DataSources.toString()),
    'of a query over server-sent events': () => firstAnswer('server-sent events', DataSources.toString()),
  };

  async function firstAnswer(transport: Transport, query: string) {
    const subscription = subscribe(application.url, transport, query);
    const { value } = await subscription.next();
    await subscription.leave();
    return { errors: value?.errors };
  }

  test.each(Object.keys(requests))(
    '%s is told by an id alone, under which the log has its cause',
    async (name) => {
      const { errors } = await withoutTheTable(() => requests[name]?.() ?? Promise.reject(new Error()));
      expect(errors).toEqual([
        expect.objectContaining({
          message: expect.stringMatching(
            /^Unexpected error. Find its cause in the log under [0-9a-f-]{36}\.$/,
          ),
          extensions: {
            code: 'INTERNAL_SERVER_ERROR',
            errorId: expect.stringMatching(/^[0-9a-f-]{36}$/),
            requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
        }),
      ]);
      const [error] = errors as { message: string; extensions: { errorId: string } }[];
      const { errorId } = error?.extensions ?? {};
      expect(error?.message).toContain(errorId);

      const lines = application.log
        .map((line) => JSON.parse(line))
        .filter((line) => line.errorId === errorId);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatchObject({ level: 50, msg: 'a request failed unexpectedly' });
      expect(JSON.stringify(lines[0].err)).toMatch(/data_source.*does not exist/);
      expect(lines[0].err.stack).toContain('.ts:');
    },
  );

  test.each(TRANSPORTS)('of a subscription over %s is told so too', async (transport) => {
    const { pool } = application.database;
    await pool.query('alter table job rename to job_away');
    let answer: Awaited<ReturnType<typeof firstAnswer>>;
    try {
      answer = await firstAnswer(transport, 'subscription { syncProgress { state } }');
    } finally {
      await pool.query('alter table job_away rename to job');
    }
    expect(answer.errors).toMatchObject([
      {
        message: expect.stringContaining('Unexpected error'),
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: expect.any(String) },
      },
    ]);
    expect(JSON.stringify(answer)).not.toMatch(/job_away|does not exist|prisma/i);
  });

  test('does not fail later requests', async () => {
    await withoutTheTable(() => application.client.sendRaw(DataSources.toString()));
    expect(await application.client.send(DataSources, {})).toMatchObject({ dataSources: { nodes: [] } });
  });

  test('reveals nothing about the program or the database, like every other answer', async () => {
    const { database } = application;
    const answers = await withoutTheTable(() =>
      Promise.all([
        post(JSON.stringify({ query: DataSources.toString() })),
        post(JSON.stringify({ query: SAVE })),
        get(toPath('{ dataSources { nodes { name } } }')),
      ]),
    );
    answers.push(
      await post('garbage'),
      await post('[]'),
      await post('{}'),
      await post(JSON.stringify({ query: '{ nothing }' })),
      await post(
        JSON.stringify({ query: 'query ($id: ID!) { job(id: $id) { id } }', variables: { id: {} } }),
      ),
      await post('x', { 'content-type': 'application/octet-stream' }),
      await get(toPath('{ __schema { types { name description fields { name description } } } }')),
      await get('/nothing'),
      await get('/graphql', { accept: 'text/html' }),
      await get('/graphql/../../package.json'),
    );
    const texts = await Promise.all(
      answers.map(async (answer) => `${JSON.stringify([...answer.headers])}\n${await answer.text()}`),
    );
    const { username, password, pathname, port } = new URL(database.connectionString);
    const secrets = [
      database.connectionString,
      `${username}:${password}@`,
      `:${port}${pathname}`,
      application.warehouseFolder,
      process.cwd(),
      '/src/api/',
    ];
    expect(texts.length).toBe(13);
    for (const text of texts) {
      for (const secret of secrets)
        expect(text.includes(secret), `${secret} in ${text.slice(0, 500)}`).toBe(false);
    }
  });
});

describe('in a browser', () => {
  test('the root is the dashboard or, if that has not been built, redirects to GraphiQL', async () => {
    const answer = await get('/', { accept: 'text/html' });
    if (existsSync(join(DASHBOARD_FOLDER, 'index.html'))) {
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<div id="root">');
      return;
    }
    expect(answer.status).toBe(302);
    expect(new URL(answer.headers.get('location') ?? '', application.url).href).toBe(application.url);
  });

  test('GraphiQL is one page that loads nothing from other sites', async () => {
    const answer = await get('/graphql', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
    const page = await answer.text();
    expect(page).toContain('<title>BLADE Ingestion</title>');
    expect(page).toContain('renderYogaGraphiQL(');
    expect(page).toContain('mutation StartSync');

    const tags = [...page.matchAll(/<(?:script|link|img|iframe|source|object|embed|base|form)\b[^>]*>/gi)];
    expect(tags.length).toBeGreaterThan(1);
    const loads = tags
      .flatMap(([tag]) => [...tag.matchAll(/\b(?:src|href|data|action)\s*=\s*["']?([^"'\s>]+)/gi)])
      .map(([, target = '']) => target);
    expect(loads.filter((target) => /^(?:https?:|wss?:)?\/\//i.test(target))).toEqual([]);
    const imports = page.matchAll(
      /(?:\bimport\s*\(\s*|\bimport\s+(?:[\w{}\s,*]+from\s+)?|@import\s+(?:url\()?|\burl\(\s*|\bimportScripts\(\s*|\bfetch\(\s*|new Worker\(\s*|new WebSocket\(\s*)["'`](?:https?:|wss?:)?\/\/[^"'`]*/gi,
    );
    expect([...imports].map(([text]) => text)).toEqual([]);
  });

  test.each([
    ['gzip', true],
    ['br, GZIP;q=0.5', true],
    ['gzip;q=0, identity', false],
    ['identity', false],
  ])('GraphiQL is compressed for a client that accepts it: %s', async (accepted, isCompressed) => {
    const answer = await get('/graphql', { accept: 'text/html', 'accept-encoding': accepted });
    expect(answer.headers.get('content-encoding')).toBe(isCompressed ? 'gzip' : null);
    expect(answer.headers.get('vary')).toBe('Origin, accept-encoding');
    expect(Number(answer.headers.get('content-length')) < 3_000_000).toBe(isCompressed);
    expect(await answer.text()).toMatch(/renderYogaGraphiQL\(.*<\/html>\s*$/s);
  });
});

describe('over HTTP', () => {
  test.each([
    ['application/json', 'gzip', true],
    ['application/graphql-response+json', 'br, gzip', true],
    ['application/json', 'identity', false],
  ])(
    'a large answer as %s to a client that accepts %s is compressed: %s',
    async (accept, coding, isCompressed) => {
      const schema = '{ __schema { types { name description fields { name description } } } }';
      const answer = await get(toPath(schema), { accept, 'accept-encoding': coding });
      expect(answer.headers.get('content-type')).toContain(accept);
      expect(answer.headers.get('content-encoding')).toBe(isCompressed ? 'gzip' : null);
      expect(answer.headers.get('vary')).toBe('Origin, accept-encoding');
      const sent = Number(answer.headers.get('content-length'));
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ data: { __schema: { types: expect.any(Array) } } });
      expect(sent < Buffer.byteLength(text) / 3).toBe(isCompressed);
    },
  );

  test('a small answer, and a stream, are sent as they are', async () => {
    const small = await get(toPath('{ __typename }'), { 'accept-encoding': 'gzip' });
    expect(small.headers.get('content-encoding')).toBeNull();
    const stream = await get(toPath('subscription { jobChanges { __typename } }'), {
      ...{ accept: 'text/event-stream', 'accept-encoding': 'gzip' },
    });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.headers.get('content-encoding')).not.toBe('gzip');
    await stream.body?.cancel();
  });

  test('a query can be a GET', async () => {
    const answer = await get(toPath('query ($first: Int) { dataSources(first: $first) { nodes { name } } }'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ data: { dataSources: { nodes: [] } } });
  });

  test('a mutation cannot be a GET, because links and images send those', async () => {
    const query = `mutation { createDataSource(input: {
      name: "By a link", dataType: "sortie", catalogName: "a", schemaName: "b", tableName: "c"
    }) { __typename } }`;
    for (const accept of ['application/json', '*/*', 'text/event-stream']) {
      const answer = await get(toPath(query), { accept });
      expect(answer.status).toBe(405);
      expect(answer.headers.get('allow')).toBe('POST');
    }
    const { rows } = await application.database.pool.query(
      `select 1 from data_source where name = 'By a link'`,
    );
    expect(rows).toEqual([]);
  });

  test.each([
    ['no JSON', 'garbage', 400],
    ['a list', '[]', 400],
    ['no query', '{"variables":{}}', 400],
    ['a query that is no text', '{"query":7}', 400],
    ['a query that cannot be parsed', '{"query":"{"}', 400],
    ['a query of what there is not', '{"query":"{ nothing }"}', 400],
  ])('a body of %s is refused with a reason', async (_what, body, status) => {
    const answer = await post(body, { accept: 'application/graphql-response+json' });
    expect(answer.status).toBe(status);
    const { errors } = (await answer.json()) as { errors: { message: string }[] };
    expect(errors[0]?.message).toMatch(/\w/);
    expect(errors[0]?.message).not.toMatch(/Unexpected error/);
  });

  test.each(['//', '*', 'graphql', 'http://[', '/\\', '///[', 'http://evil.example/graphql'])(
    'what is asked for as %s is refused or not found, and the server lives on',
    async (path) => {
      const { hostname, port } = new URL(application.url);
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const asked = request({ hostname, port, path, method, agent: false }).end();
        const [answer] = (await once(asked, 'response')) as [IncomingMessage];
        answer.resume();
        expect([400, 403, 404]).toContain(answer.statusCode);
      }
      expect((await get('/health/live')).status).toBe(200);
    },
  );

  test.each(['variables', 'extensions'])(
    '%s of a GET or a form that are no JSON are told so',
    async (name) => {
      const unasked = { 'x-requested-with': 'test', accept: 'application/graphql-response+json' };
      const query = `query=%7B__typename%7D&${name}=x`;
      for (const answer of [
        await get(`/graphql?${query}`, unasked),
        await post(query, { ...unasked, 'content-type': 'application/x-www-form-urlencoded' }),
      ]) {
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
      }
    },
  );

  test.each(['bytes=9-1', 'bytes=99999999999-', 'bytes=-99999999999', 'x'])(
    'a page is given whole, whatever range of it is asked for: %s',
    async (range) => {
      const whole = await (await get('/')).text();
      const answer = await get('/', { range });
      expect([200, 302]).toContain(answer.status);
      expect(await answer.text()).toBe(whole);
    },
  );

  test('another path is not found', async () => {
    expect((await get('/nothing')).status).toBe(404);
  });
});

describe('a page of another site that somebody on this network visits', () => {
  const MUTATION = `mutation { createDataSource(input: {
    name: "By a page", dataType: "sortie", catalogName: "a", schemaName: "b", tableName: "c"
  }) { __typename } }`;

  async function expectNothingSaved() {
    const { rows } = await application.database.pool.query(
      `select 1 from data_source where name = 'By a page'`,
    );
    expect(rows).toEqual([]);
  }

  test.each(['https://evil.example', 'http://127.0.0.1:1', 'null'])(
    'cannot send a form, read an answer, or ask for leave, from %s',
    async (origin) => {
      const form = await post(new URLSearchParams({ query: MUTATION }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
        origin,
      });
      expect(form.status).toBe(403);
      const json = await post(JSON.stringify({ query: MUTATION }), { origin });
      expect(json.status).toBe(403);
      const asked = await fetch(application.url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      for (const answer of [form, json, asked]) {
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
      await expectNothingSaved();
    },
  );

  test('cannot send a form with files in it', async () => {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: MUTATION }));
    form.set('map', '{}');
    const answer = await fetch(application.url, { method: 'POST', body: form });
    expect(answer.status).toBe(403);
    await expectNothingSaved();
  });

  test('cannot open a WebSocket, which browsers let any page do', async () => {
    const open = (origin: string) => openWebSocket(application.url, origin);
    expect(await open('https://evil.example')).toMatch(/401|403/);
    expect(await open('null')).toMatch(/401|403/);
    expect(await open(new URL(application.url).origin)).toBe('open');
  });

  test('is not confused with our own page', async () => {
    const answer = await post(JSON.stringify({ query: '{ dataTypes { name } }' }), {
      origin: new URL(application.url).origin,
    });
    expect(answer.status).toBe(200);
  });
});

test('stopping ends every subscription, and accepts no new connection', async () => {
  const stopping = await startTestApplication({ BLADE_ROLES: 'api' });
  const { database, url } = stopping;
  const id = await insertJob(database, { state: 'RUNNING' });
  const subscriptions = TRANSPORTS.flatMap((transport) => [
    subscribe(url, transport, JobProgress.toString(), { id }),
    subscribe(url, transport, SyncProgress.toString()),
  ]);
  for (const subscription of subscriptions) await subscription.next();
  const all = subscribe(url, 'WebSocket', JobChanges.toString());
  await vi.waitFor(async () => {
    await writeRevision(database, id);
    expect(all.received.length).toBeGreaterThan(0);
  });
  subscriptions.push(all);
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  const code = new Promise<number>((resolve) => socket.once('close', resolve));

  const stopped = stopping.close();
  // 1001 is what tells a client to connect again: a server that goes away, not one that refuses.
  expect(await code).toBe(1001);
  await stopped;
  for (const subscription of subscriptions) {
    // How a client is told differs by protocol: that it is, and does not wait for ever, is what counts.
    const end = toEnd(subscription).then(
      () => 'complete',
      () => 'connection closed',
    );
    expect(['complete', 'connection closed']).toContain(await end);
  }
  await expect(fetch(url)).rejects.toThrow();
});

async function toEnd(subscription: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of subscription);
}

test.skipIf(inject('preparedDatabase').kind === 'embedded')(
  'stopping answers the requests that have come in already',
  async () => {
    const stopping = await startTestApplication({ BLADE_ROLES: 'api' });
    const { client, database } = stopping;
    await addSource(stopping, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
    const holder = await database.pool.connect();
    await holder.query('begin; lock table job');
    const started = client.startSync({ syncType: 'FULL' });
    await vi.waitFor(async () => {
      const { rowCount } = await database.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rowCount).toBe(1);
    }, 10_000);
    const { port } = new URL(stopping.url);
    const stopped = stopping.stop();
    await vi.waitFor(() => expect(fetch(`http://127.0.0.1:${port}/health/live`)).rejects.toThrow(), 10_000);
    await holder.query('rollback');
    holder.release();
    expect(await started).toMatchObject({ state: 'QUEUED' });
    await stopped;
    await stopping.close();
  },
);
