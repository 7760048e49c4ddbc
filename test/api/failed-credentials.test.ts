import { afterEach, beforeEach, describe, expect, vi } from 'vitest';
import WebSocket from 'ws';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const LIMIT = 3;
let application: TestApplication;

async function start(environment: Record<string, string> = {}): Promise<void> {
  application = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_API_KEYS: 'true',
    BLADE_FAILED_CREDENTIALS_PER_MINUTE: String(LIMIT),
    ...SECRET_SETTINGS,
    ...environment,
  });
}

afterEach(async () => {
  vi.useRealTimers();
  await application.close();
});

/** Credentials that are no good, each another one. */
let guesses = 0;
const guess = () => `Bearer blade_${String(guesses++).padStart(43, 'A')}`;

/** Asks over HTTP, from an address as a proxy tells it. */
function ask(authorization?: string, accept = 'application/json', forwardedFor?: string) {
  return fetch(application.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept,
      ...(authorization === undefined ? {} : { authorization }),
      ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
    },
    body: JSON.stringify({ query: '{ dataTypes { name } }' }),
  });
}

/** How a WebSocket with this credential ends: acknowledged, or closed with a code. */
function connect(authorization: string, forwardedFor?: string): Promise<string> {
  const socket = new WebSocket(application.url.replace(/^http/, 'ws'), 'graphql-transport-ws', {
    headers: forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor },
  });
  return new Promise((resolve) => {
    socket.on('open', () =>
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } })),
    );
    socket.on('message', (message) => {
      resolve(JSON.parse(String(message)).type);
      socket.close();
    });
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
}

async function collectStatuses(count: number, authorization: () => string, forwardedFor?: string) {
  const statuses: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    statuses.push((await ask(authorization(), undefined, forwardedFor)).status);
  }
  return statuses;
}

describe('a client that guesses credentials', () => {
  beforeEach(() => start());

  test.each(['application/json', 'application/graphql-response+json', 'text/event-stream'])(
    'is told when to try again by %s',
    async (accept) => {
      expect(await collectStatuses(LIMIT, guess)).toEqual([401, 401, 401]);
      const refused = await ask(guess(), accept);
      expect(refused.status).toBe(429);
      const seconds = Number(refused.headers.get('retry-after'));
      expect(seconds).toBeGreaterThanOrEqual(1);
      expect(seconds).toBeLessThanOrEqual(60);
      const text = await refused.text();
      expect(text).toContain('"code":"RATE_LIMITED"');
      expect(text).toContain(`too many credentials were refused: try again in ${seconds} s`);
    },
  );

  test('has its WebSockets closed with a code for trying again later', async () => {
    for (let sent = 0; sent < LIMIT; sent += 1) expect(await connect(guess())).toMatch(/^4403 /);
    expect(await connect(guess())).toMatch(/^1013 too many credentials were refused/);
  });

  test('is counted across all transports', async () => {
    await ask(guess());
    await connect(guess());
    const metrics = new URL('/metrics', application.url);
    expect((await fetch(metrics, { headers: { authorization: guess() } })).status).toBe(401);
    expect((await ask(guess())).status).toBe(429);
    expect(await connect(guess())).toMatch(/^1013 /);
    const refused = await fetch(metrics, { headers: { authorization: guess() } });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  test('does not learn whether a guess was right', async () => {
    await collectStatuses(LIMIT, guess);
    expect((await ask(await bearer())).status).toBe(429);
    expect(await connect(await bearer())).toMatch(/^1013 /);
  });

  test('can try again after a minute', async () => {
    const good = await bearer();
    vi.useFakeTimers({ toFake: ['Date'] });
    await collectStatuses(LIMIT, guess);
    expect((await ask(good)).status).toBe(429);
    vi.setSystemTime(Date.now() + 60_000);
    expect((await ask(good)).status).toBe(200);
    expect(await collectStatuses(LIMIT + 1, guess)).toEqual([401, 401, 401, 429]);
  });

  test('is logged once, without the credentials', async () => {
    const sent = guess();
    await collectStatuses(LIMIT + 2, () => sent);
    const lines = application.log.filter((line) => line.includes('no more are checked'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ address: '127.0.0.1' });
    expect(application.log.join('\n')).not.toContain(sent.slice('Bearer '.length));
  });

  test('cannot hide behind forged addresses', async () => {
    let sender = 0;
    for (let sent = 0; sent < LIMIT; sent += 1) await ask(guess(), undefined, `192.0.2.${sender++}`);
    expect((await ask(guess(), undefined, `192.0.2.${sender++}`)).status).toBe(429);
  });
});

describe('a client that does not guess', () => {
  beforeEach(() => start());

  test('keeps access while somebody at the same address guesses', async () => {
    const good = await bearer();
    expect((await ask(good)).status).toBe(200);
    await collectStatuses(LIMIT + 5, guess);
    expect(await collectStatuses(3, () => good)).toEqual([200, 200, 200]);
    expect(await connect(good)).toBe('connection_ack');
  });

  test('is not counted for valid credentials or none', async () => {
    const good = await bearer();
    expect(await collectStatuses(LIMIT * 3, () => good)).toEqual(Array(LIMIT * 3).fill(200));
    for (let sent = 0; sent < LIMIT * 3; sent += 1) expect((await ask()).status).toBe(401);
    expect((await ask(await bearer({ sub: 'other' }))).status).toBe(200);
  });
});

test('a credential that is no longer valid is counted like any other', async () => {
  await start();
  const expiring = await bearer({ exp: Math.floor(Date.now() / 1000) + 60 });
  expect((await ask(expiring)).status).toBe(200);
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(Date.now() + 120_000);
  expect(await collectStatuses(LIMIT + 1, () => expiring)).toEqual([401, 401, 401, 429]);
});

describe('behind a proxy that forwards addresses', () => {
  beforeEach(() => start({ BLADE_PROXIES: '1' }));

  test('each client is counted by its own address, whatever it added to the header', async () => {
    expect(await collectStatuses(LIMIT + 1, guess, '198.51.100.7, 192.0.2.1')).toEqual([401, 401, 401, 429]);
    expect((await ask(guess(), undefined, '203.0.113.9, 192.0.2.1:4711')).status).toBe(429);
    expect(await connect(guess(), '192.0.2.1')).toMatch(/^1013 /);
    expect((await ask(await bearer(), undefined, '192.0.2.1, 192.0.2.2')).status).toBe(200);
    expect(await connect(await bearer({ sub: 'other' }), '192.0.2.2')).toBe('connection_ack');
  });

  test('an IPv6 network counts as one address, because each machine in it has many', async () => {
    let machine = 1;
    for (let sent = 0; sent < LIMIT; sent += 1) {
      await ask(guess(), undefined, `2001:db8:0:7::${(machine++).toString(16)}`);
    }
    expect((await ask(guess(), undefined, '2001:db8:0:7:ffff:1:2:3')).status).toBe(429);
    expect((await ask(guess(), undefined, '2001:db8:0:8::1')).status).toBe(401);
  });

  test.each([
    ['nothing', ''],
    ['a word', 'unknown'],
    ['commas', ',,,'],
    ['a long text', 'x'.repeat(5_000)],
    ['numbers out of range', '999.1.1.1'],
  ])('an invalid address, such as %s, counts as that of the proxy', async (_name, forwardedFor) => {
    await collectStatuses(LIMIT, guess, forwardedFor);
    expect((await ask(guess())).status).toBe(429);
  });
});
