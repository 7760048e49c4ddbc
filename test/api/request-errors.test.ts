import { request as httpRequest } from 'node:http';
import { describe, expect } from 'vitest';
import { test } from '../support/on-server.ts';
import { subscribe } from '../support/subscriber.ts';

const SUBSCRIPTION = JSON.stringify({ query: 'subscription { syncProgress { state } }' });

interface Refusal {
  readonly errors: readonly {
    readonly message: string;
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

async function send(url: string, init: RequestInit) {
  const answer = await fetch(url, init);
  return { answer, refusal: (await answer.json()) as Refusal };
}

const post = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
});

const query = (text: string, more: object = {}) => post(JSON.stringify({ query: text, ...more }));
const program = { 'x-requested-with': 'test' };

describe('every refused request has a code, and nothing of HTTP in its extensions', () => {
  const refused: Record<string, [code: string, init: RequestInit, search?: string]> = {
    'of a body that is no JSON': ['BAD_REQUEST', post('{')],
    'of an empty batch': ['BAD_REQUEST', post('[]')],
    'without a query': ['BAD_REQUEST', post('{}')],
    'of a content type that is unknown': [
      'UNSUPPORTED_MEDIA_TYPE',
      post('x', { 'content-type': 'application/xml' }),
    ],
    'of a method that is unknown': ['BAD_REQUEST', { method: 'PATCH' }],
    'of a text that cannot be parsed': ['GRAPHQL_PARSE_FAILED', query('{')],
    'of too many words': ['GRAPHQL_PARSE_FAILED', query(`{ ${'me { id } '.repeat(600)} }`)],
    'of a field that does not exist': ['GRAPHQL_VALIDATION_FAILED', query('{ nothing }')],
    'without a variable': ['BAD_USER_INPUT', query('query ($id: ID!) { job(id: $id) { id } }')],
    'with a variable of another type': [
      'BAD_USER_INPUT',
      query('query ($first: Int) { jobs(first: $first) { totalCount } }', { variables: { first: 'x' } }),
    ],
    'of an operation that is not in the document': [
      'OPERATION_RESOLUTION_FAILURE',
      query('query A { me { role } }', { operationName: 'B' }),
    ],
    'that is too deep': [
      'OPERATION_TOO_DEEP',
      query(`{ jobs { edges { node { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } } }`),
    ],
    'of a mutation by GET': ['BAD_REQUEST', { headers: program }, '?query=mutation{stopSync{__typename}}'],
    'of variables that are no JSON': ['BAD_REQUEST', { headers: program }, '?query={me{role}}&variables={'],
    'of a page elsewhere': ['FOREIGN_ORIGIN', post('{}', { origin: 'https://evil.example' })],
    'of an event stream that nobody reserved': [
      'STREAM_NOT_FOUND',
      post('{}', { 'x-graphql-event-stream-token': 'x' }),
    ],
  };

  test.for(Object.entries(refused))(
    'a request %s',
    async ([, [code, init, search = '']], { application }) => {
      const { answer, refusal } = await send(application.url + search, init);
      expect(refusal.errors).toMatchObject([{ message: expect.any(String), extensions: { code } }]);
      expect(JSON.stringify(refusal)).not.toMatch(/"http"|originalError/);
      expect(answer.headers.get('content-type')).toMatch(/json/);
    },
  );

  test('over WebSocket, too', async ({ application }) => {
    for (const [code, text] of [
      ['GRAPHQL_PARSE_FAILED', '{'],
      ['GRAPHQL_VALIDATION_FAILED', '{ nothing }'],
      ['OPERATION_RESOLUTION_FAILURE', 'query A { me { role } } query B { me { role } }'],
      ['BAD_USER_INPUT', 'query ($id: ID!) { job(id: $id) { id } }'],
      [
        'OPERATION_TOO_DEEP',
        `{ jobs { edges { node { ${'retryOf { '.repeat(20)}id${' }'.repeat(20)} } } } }`,
      ],
    ] as const) {
      const subscription = subscribe(application.url, 'WebSocket', text);
      const end = await subscription.next().then(
        ({ value }) => value?.errors,
        (errors: unknown) => errors,
      );
      await subscription.leave();
      expect(end).toMatchObject([{ extensions: { code } }]);
      expect(JSON.stringify(end)).not.toContain('"http"');
    }
  });
});

describe('a subscription', () => {
  test.for([
    ['application/json', 200],
    ['application/graphql-response+json', 406],
    ['text/html', 406],
    ['multipart/mixed', 406],
    ['multipart/mixed;deferSpec=20220824, application/json', 200],
  ] as const)('that accepts %s is told what would work', async ([accept, status], { application }) => {
    const { answer, refusal } = await send(application.url, post(SUBSCRIPTION, { accept }));
    expect(answer.status).toBe(status);
    expect(refusal.errors[0]?.extensions).toEqual({ code: 'NOT_ACCEPTABLE' });
    expect(refusal.errors[0]?.message).toMatch(
      /text\/event-stream.*multipart\/mixed;subscriptionSpec=1\.0.*graphql-transport-ws/,
    );
  });

  test.for(['text/event-stream', 'text/event-stream, multipart/mixed', '*/*'])(
    'that accepts %s is a stream of events that nginx passes on at once',
    async (accept, { application }) => {
      const controller = new AbortController();
      const answer = await fetch(application.url, {
        ...post(SUBSCRIPTION, { accept }),
        signal: controller.signal,
      });
      expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(answer.headers.get('x-accel-buffering')).toBe('no');
      controller.abort();
    },
  );
});

test('a query or mutation is answered as JSON, whatever the client accepts', async ({ application }) => {
  const answer = await fetch(application.url, post('{"query":"{ me { role } }"}', { accept: 'text/plain' }));
  expect(await answer.json()).toMatchObject({ data: { me: { role: 'ADMIN' } } });
});

describe('a program that is refused because a page could have sent its request', () => {
  /** Without the headers that `fetch` adds. */
  function sendBare(url: string, method: string, headers: Record<string, string>) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const request = httpRequest(url, { method, headers }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, text });
      });
      request.once('error', reject).end(method === 'POST' ? '{"query":"{ me { role } }"}' : undefined);
    });
  }

  test('is told what to send', async ({ application: { url } }) => {
    const get = await sendBare(`${url}?query=${encodeURIComponent('{ me { role } }')}`, 'GET', {});
    expect(get).toMatchObject({
      status: 403,
      text: expect.stringMatching(/link on any web page.*x-requested-with.*graphql-response\+json/),
    });
    const form = await sendBare(url, 'POST', { 'content-type': 'text/plain' });
    expect(form).toMatchObject({
      status: 403,
      text: expect.stringMatching(/text\/plain.*send content-type: application\/json/),
    });
    for (const { text } of [get, form]) expect(text).toContain('PREFLIGHT_REQUIRED');
  });

  test('is answered once it says what it accepts', async ({ application: { url } }) => {
    const accept = 'application/graphql-response+json, application/json';
    const { status } = await sendBare(`${url}?query=${encodeURIComponent('{ me { role } }')}`, 'GET', {
      accept,
    });
    expect(status).toBe(200);
  });
});
