import { request as httpRequest } from 'node:http';
import { NetworkError } from 'graphql-sse';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import WebSocket from 'ws';
import { insertJob, moveJob } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { subscribe } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication({ BLADE_ROLES: 'api' });
});

afterAll(() => application.close());

/** An application of the test's own, with limits of its own. */
async function withLimits(
  environment: Record<string, string>,
  use: (limited: TestApplication) => Promise<void>,
) {
  const limited = await startTestApplication({ BLADE_ROLES: 'api', ...environment });
  try {
    await use(limited);
  } finally {
    await limited.close();
  }
}

function findCode(
  answer:
    | { readonly errors?: readonly { readonly extensions?: Readonly<Record<string, unknown>> }[] | undefined }
    | undefined,
) {
  return answer?.errors?.[0]?.extensions?.code;
}

const page = (size: number, selection: string) =>
  `{ jobs(first: ${size}) { edges { node { ${selection} } } } }`;
const deep = (times: number) =>
  `{ jobs { edges { node { ${'retryOf { '.repeat(times)}id${' }'.repeat(times)} } } } }`;
const aliases = (count: number) => Array.from({ length: count }, (_, index) => `a${index}: id`).join(' ');

describe('an operation that asks for too much is refused before anything is read', () => {
  const refused: Record<string, [query: string, code: string]> = {
    'very deep': [deep(20), 'OPERATION_TOO_DEEP'],
    'of hundreds of aliases': [
      `{ a: jobs { edges { node { ...Many } } } b: jobs { edges { node { ...Many } } } } fragment Many on Job { ${aliases(260)} }`,
      'OPERATION_TOO_BROAD',
    ],
    'of a fragment that is spread again and again': [
      `{ ${Array.from({ length: 15 }, (_, index) => `j${index}: jobs { ...Page }`).join(' ')} }
       fragment Page on JobConnection { edges { node { ${aliases(50)} } } }`,
      'OPERATION_TOO_BROAD',
    ],
    'of many fields at its top': [
      `{ ${Array.from({ length: 21 }, (_, index) => `s${index}: syncStatus { state }`).join(' ')} }`,
      'OPERATION_TOO_BROAD',
    ],
    'of large pages in large pages': [
      page(200, 'errors(first: 200) { edges { node { message } } }'),
      'OPERATION_TOO_EXPENSIVE',
    ],
    'of more words than one may have': [`{ ${'dataTypes { name } '.repeat(600)} }`, ''],
    'of a text that is too long': [`{ job(id: "${'x'.repeat(200_000)}") { id } }`, 'DOCUMENT_TOO_LARGE'],
    'of lists in lists in lists': [
      `{ job(id: ${'['.repeat(300)}1${']'.repeat(300)}) { id } }`,
      'DOCUMENT_TOO_LARGE',
    ],
  };

  test.each(Object.entries(refused))('%s', async (_what, [query, code]) => {
    const answer = await application.client.sendRaw(query);
    expect(answer.status).toBe(400);
    expect(answer.data ?? null).toBeNull();
    if (code === '') expect(answer.errors?.[0]?.message).toMatch(/more than 1000 tokens/);
    else expect(findCode(answer)).toBe(code);
    const subscription = subscribe(application.url, 'WebSocket', query);
    const first = await subscription.next().then(
      ({ value }) => value,
      (errors: unknown) => ({ errors }),
    );
    await subscription.leave();
    expect(JSON.stringify(first)).toContain(answer.errors?.[0]?.message ?? 'nothing');
  });

  test('the size of a page counts, also in a variable', async () => {
    const query = `query ($first: Int) { jobs(first: $first) { edges { node { errors(first: $first) { edges { node { message } } } } } } }`;
    expect(await application.client.sendRaw(query, { first: 5 })).toMatchObject({ status: 200 });
    expect(findCode(await application.client.sendRaw(query, { first: 200 }))).toBe('OPERATION_TOO_EXPENSIVE');
  });

  test('an answer says what its operation costs, over HTTP and over WebSocket', async () => {
    const query = '{ jobs(first: 3) { nodes { id } } }';
    const { extensions } = await application.client.sendRaw(query);
    expect(extensions).toEqual({ cost: 259 });
    const { value } = await subscribe(application.url, 'WebSocket', query).next();
    expect(value).toMatchObject({ extensions });
    const failed = await application.client.sendRaw('{ job(id: "x") { id } }');
    expect(failed).toMatchObject({ errors: [{}], extensions: { cost: expect.any(Number) } });
  });

  test('a subscription, too', async () => {
    const query = `subscription { jobChanges { job { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } }`;
    const answer = await fetch(application.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query }),
    });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('OPERATION_TOO_DEEP');
  });

  test('while full pages with all fields of a list are allowed', async () => {
    const facts = `id kind state revision createdAt startedAt finishedAt recentErrors
      progress { percent processedItems totalItems errorCount byType { dataType processedItems totalItems } }`;
    expect(await application.client.sendRaw(page(200, facts))).toMatchObject({ status: 200 });
    expect(
      await application.client.sendRaw(
        page(20, `${facts} errors(first: 20) { edges { node { message stage row } } }`),
      ),
    ).toMatchObject({ status: 200 });
  });
});

describe('a body that is too large', () => {
  const large = JSON.stringify({
    query: '{ syncStatus { state } }',
    variables: { text: 'x'.repeat(2_100_000) },
  });

  /** Sends a body in pieces, without telling its length. */
  function sendChunked(body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        application.url,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      request.on('error', reject);
      for (let start = 0; start < body.length; start += 50_000)
        request.write(body.slice(start, start + 50_000));
      request.end();
    });
  }

  test('is refused because of its length', async () => {
    const answer = await fetch(application.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: large,
    });
    expect(answer.status).toBe(413);
    expect(findCode((await answer.json()) as object)).toBe('REQUEST_TOO_LARGE');
  });

  test('is refused even without a Content-Length, and a small one is read', async () => {
    expect(await sendChunked(JSON.stringify({ query: '{ syncStatus { state } }' }))).toMatchObject({
      status: 200,
    });
    const answer = await sendChunked(large).catch((error: NodeJS.ErrnoException) => error.code);
    // A client that is still writing may see the connection break before it reads why.
    if (typeof answer === 'object') expect(answer.status).toBe(413);
    else expect(['ECONNRESET', 'EPIPE']).toContain(answer);
    expect((await application.client.sendRaw('{ syncStatus { state } }')).status).toBe(200);
  });

  test('closes a WebSocket with the right code', async () => {
    const socket = await openSocket(application);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.send(
      JSON.stringify({
        id: '1',
        type: 'subscribe',
        payload: { query: '{ syncStatus { state } }', variables: { text: 'x'.repeat(2_100_000) } },
      }),
    );
    expect(await closed).toBe(1009);
  });

  test.each(['[', '{"a":'])('nested endlessly (%s) is an ordinary error', async (piece) => {
    const body = `{"query":"{ syncStatus { state } }","variables":{"x":${piece.repeat(100_000)}`;
    const answer = await fetch(application.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: piece === '[' ? `${body}${']'.repeat(100_000)}}}` : body,
    });
    expect([200, 400]).toContain(answer.status);
    expect((await application.client.sendRaw('{ syncStatus { state } }')).status).toBe(200);
  });
});

async function openSocket({ url }: TestApplication): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  await new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await new Promise((resolve) => socket.once('message', resolve));
  return socket;
}

describe('the refusal of a client that sends too many requests says when to try again', () => {
  test('over HTTP', async () => {
    await withLimits({ BLADE_REQUESTS_PER_SECOND: '1' }, async ({ url, client }) => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () =>
          fetch(url, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ query: '{ syncStatus { state } }' }),
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([...Array(10).fill(200), 429, 429]);
      const refused = answers.find(({ status }) => status === 429);
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      const body = (await refused?.json()) as { errors: [{ extensions: object }] };
      expect(body.errors[0].extensions).toEqual({
        code: 'RATE_LIMITED',
        retryAfterSeconds: expect.any(Number),
      });
      expect(findCode(await client.sendRaw('not even GraphQL'))).toBe('RATE_LIMITED');
      const subscription = subscribe(url, 'WebSocket', 'subscription { syncProgress { state } }');
      await expect(subscription.next()).rejects.toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
      await subscription.leave();
    });
  });

  test('for mutations, while queries are answered', async () => {
    await withLimits({ BLADE_MUTATIONS_PER_MINUTE: '1' }, async ({ client }) => {
      const stop = () => client.sendRaw('mutation { stopSync { __typename } }');
      expect(await stop()).toMatchObject({
        status: 200,
        data: { stopSync: { __typename: 'NoActiveSyncError' } },
      });
      expect(await stop()).toMatchObject({ status: 429 });
      expect(await client.sendRaw('{ syncStatus { state } }')).toMatchObject({ status: 200 });
    });
  });

  test.each(['WebSocket', 'server-sent events'] as const)(
    'with subscriptions at once over %s, until one of them ends',
    async (transport) => {
      await withLimits({ BLADE_MAX_SUBSCRIPTIONS: '2' }, async ({ url, database }) => {
        const open = () => subscribe(url, transport, 'subscription { syncProgress { state } }');
        const left = open();
        await left.next();
        const id = await insertJob(database, { state: 'RUNNING' });
        const watched = subscribe(url, transport, `subscription { jobProgress(id: "${id}") { state } }`);
        await watched.next();
        const first = async () => {
          const subscription = open();
          const answer: unknown = await subscription.next().then(
            ({ value }) => value,
            (error: unknown) => error,
          );
          await subscription.leave();
          // Over server-sent events a refusal is an answer with a status, which the client gives as it came.
          const isRefused =
            answer instanceof NetworkError
              ? answer.response?.status === 429
              : findCode(answer as object) === 'RATE_LIMITED';
          return isRefused ? 'RATE_LIMITED' : undefined;
        };
        expect(await first()).toBe('RATE_LIMITED');
        await left.leave();
        await vi.waitFor(async () => expect(await first()).toBeUndefined());
        const last = open();
        await vi.waitFor(async () => expect(await first()).toBe('RATE_LIMITED'));
        await moveJob(database, id, 'COMPLETED');
        await vi.waitFor(() => expect(watched.isComplete).toBe(true));
        await vi.waitFor(async () => expect(await first()).toBeUndefined());
        await last.leave();
        await watched.leave();
      });
    },
  );

  test('for operations on one WebSocket', async () => {
    await withLimits({ BLADE_MAX_CONNECTION_OPERATIONS: '2' }, async (limited) => {
      const socket = await openSocket(limited);
      const refused = new Promise<string>((resolve) => {
        socket.on('message', (data) => {
          const message = JSON.parse(String(data));
          if (message.type === 'error') resolve(`${message.id} ${message.payload[0].extensions.code}`);
        });
      });
      for (const id of ['1', '2', '3'])
        socket.send(
          JSON.stringify({
            id,
            type: 'subscribe',
            payload: { query: 'subscription { syncProgress { state } }' },
          }),
        );
      expect(await refused).toBe('3 TOO_MANY_OPERATIONS');
      socket.close();
    });
  });
});

describe('a WebSocket', () => {
  const waitForClose = (socket: WebSocket) => new Promise<number>((resolve) => socket.on('close', resolve));

  test('without a connection_init is closed', async () => {
    await withLimits({ BLADE_CONNECTION_INIT_TIMEOUT_MS: '100' }, async ({ url }) => {
      const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
      expect(await waitForClose(socket)).toBe(4408);
    });
  });

  test('whose client no longer answers is closed', async () => {
    await withLimits({ BLADE_KEEP_ALIVE_MS: '100' }, async ({ url }) => {
      const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws', { autoPong: false });
      socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init' })));
      expect(await waitForClose(socket)).toBe(1006);
    });
  });

  test('whose client answers stays open', async () => {
    await withLimits({ BLADE_KEEP_ALIVE_MS: '100' }, async (limited) => {
      const socket = await openSocket(limited);
      let pings = 0;
      socket.on('ping', () => {
        pings += 1;
      });
      await vi.waitFor(() => expect(pings).toBeGreaterThan(5));
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.close();
    });
  });
});

describe('the schema', () => {
  const INTROSPECTION = '{ __schema { queryType { name } } }';

  test('can be queried on this machine', async () => {
    expect(await application.client.sendRaw(INTROSPECTION)).toMatchObject({ status: 200 });
  });

  test('cannot be queried if that is turned off, over any transport or through hints', async () => {
    await withLimits({ BLADE_INTROSPECTION: 'false', BLADE_GRAPHIQL: 'false' }, async ({ client, url }) => {
      expect(await client.sendRaw(INTROSPECTION)).toMatchObject({ status: 400 });
      expect(await client.sendRaw('{ __type(name: "Job") { name } }')).toMatchObject({ status: 400 });
      expect(JSON.stringify(await client.sendRaw('{ jobz { totalCount } }'))).not.toMatch(
        /did you mean|jobs/i,
      );
      const socket = subscribe(url, 'WebSocket', INTROSPECTION);
      expect(JSON.stringify(await socket.next().catch((errors: unknown) => errors))).toContain(
        'introspection has been disabled',
      );
      await socket.leave();
      const page = await fetch(url, { headers: { accept: 'text/html' } });
      expect(await page.text()).not.toContain('GraphiQL');
    });
  });

  test('cannot be queried by default if credentials are needed', async () => {
    await withLimits({ BLADE_API_KEYS: 'true' }, async ({ url }) => {
      const page = await fetch(url, { headers: { accept: 'text/html' } });
      expect(await page.text()).not.toContain('renderYogaGraphiQL');
    });
  });
});
