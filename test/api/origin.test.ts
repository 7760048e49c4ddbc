import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { DASHBOARD_FOLDER } from '../../src/api/http/dashboard-files.ts';
import { test } from '../support/on-server.ts';
import { openWebSocket } from '../support/open-web-socket.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const ALLOWED = 'https://blade.example.com';
const QUERY = JSON.stringify({ query: '{ dataTypes { name } }' });

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api', BLADE_ALLOWED_ORIGINS: ALLOWED });
});

afterAll(() => application.close());

/** A request with headers that `fetch` would set itself. */
function send(
  headers: Record<string, string>,
  {
    method = 'POST',
    path = '/graphql',
    body = QUERY,
  }: { method?: string; path?: string; body?: string } = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(application.url);
    const request = httpRequest({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    request.on('error', reject);
    request.end(method === 'POST' ? body : undefined);
  });
}

const json = { 'content-type': 'application/json' };

describe('an allowed site', () => {
  test('may send requests from its pages and read the answers', async () => {
    const asked = await send(
      { origin: ALLOWED, 'access-control-request-method': 'POST' },
      { method: 'OPTIONS' },
    );
    expect(asked.status).toBe(204);
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': ALLOWED,
      'access-control-allow-credentials': 'true',
      'access-control-allow-headers': expect.stringMatching(/authorization.*content-type/),
      vary: expect.stringContaining('Origin'),
    });
    const answer = await send({ ...json, origin: ALLOWED });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': ALLOWED });
  });

  test('may open WebSockets', async () => {
    const open = (origin: string) => openWebSocket(application.url, origin);
    expect(await open(ALLOWED)).toBe('open');
    expect(await open('https://evil.example')).toMatch(/401|403/);
    expect(await open(`${ALLOWED}.evil.example`)).toMatch(/401|403/);
  });

  test('may be the host name that a proxy forwards', async () => {
    expect((await send({ ...json, host: 'blade.example.com', origin: ALLOWED })).status).toBe(200);
  });
});

describe('an allowed site without credentials', () => {
  const path = `/graphql?query=${encodeURIComponent('{ dataTypes { name } }')}`;

  test('may send queries by GET, also from links on its pages', async () => {
    const site = { 'sec-fetch-site': 'cross-site' };
    const asked = await send({ ...site, origin: ALLOWED }, { method: 'GET', path });
    expect(asked.status).toBe(200);
    expect(asked.headers['access-control-allow-origin']).toBe(ALLOWED);
    expect((await send({ ...site, referer: `${ALLOWED}/page` }, { method: 'GET', path })).status).toBe(200);
  });

  test('may send any header, and every method that a client needs', async () => {
    const names = 'apollo-require-preflight,x-graphql-event-stream-token,x-of-our-own';
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const { status, headers } = await send(
        { origin: ALLOWED, 'access-control-request-method': method, 'access-control-request-headers': names },
        { method: 'OPTIONS' },
      );
      expect(status).toBe(204);
      expect(headers['access-control-allow-methods']).toContain(method);
      expect(headers['access-control-allow-headers']).toBe(names);
    }
  });

  test.each([
    ['a path that is unknown', { path: '/nothing' }, {}],
    ['a host that is unknown', {}, { host: 'evil.example' }],
    ['a body that is too large', {}, { 'content-length': '3000000' }],
    [
      'a subscription as JSON',
      { body: '{"query":"subscription { syncProgress { state } }"}' },
      { accept: 'application/json' },
    ],
  ])('can read why %s is refused', async (_what, request, headers) => {
    const answer = await send({ ...json, origin: ALLOWED, ...headers }, request);
    expect(answer.headers['access-control-allow-origin']).toBe(ALLOWED);
  });
});

describe('a page behind a proxy that changes the host', () => {
  const from = (origin: string, site: string) => send({ ...json, origin, 'sec-fetch-site': site });

  test('on this machine is answered if the browser says that both have one origin', async () => {
    for (const origin of ['http://localhost:5173', 'http://127.0.0.1:8080', 'http://[::1]:3000'])
      expect((await from(origin, 'same-origin')).status).toBe(200);
  });

  test('is refused otherwise, with what would work', async () => {
    for (const [origin, site] of [
      ['http://localhost:5173', 'same-site'],
      ['http://localhost:5173', 'cross-site'],
      ['http://evil.example', 'same-origin'],
      ['http://localhost.evil.example', 'same-origin'],
      ['null', 'same-origin'],
    ] as const) {
      const answer = await from(origin, site);
      expect(answer.status, `${origin} ${site}`).toBe(403);
      expect(answer.text).toMatch(/BLADE_ALLOWED_ORIGINS.*changeOrigin/);
    }
  });
});

describe('another site', () => {
  test.each(['https://evil.example', `${ALLOWED}.evil.example`, 'http://blade.example.com', 'null'])(
    'gets nothing: %s',
    async (origin) => {
      for (const answer of [
        await send({ ...json, origin }),
        await send({ origin, 'access-control-request-method': 'POST' }, { method: 'OPTIONS' }),
      ]) {
        expect(answer.status).toBe(403);
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        expect(answer.text).toContain('FOREIGN_ORIGIN');
      }
    },
  );

  test('that points its own host name at this machine gets nothing', async () => {
    for (const host of ['evil.example', 'evil.example:4000', 'localhost.evil.example', '[::2]']) {
      const answer = await send({ ...json, host, origin: `http://${host}` });
      expect(answer.status).toBe(421);
      expect(answer.text).not.toContain('"data"');
    }
  });

  test.each(['localhost', '127.0.0.1', '[::1]'])('is not what %s is', async (name) => {
    const host = `${name}:${new URL(application.url).port}`;
    expect((await send({ ...json, host, origin: `http://${host}` })).status).toBe(200);
  });
});

describe('a request that a browser sends for a page without a preflight and without an origin', () => {
  const path = `/graphql?query=${encodeURIComponent('{ dataTypes { name } }')}`;
  const get = (headers: Record<string, string>) => send(headers, { method: 'GET', path });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'a POST of %s is refused',
    async (type) => {
      const answer = await send({ 'content-type': type });
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('"data"');
    },
  );

  test('a GET from an image, a link or a script is refused', async () => {
    const stream = { accept: 'text/event-stream', 'sec-fetch-site': 'cross-site' };
    for (const headers of [
      {},
      stream,
      { 'sec-fetch-site': 'cross-site' },
      { referer: 'https://evil.example/page' },
    ])
      expect((await get(headers)).status).toBe(403);
  });

  test('a GET from a program, from our own page or from the address bar is answered', async () => {
    const referer = new URL('/', application.url).href;
    for (const headers of [
      { 'x-requested-with': 'x' },
      { 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      { referer },
    ])
      expect((await get(headers)).status).toBe(200);
  });
});

test('no page may be framed or sniffed, or load anything from other sites', async () => {
  const answer = await send(json);
  const page = await send({ accept: 'text/html' }, { method: 'GET' });
  for (const { headers } of [answer, page]) {
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    expect(headers['referrer-policy']).toBeDefined();
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  }
  expect(answer.headers['content-security-policy']).not.toContain('script-src');
});

test.skipIf(!existsSync(DASHBOARD_FOLDER))(
  'a page that a browser has kept, and asks for again, keeps what it may load',
  async () => {
    const first = await send({}, { method: 'GET', path: '/' });
    expect(first.headers['content-security-policy']).toContain("script-src 'self'");
    const again = await send({ 'if-none-match': String(first.headers.etag) }, { method: 'GET', path: '/' });
    expect(again.status).toBe(304);
    expect(again.headers['content-security-policy'] ?? '').not.toMatch(
      /^default-src 'none'; frame-ancestors/,
    );
    expect(again.headers['x-frame-options']).toBe('DENY');
  },
);
