import { UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import WebSocket from 'ws';
import { createApiKey, type NewApiKey, revokeApiKey } from '../../src/access/api-keys.ts';
import { localPrincipal } from '../../src/access/principal.ts';
import type { PrismaClient } from '../../src/database/generated/prisma/client.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { createApiClient } from '../support/api-client.ts';
import {
  bearer,
  createClaims,
  ISSUER,
  SECRET_SETTINGS,
  startTokenIssuer,
  type TokenIssuer,
} from '../support/credentials.ts';
import { test } from '../support/on-server.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

const QUERY = '{ dataTypes { name } }';
const WATCH = 'subscription { syncProgress { state } }';

let application: TestApplication;
let prisma: PrismaClient;

beforeAll(async () => {
  application = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_API_KEYS: 'true',
    BLADE_GRAPHIQL: 'true',
    ...SECRET_SETTINGS,
  });
  prisma = createPrismaClient(application.database.connectionString, { maxConnections: 1 });
});

afterAll(async () => {
  await prisma.$disconnect();
  await application.close();
});

async function makeKey(settings: Partial<NewApiKey> = {}) {
  const { key, apiKey } = await createApiKey(prisma, localPrincipal, {
    ...{ name: 'nightly report', role: 'viewer', clearance: 'SECRET', expiresAt: null },
    ...settings,
  });
  return { id: apiKey.id, authorization: `Bearer ${key}` };
}

function post(authorization?: string, headers: Record<string, string> = {}, query = QUERY) {
  return fetch(application.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
      ...headers,
    },
    body: JSON.stringify({ query }),
  });
}

/** How a WebSocket that sends this payload ends: acknowledged, or closed with a code. */
function connect(payload?: object): Promise<string> {
  const socket = new WebSocket(application.url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('message', (message) => {
      resolve(JSON.parse(String(message)).type);
      socket.close();
    });
    socket.on('close', (code, reason) => resolve(`${code} ${reason}`));
  });
}

describe('without a credential', () => {
  test('every HTTP request is refused', async () => {
    const requests = [
      post(),
      post(undefined, { accept: 'application/graphql-response+json' }),
      post(undefined, { accept: 'text/event-stream' }, WATCH),
      post(undefined, {}, 'nonsense'),
      post(undefined, {}, '{ __schema { types { name } } }'),
      fetch(`${application.url}?query=${encodeURIComponent(QUERY)}`),
      fetch(application.url, { method: 'POST', body: 'garbage' }),
    ];
    for (const answer of await Promise.all(requests)) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      const text = await answer.text();
      expect(text).toContain('"code":"UNAUTHENTICATED"');
      expect(text).not.toContain('"data"');
    }
  });

  test('a WebSocket is closed with a code that tells clients not to retry', async () => {
    expect(await connect()).toMatch(/^4401 /);
    expect(await connect({})).toMatch(/^4401 /);
    expect(await connect({ headers: {} })).toMatch(/^4401 /);
  });

  test('the page of GraphiQL and the health of the server are shown', async () => {
    const page = await fetch(application.url, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('"subscriptionsProtocol":"SSE"');
    for (const path of ['/health/live', '/health/ready']) {
      expect((await fetch(new URL(path, application.url))).status).toBe(200);
    }
  });

  test('no page runs code from its address', async () => {
    const answer = await fetch(`${application.url}?query=${encodeURIComponent(QUERY)}`, {
      headers: { accept: 'text/html' },
    });
    expect(await answer.text()).not.toContain('sortie');
  });
});

describe('an invalid credential', () => {
  const inAnHour = Math.floor(Date.now() / 1000) + 3600;
  const bad: Record<string, () => string | Promise<string>> = {
    'of another kind': () => 'Basic dXNlcjpwYXNz',
    'no token at all': () => 'Bearer nonsense',
    'two of them': async () => `${await bearer()} ${await bearer()}`,
    'signed with another secret': () => bearer({}, 'another-secret-of-tests-of-the-same-length'),
    'not signed': () => `Bearer ${new UnsecuredJWT(createClaims()).encode()}`,
    expired: () => bearer({ exp: Math.floor(Date.now() / 1000) - 60 }),
    'that never expires': () => bearer({ exp: undefined }),
    'not good yet': () => bearer({ nbf: inAnHour }),
    'of another issuer': () => bearer({ iss: 'https://evil.example' }),
    'meant for another service': () => bearer({ aud: 'payroll' }),
    'of nobody': () => bearer({ sub: '' }),
    'of somebody without a name': () => bearer({ sub: undefined }),
    'with the name of the program itself': () => bearer({ sub: 'scheduler' }),
    'with the name of an API key': () => bearer({ sub: 'key:01997f3e-8c1a-7000-8000-000000000000' }),
    'with a name that cannot be stored': () => bearer({ sub: 'a\u0000b' }),
    'with an unknown role': () => bearer({ role: 'root' }),
    'with an unknown role beside a known one': () => bearer({ role: ['viewer', 'root'] }),
    'with a role that is no text': () => bearer({ role: { admin: true } }),
    'with an unknown clearance': () => bearer({ clearance: 'COSMIC' }),
    'with a clearance that is no text': () => bearer({ clearance: 4 }),
    'an unknown key': () => `Bearer blade_${'A'.repeat(43)}`,
    'an expired key': async () => (await makeKey({ expiresAt: new Date(Date.now() - 1) })).authorization,
    'a revoked key': async () => {
      const { id, authorization } = await makeKey();
      await revokeApiKey(prisma, localPrincipal, id);
      return authorization;
    },
  };

  test.each(Object.keys(bad))('%s is refused over every transport', async (name) => {
    const authorization = (await bad[name]?.()) ?? '';
    for (const accept of ['application/json', 'application/graphql-response+json', 'text/event-stream']) {
      const answer = await post(authorization, { accept }, accept === 'text/event-stream' ? WATCH : QUERY);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", error_desc/);
      expect(await answer.text()).toContain('"code":"UNAUTHENTICATED"');
    }
    expect(await connect({ authorization })).toMatch(/^4403 \w/);
  });

  test('is in no log line', async () => {
    const authorization = await bearer({ role: 'root' });
    await post(authorization);
    await connect({ authorization });
    const log = application.log.join('\n');
    expect(log).toContain('a credential was refused');
    expect(log).not.toContain(authorization.slice('Bearer '.length));
  });
});

describe('a valid credential', () => {
  test('is accepted over HTTP, server-sent events and WebSocket', async () => {
    for (const authorization of [await bearer(), (await makeKey()).authorization]) {
      expect((await post(authorization)).status).toBe(200);
      for (const transport of TRANSPORTS) {
        const subscription = subscribe(application.url, transport, WATCH, {}, authorization);
        expect(await subscription.next()).toMatchObject({
          value: { data: { syncProgress: { state: 'NO_SYNC_JOB' } } },
        });
        await subscription.leave();
      }
    }
  });

  test('is found wherever WebSocket clients put it', async () => {
    const authorization = await bearer();
    for (const payload of [
      { authorization },
      { Authorization: authorization },
      { headers: { authorization } },
      { headers: { Authorization: authorization } },
    ]) {
      expect(await connect(payload)).toBe('connection_ack');
    }
  });

  test('the use of a key is recorded', async () => {
    const { id, authorization } = await makeKey();
    await post(authorization);
    await vi.waitFor(async () => {
      expect((await prisma.apiKey.findUniqueOrThrow({ where: { id } })).lastUsedAt).toBeInstanceOf(Date);
    }, 10_000);
  });

  test('only the hash of a key is stored', async () => {
    const { id, authorization } = await makeKey();
    const row = await application.database.pool.query('select api_key::text from api_key where id = $1', [
      id,
    ]);
    const key = authorization.slice('Bearer '.length);
    expect(JSON.stringify(row.rows)).not.toContain(key.slice(20));
    expect(key).toMatch(/^blade_[\w-]{43}$/);
  });
});

describe.each(TRANSPORTS)('a subscription over %s', (transport) => {
  /** What a client is told at the end: the errors of the last answer, or the code that its connection was closed with. */
  async function readEnd(subscription: AsyncIterable<{ errors?: readonly object[] | undefined }>) {
    const answers: object[] = [];
    try {
      for await (const answer of subscription) answers.push(answer);
    } catch (error) {
      return error;
    }
    return answers.at(-1);
  }

  function expectUnauthenticated(end: unknown, message: string) {
    const isWebSocket = transport === 'WebSocket';
    const isOlder = transport === 'the WebSocket of subscriptions-transport-ws';
    if (isWebSocket) expect(end).toMatchObject({ code: 4403, reason: message });
    else if (isOlder) expect(end).toMatchObject({ message });
    else expect(end).toMatchObject({ errors: [{ message, extensions: { code: 'UNAUTHENTICATED' } }] });
  }

  test('ends when its token expires', async () => {
    const authorization = await bearer({ exp: Math.floor(Date.now() / 1000) + 2 });
    const subscription = subscribe(application.url, transport, WATCH, {}, authorization);
    await subscription.next();
    expectUnauthenticated(await readEnd(subscription), 'the credential has expired');
  });

  test('ends when its key is revoked, and no other one ends', async () => {
    const [revoked, kept] = [await makeKey(), await makeKey()];
    const watchWith = ({ authorization }: { authorization: string }) =>
      subscribe(application.url, transport, WATCH, {}, authorization);
    const [subscription, other] = [watchWith(revoked), watchWith(kept)];
    await other.next();
    await subscription.next();
    await revokeApiKey(prisma, localPrincipal, revoked.id);
    expectUnauthenticated(await readEnd(subscription), 'the API key is revoked');
    expect((await post(revoked.authorization)).status).toBe(401);
    expect((await post(kept.authorization)).status).toBe(200);
    expect(other.received).toHaveLength(1);
    expect(other.isComplete).toBe(false);
    await other.leave();
  });
});

describe('tokens of an issuer that publishes its keys', () => {
  let issuer: TokenIssuer;
  let server: TestApplication;

  beforeAll(async () => {
    issuer = await startTokenIssuer();
    server = await startTestApplication({
      BLADE_ROLES: 'api',
      BLADE_JWT_JWKS_URL: issuer.keySetUrl,
      BLADE_JWT_ISSUER: ISSUER,
      BLADE_JWT_AUDIENCE: SECRET_SETTINGS.BLADE_JWT_AUDIENCE,
      BLADE_JWT_ROLE_CLAIM: 'https://example.com/role',
    });
  });

  afterAll(async () => {
    await server.close();
    await issuer.close();
  });

  const fetchStatus = async (authorization: string) =>
    (await createApiClient(server.url, authorization).sendRaw(QUERY)).status;

  test('cannot be checked while the issuer is down, which is not an error of the token', async () => {
    issuer.setAway(true);
    const client = createApiClient(server.url, await issuer.bearer());
    expect(await client.sendRaw(QUERY)).toMatchObject({
      status: 503,
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    await expect(client.watch('subscription { x }' as never, {}).next()).rejects.toMatchObject({
      code: 1013,
    });
    issuer.setAway(false);
    await client.close();
  });

  test('are accepted, and the keys are fetched once', async () => {
    expect(await fetchStatus(await issuer.bearer())).toBe(200);
    const { requests } = issuer;
    for (const sub of ['a', 'b', 'c']) expect(await fetchStatus(await issuer.bearer({ sub }))).toBe(200);
    expect(issuer.requests).toBe(requests);
  });

  test('are refused if another issuer signed them, or if the public key was used as a secret', async () => {
    const other = await startTokenIssuer();
    expect(await fetchStatus(await other.bearer())).toBe(401);
    await other.close();
    expect(await fetchStatus(await bearer({}, issuer.publicKey))).toBe(401);
  });

  test('are refused with an unknown role in the configured claim, and API keys are not accepted', async () => {
    expect(await fetchStatus(await issuer.bearer({ 'https://example.com/role': 'operator' }))).toBe(200);
    expect(await fetchStatus(await issuer.bearer({ 'https://example.com/role': 'root' }))).toBe(401);
    expect(await fetchStatus(await issuer.bearer({ role: 'root' }))).toBe(200);
    expect(await fetchStatus(`Bearer blade_${'A'.repeat(43)}`)).toBe(401);
  });
});
