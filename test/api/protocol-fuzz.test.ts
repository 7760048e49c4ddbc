import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import WebSocket from 'ws';
import { schema } from '../../src/api/schema/schema.ts';
import { fuzzParameters } from '../support/fuzz-runs.ts';
import { inputFields, poisonedOperations } from '../support/input-values.ts';
import { insertJob, writeRevision } from '../support/job-rows.ts';
import { test } from '../support/on-server.ts';
import { JobProgress } from '../support/operations.ts';
import { asJson, object, poison, poisonedText, text, type Written } from '../support/poison.ts';
import { type Subscription, subscribe } from '../support/subscriber.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
/** Watches a job over a connection of its own, which nothing that others send may harm. */
let watcher: Subscription<{ jobProgress: { revision: number } }>;
let jobId: string;

beforeAll(async () => {
  application = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_REQUESTS_PER_SECOND: '100000',
    BLADE_SUBSCRIPTIONS_PER_MINUTE: '100000',
  });
  jobId = await insertJob(application.database, { state: 'RUNNING' });
  watcher = subscribe(application.url, 'WebSocket', JobProgress.toString(), { id: jobId });
  await watcher.next();
});

afterEach(async () => {
  const revision = await writeRevision(application.database, jobId);
  for (;;) {
    const { done, value } = await watcher.next();
    expect(done).toBe(false);
    expect(value?.errors).toBeUndefined();
    if ((value?.data?.jobProgress.revision ?? 0) >= revision) break;
  }
  const { data } = await application.client.sendRaw('{ me { role } }');
  expect(data).toEqual({ me: { role: expect.any(String) } });
  // Of what is logged as an error, clients are told an id: nothing that they send may come to that.
  expect(application.log.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
});

afterAll(async () => {
  await watcher?.leave();
  await application.close();
});

/** What the protocol closes a connection with on account of what a client sent. */
const CLOSED_FOR_WHAT_WAS_SENT = [1002, 1003, 1007, 1009, 4400, 4401, 4403, 4409, 4429];

const MOST_ID = 100_000;
const ids = fc.oneof(
  fc.constantFrom('1', '2', '', '__proto__', 'constructor', 'x'.repeat(MOST_ID)).map((id) => text(id)),
  poison,
);

const OPERATIONS = [
  '{ me { role } }',
  'subscription { syncProgress { state } }',
  '{',
  '',
  'mutation { nothing }',
];
const payloads: fc.Arbitrary<Written> = fc.oneof(
  fc.constantFrom(...OPERATIONS).map((query) => object(['query', text(query)])),
  fc
    .tuple(poisonedText, poison)
    .map(([query, variables]) => object(['query', query], ['variables', variables])),
  fc
    .tuple(fc.constantFrom(...OPERATIONS), poison, poison)
    .map(([query, operationName, extensions]) =>
      object(['query', text(query)], ['operationName', operationName], ['extensions', extensions]),
    ),
  fc
    .oneof(
      ...inputFields(schema, {})
        .filter(({ operation }) => operation === 'subscription')
        .map((field) => poisonedOperations(schema, field, {})),
    )
    .map(({ query, variables }) =>
      object(['query', text(query)], ['variables', { kind: 'leaf', text: variables }]),
    ),
  poison,
);

const types = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(
        'subscribe',
        'start',
        'complete',
        'stop',
        'ping',
        'pong',
        'connection_init',
        'next',
        'error',
        'connection_ack',
      )
      .map((type) => text(type)),
  },
  { weight: 1, arbitrary: poison },
);

const messages: fc.Arbitrary<string | Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(ids, types, payloads)
      .map(([id, type, payload]) => asJson(object(['id', id], ['type', type], ['payload', payload]))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(types, poison)
      .map(([type, payload]) => asJson(object(['type', type], ['payload', payload]))),
  },
  { weight: 1, arbitrary: poison.map(asJson) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
);

const INIT = '{"type":"connection_init"}';

/**
 * Sends messages over a connection of its own, the others once the first one is acknowledged where it is as it should be.
 * @returns the code that the connection was closed with, or null where it works on.
 */
async function sendMessages(
  { name, start }: Subprotocol,
  first: string | Buffer,
  others: readonly (string | Buffer)[],
): Promise<number | null> {
  const socket = new WebSocket(application.url.replace(/^http/, 'ws'), name);
  const received: { id?: string; type: string; payload?: unknown }[] = [];
  const acknowledged = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<null>();
  socket.on('message', (message) => {
    const parsed = JSON.parse(String(message));
    received.push(parsed);
    if (parsed.type === 'connection_ack') acknowledged.resolve();
    if (parsed.type === 'complete' && parsed.id === LAST) answered.resolve(null);
  });
  socket.on('error', () => {});
  await once(socket, 'open');
  const closed = once(socket, 'close').then(([code]) => code as number);
  const send = (message: string | Buffer) => socket.send(message, () => {});
  send(first);
  if (first === INIT) await Promise.race([acknowledged.promise, closed]);
  others.forEach(send);
  send(JSON.stringify({ id: LAST, type: start, payload: { query: '{ me { role } }' } }));
  const code = await Promise.race([closed, answered.promise]);
  socket.terminate();
  expect(JSON.stringify(received)).not.toMatch(/Unexpected error; the log has it/);
  return code;
}

interface Subprotocol {
  readonly name: string;
  /** The type of a message that starts an operation. */
  readonly start: string;
}

const SUBPROTOCOLS: readonly Subprotocol[] = [
  { name: 'graphql-transport-ws', start: 'subscribe' },
  { name: 'graphql-ws', start: 'start' },
];

/** The id of the operation that shows whether a connection still works. */
const LAST = 'the last one';

describe.each(SUBPROTOCOLS)('over WebSocket with $name', (subprotocol) => {
  test.each([
    ['after a good beginning', fc.constant(INIT)],
    [
      'from the beginning',
      fc.oneof(
        messages,
        poison.map((payload) => asJson(object(['type', text('connection_init')], ['payload', payload]))),
      ),
    ],
  ])(
    'any messages %s are answered, or end that connection with a code of the protocol',
    async (name, first) => {
      await fc.assert(
        fc.asyncProperty(first, fc.array(messages, { maxLength: 5 }), async (begin, sent) => {
          const code = await sendMessages(subprotocol, begin, sent);
          if (code !== null) expect(CLOSED_FOR_WHAT_WAS_SENT).toContain(code);
        }),
        fuzzParameters(0.15, name),
      );
    },
  );

  test.each(['connection_ack', 'next', 'error'])(
    'a message %s, which only a server sends, is no message',
    async (type) => {
      const message = { id: '1', type, payload: type === 'next' ? { data: null } : [{ message: 'no' }] };
      expect(await sendMessages(subprotocol, INIT, [JSON.stringify(message)])).toBe(4400);
    },
  );

  test('invalid input gets an answer, and no error in the log', async () => {
    const payload = { query: 'subscription { jobProgress(id: "x") { id } }' };
    expect(
      await sendMessages(subprotocol, INIT, [JSON.stringify({ id: '1', type: subprotocol.start, payload })]),
    ).toBe(null);
  });

  test('random bytes instead of frames end only that connection', async () => {
    const handshake = [
      'GET /graphql HTTP/1.1',
      `Host: ${new URL(application.url).host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      `Sec-WebSocket-Protocol: ${subprotocol.name}`,
      '',
      '',
    ].join('\r\n');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const answer = await sendBytes(Buffer.concat([Buffer.from(handshake), bytes]));
        expect(answer).toMatch(/^HTTP\/1\.1 101 /);
      }),
      fuzzParameters(0.1, 'frames'),
    );
  });
});

/** Sends bytes over a connection of its own, and no more. @returns all that comes back until the connection has ended. */
async function sendBytes(bytes: Buffer): Promise<string> {
  const { port, hostname } = new URL(application.url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(bytes);
  await closed;
  return answer;
}

describe('over HTTP', () => {
  const methods = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('GET', 'POST') },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'HEAD',
        'PUT',
        'DELETE',
        'OPTIONS',
        'PATCH',
        'TRACE',
        'CONNECT',
        'PROPFIND',
        'get',
        '',
      ),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 10 }) },
  );
  const targets = fc.oneof(
    { weight: 3, arbitrary: fc.constant('/graphql') },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...[
          '/',
          '//',
          '*',
          '/graphql/',
          '/graphql?',
          '/graphql#',
          '/%',
          '/%00',
          '/%E0%A4%A',
          '/../../etc/passwd',
        ],
        ...[
          '/%2e%2e/%2e%2e/package.json',
          '/assets/..%2f..%2fpackage.json',
          'graphql',
          'http://[',
          'http://a b/',
        ],
        ...['http://evil.example/graphql', '/health/live', '/health/ready/x', '/metrics', '/jobs/%ff'],
        ...['/graphql?query=%', '/graphql?query={__typename}', '/graphql?query=%7B__typename%7D&variables=x'],
        ...[
          '/graphql?query=%7B__typename%7D&variables=%7B%22__proto__%22%3A1%7D&extensions=[',
          '/graphql?a=1&a=2',
        ],
        ...[
          `/graphql?query=${'x'.repeat(5_000)}`,
          `/${'a/'.repeat(3_000)}`,
          '/graphql?query=%ED%A0%80',
          '/;',
        ],
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .string({ unit: 'binary', maxLength: 20 })
        .map((path) => `/${encodeURI(path.toWellFormed())}`),
    },
  );
  const headers = fc.subarray(
    [
      ...['Host: localhost', 'Host: [', 'Host: ', 'Host: a b', 'Host: 127.0.0.1:99999', 'Host: localhost:x'],
      ...['Content-Type: application/json', 'Content-Type: application/graphql', 'Content-Type: text/plain'],
      ...[
        'Content-Type: multipart/form-data',
        'Content-Type: application/x-www-form-urlencoded',
        'Content-Type: ;',
      ],
      ...[
        'Content-Type: application/json; charset=utf-16',
        'Content-Type: __proto__',
        'Content-Encoding: gzip',
      ],
      ...[
        'Accept: text/event-stream',
        'Accept: text/html',
        'Accept: multipart/mixed',
        'Accept: q',
        'Accept: ',
      ],
      ...[
        'Content-Length: 5',
        'Content-Length: -1',
        'Content-Length: 99999999999999999999',
        'Content-Length: x',
      ],
      ...['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip', 'Expect: 100-continue', 'Expect: x'],
      ...[
        'Authorization: Bearer x',
        'Authorization: ',
        'Authorization: Basic eDp4',
        'Origin: null',
        'Origin: [',
      ],
      ...['Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', 'Sec-WebSocket-Version: 13'],
      ...[
        'Sec-WebSocket-Key: x',
        'Sec-WebSocket-Protocol: a,,b',
        'Range: bytes=9-1',
        'If-None-Match: "',
        'Range: bytes=0-99999999999',
        'Accept-Encoding: br;q=x',
        'traceparent: 00-x',
      ],
      ...[
        'Cookie: a=\x7f',
        'X-Forwarded-For: \xff',
        'X-Request-Id: \t',
        `X-Long: ${'x'.repeat(20_000)}`,
        ': ',
        'NoColon',
      ],
      ...['__proto__: x', 'x-requested-with: x', 'Host: localhost'],
    ],
    { maxLength: 7 },
  );
  const bodies = fc.oneof(
    fc.constant(''),
    fc.constantFrom(
      ...[
        '{"query":"{ me { role } }"}',
        '{"query":"{ me { role } }"',
        '[{"query":"{ me { role } }"}]',
        'null',
        '[]',
        '1',
        '""',
      ],
      ...[
        '{"query":1}',
        '{"query":"{ me { role } }","variables":1}',
        '{"query":"{ me { role } }","variables":[]}',
      ],
      ...[
        '{"query":"{ me { role } }","operationName":{}}',
        '{"query":"{ me { role } }","operationName":"none"}',
      ],
      ...[
        '{"query":"{ me { role } }","extensions":[]}',
        '{"query":null}',
        '{"__proto__":{"query":"{ me { role } }"}}',
      ],
      ...[
        '{"query":"{ me { role } }","documentId":1}',
        '{"query":"query A { me { role } } query B { me { role } }"}',
        '\ufeff{}',
      ],
      ...[
        '5\r\nabcde\r\n0\r\n\r\n',
        'ffffffff\r\n',
        '-1\r\n',
        '{"query":"\ud800"}',
        '{"query":"query ($a: Int) { me { role } }"}',
      ],
      ...[
        `{"query":"${'{a'.repeat(2_000)}"}`,
        `${'['.repeat(30_000)}`,
        `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
      ],
    ),
    poison.map(asJson),
    fc.string({ unit: 'binary', maxLength: 100 }),
  );

  test('every request is answered without a server error, or its connection is closed', async () => {
    const request = fc.tuple(methods, targets, headers, bodies, fc.boolean(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(request, async ([method, target, some, body, hasHost, hasLength]) => {
        const host = hasHost ? [`Host: ${new URL(application.url).host}`] : [];
        const length = hasLength ? [`Content-Length: ${Buffer.byteLength(body)}`] : [];
        const head = [
          `${method} ${target} HTTP/1.1`,
          ...host,
          ...length,
          'Connection: close',
          ...some,
          '',
          '',
        ];
        const answer = await sendBytes(
          Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), Buffer.from(body)]),
        );
        const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
        if (status !== undefined) expect(Number(status)).toBeLessThan(500);
        expect(answer).not.toMatch(/Unexpected error; the log has it/);
      }),
      fuzzParameters(0.6, 'requests'),
    );
  });

  test.each(['', '{"query":'])(
    'a request that is broken off after %j is no error in the log',
    async (body) => {
      const { host } = new URL(application.url);
      const head = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n`;
      await sendBytes(Buffer.from(`${head}Content-Length: 1000\r\n\r\n${body}`));
    },
  );

  test('random bytes are, too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 500 }), async (bytes) => {
        expect(await sendBytes(Buffer.from(bytes))).not.toMatch(/^HTTP\/1\.1 5/);
      }),
      fuzzParameters(0.1, 'bytes'),
    );
  });
});
