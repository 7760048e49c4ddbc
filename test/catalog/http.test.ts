import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { Catalog, UploadOutcome } from '../../src/catalog/catalog.ts';
import { CatalogError } from '../../src/catalog/catalog-error.ts';
import { openHttpCatalog } from '../../src/catalog/http/catalog.ts';
import type { Clock } from '../../src/catalog/http/clock.ts';
import {
  divideHttpCatalogLimits,
  type HttpCatalogOptions,
  httpCatalogDefaults,
} from '../../src/catalog/http/options.ts';
import type { BladeItem } from '../../src/data-types/blade-item.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { createItem } from '../../src/testing/catalog-item.ts';
import { type CatalogServer, type Reply, startCatalogServer } from '../support/catalog-server.ts';
import { createLeapingClock } from './leaping-clock.ts';

const { signal } = new AbortController();
const token = 'a-token-that-nobody-may-see';
const accepted: UploadOutcome = { status: 'ACCEPTED' };
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function startServer(...options: Parameters<typeof startCatalogServer>): Promise<CatalogServer> {
  const server = await startCatalogServer(...options);
  opened.push(server);
  return server;
}

async function open(
  { url }: { url: string },
  options: Partial<HttpCatalogOptions> = {},
  clock: Clock = createLeapingClock(),
): Promise<Catalog> {
  const catalog = await openHttpCatalog({ ...httpCatalogDefaults, url, token, ...options }, clock);
  opened.push(catalog);
  return catalog;
}

function itemsFrom(first: number, count: number): BladeItem[] {
  return Array.from({ length: count }, (_, index) => createItem(String(first + index)));
}

function upload(catalog: Catalog, items: readonly BladeItem[]): Promise<readonly UploadOutcome[]> {
  return catalog.upload({ key: 'batch', items }, signal);
}

function acceptedIn(outcomes: readonly UploadOutcome[]): number {
  return outcomes.filter(({ status }) => status === 'ACCEPTED').length;
}

/** Why the only item was rejected. */
function rejection([outcome, ...others]: readonly UploadOutcome[]): string {
  expect(others).toEqual([]);
  return outcome?.status === 'REJECTED' ? outcome.message : 'it was accepted';
}

/** Replies in turn to the attempts of each item, and then accepts it. */
function inTurn(...replies: Reply[]) {
  return ({ attempt }: { attempt: number }) => replies[attempt - 1] ?? null;
}

describe('an upload', () => {
  test('sends each item in a separate form, with its data as a file and the token', async () => {
    const server = await startServer();
    const catalog = await open(server);
    const outcomes = await upload(catalog, [
      createItem('7', { tail: 'AF-1' }),
      createItem('8', {}, 'logistics'),
    ]);
    expect(outcomes).toEqual([accepted, accepted]);
    expect(server.items.size).toBe(2);
    expect(server.items.get('BLADE:sortie/7')).toEqual({
      fileName: 'sortie_7.json',
      contentType: 'application/json',
      data: '{"tail":"AF-1"}',
      dataSource: 'BLADE:sortie',
      classificationMarking: 'SECRET',
      itemId: '7',
      metadata: '{"source":"test"}',
    });
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([
      `Bearer ${token}`,
      `Bearer ${token}`,
    ]);
  });

  test('sends no authorization without a token', async () => {
    const server = await startServer();
    const catalog = await open(server, { token: null });
    await upload(catalog, [createItem('1')]);
    expect(server.requests[0]?.authorization).toBeUndefined();
  });

  test.each(['/api/v1', '/api/v1/', '/'])('finds a catalog at the path %s', async (path) => {
    const server = await startServer({ path });
    const catalog = await open(server);
    expect(await upload(catalog, [createItem('1')])).toEqual([accepted]);
    expect(server.items.size).toBe(1);
  });

  test('sends quotes, line ends and every script unchanged', async () => {
    const server = await startServer();
    const catalog = await open(server);
    const itemId = 'a "b"; name="itemId"\r\n\r\n--c\nd\re\\ äöü 飛行 🛩️\u0000';
    const odd: BladeItem = {
      ...createItem(itemId),
      data: '{\n"text": "--\\r\\n 飛行 🛩️ \u2028"\r\n}',
      metadata: '{"from":\n"\\"x\\""}',
    };
    expect(await upload(catalog, [odd])).toEqual([accepted]);
    expect([...server.items.values()]).toEqual([
      expect.objectContaining({
        itemId,
        data: odd.data,
        metadata: odd.metadata,
        // As browsers do it: the name of a file cannot hold these.
        fileName: `sortie_${itemId.replace(/["\r\n]/g, encodeURIComponent)}.json`,
      }),
    ]);
  });

  test('sends any text unchanged', async () => {
    const server = await startServer();
    const catalog = await open(server);
    const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.toWellFormed());
    const forms = fc.uniqueArray(fc.record({ itemId: text, data: text, metadata: text }), {
      selector: ({ itemId }) => itemId,
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(forms, async (values) => {
        await upload(
          catalog,
          values.map((value) => ({ ...createItem(value.itemId), ...value })),
        );
        for (const value of values) {
          expect(server.items.get(`BLADE:sortie/${value.itemId}`)).toMatchObject(value);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('of nothing sends nothing', async () => {
    const server = await startServer();
    expect(await upload(await open(server), [])).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  test('sends no more at once than it may, over connections that stay open', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 201, after: 1 }));
    const catalog = await open(server, { concurrency: 3 });
    await upload(catalog, itemsFrom(0, 100));
    await upload(catalog, itemsFrom(100, 100));
    expect(server.peakConcurrency).toBe(3);
    expect(server.peakConnections).toBe(3);
    expect(server.items.size).toBe(200);
  });

  test('starts no more requests a second than it may', async () => {
    const server = await startServer();
    const catalog = await open(server, { requestsPerSecond: 40 });
    const start = Date.now();
    await upload(catalog, itemsFrom(0, 50));
    // A busy machine can only let a request arrive later than it was sent.
    expect((server.requests[40]?.time ?? 0) - start).toBeGreaterThan(950);
  });

  test('returns whether each item was accepted, in the order of the items', async () => {
    const server = await startServer();
    server.answerWith(({ item: { itemId } }) =>
      itemId === '1' ? { status: 400, body: '{"message":"the marking is not known here"}' } : null,
    );
    const outcomes = await upload(await open(server), itemsFrom(0, 3));
    expect(outcomes).toEqual([
      accepted,
      {
        status: 'REJECTED',
        message: 'The catalog answered 400 (Bad Request): the marking is not known here',
      },
      accepted,
    ]);
    expect(server.requests).toHaveLength(3);
  });
});

describe('a refusal', () => {
  test.each([400, 404, 409, 413, 422, 501, 505, 302, 204])('with %i is final', async (status) => {
    const server = await startServer();
    server.answerWith(() => ({ status }));
    expect(rejection(await upload(await open(server), [createItem('1')]))).toContain(`answered ${status} (`);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['{"error":{"message":"no such source"}}', ': no such source'],
    ['{"type":"about:blank","title":"Conflict","detail":"it is locked"}', ': it is locked'],
    ['"plain"', ': plain'],
    ['first line\r\n\tsecond\u0000line', ': first line second line'],
    ['<!doctype html><h1>Bad Request</h1>', ''],
    ['{"trace":["a","b"]}', ''],
    ['', ''],
  ])('shows the message of the catalog in %j', async (body, said) => {
    const server = await startServer();
    server.answerWith(() => ({ status: 400, body }));
    const message = rejection(await upload(await open(server), [createItem('1')]));
    expect(message).toBe(`The catalog answered 400 (Bad Request)${said}`);
  });

  test('clips a long message, and never shows the token', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 400, body: `Bearer ${token} ${'🛩️ and so on '.repeat(2_000)}` }));
    const message = rejection(await upload(await open(server), [createItem('1')]));
    expect(message).toMatch(/: Bearer \[token\] .*…$/);
    expect(message).not.toContain(token);
    expect([...message].length).toBeLessThan(250);
    expect(message.isWellFormed()).toBe(true);
  });

  test('of the token ends the upload, and blames the token', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 401, body: `no user has ${token}` }));
    const outcomes = await upload(await open(server, { concurrency: 2 }), itemsFrom(0, 100));
    expect(new Set(outcomes.map((outcome) => rejection([outcome])))).toEqual(
      new Set([
        'The catalog refused the token (check CATALOG_TOKEN): it answered 401 (Unauthorized): no user has [token]',
      ]),
    );
    expect(server.requests.length).toBeLessThanOrEqual(2);
  });

  test('of an upload without a token says that there is none', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 401 }));
    const catalog = await open(server, { token: null });
    expect(rejection(await upload(catalog, [createItem('1')]))).toContain('it asks for one: CATALOG_TOKEN');
  });

  test('for lack of permission costs that item only: another marking may be allowed', async () => {
    const server = await startServer();
    server.answerWith(({ item: { itemId } }) => (Number(itemId) < 40 ? { status: 403 } : null));
    const outcomes = await upload(await open(server), itemsFrom(0, 50));
    expect(acceptedIn(outcomes)).toBe(10);
    expect(rejection(outcomes.slice(0, 1))).toContain('refused the token for this item');
    expect(server.requests).toHaveLength(50);
  });
});

describe('a failure that may pass', () => {
  test.each<[string, Reply]>([
    ['an error of the server', { status: 500 }],
    ['a gateway without its service', { status: 502 }],
    ['a service that is not available', { status: 503 }],
    ['a busy catalog', { status: 429 }],
    ['a connection that is reset', 'RESET'],
    ['a connection that is reset in the middle of the answer', 'HALF_ANSWER'],
    ['an answer that is not HTTP', 'GARBAGE'],
    ['no answer', 'SILENCE'],
    ['an answer without an end', 'ENDLESS_ANSWER'],
  ])('is retried: %s', async (_name, reply) => {
    const server = await startServer();
    server.answerWith(inTurn(reply, reply));
    const catalog = await open(server, { timeoutMs: 100 });
    expect(await upload(catalog, [createItem('1')])).toEqual([accepted]);
    expect(server.requests).toHaveLength(3);
  });

  test('is retried: a connection that is reset in the middle of the upload', async () => {
    const server = await startServer({ resetInBody: new Set([0, 2]) });
    const large = createItem('1', { text: 'x'.repeat(1_000_000) });
    expect(await upload(await open(server), [large, createItem('2')])).toEqual([accepted, accepted]);
    expect(server.items.get('BLADE:sortie/1')?.data).toBe(large.data);
  });

  test('is retried after growing waits within the limit', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 503 }));
    const clock = createLeapingClock();
    await upload(await open(server, { attempts: 8, backoffMs: 100, maxBackoffMs: 2_000 }, clock), [
      createItem('1'),
    ]);
    expect(clock.waits).toHaveLength(7);
    expect(Math.max(...clock.waits)).toBeLessThanOrEqual(2_000);
    expect(clock.waits.at(-1)).toBeGreaterThan(clock.waits[0] ?? 0);
  });

  test('but does not, costs that item only, after the last attempt', async () => {
    const server = await startServer();
    server.answerWith(({ item: { itemId } }) =>
      itemId === '5' ? { status: 503, body: 'out of disk' } : null,
    );
    const outcomes = await upload(await open(server), itemsFrom(0, 20));
    expect(acceptedIn(outcomes)).toBe(19);
    expect(rejection(outcomes.slice(5, 6))).toBe(
      'The catalog answered 503 (Service Unavailable): out of disk (attempt 5 of 5)',
    );
    expect(server.requests).toHaveLength(24);
  });

  test.each<[Reply, string]>([
    ['RESET', 'The catalog broke the connection off (ECONNRESET) (attempt 2 of 2)'],
    ['GARBAGE', 'The catalog gave an answer that is not HTTP (HTTPParserError) (attempt 2 of 2)'],
    ['SILENCE', 'The catalog did not answer within 0.1 seconds (attempt 2 of 2)'],
    [{ status: 429 }, 'The catalog answered 429 (Too Many Requests) (attempt 2 of 2)'],
  ])('but does not, is reported: %j', async (reply, message) => {
    const server = await startServer();
    server.answerWith(() => reply);
    const catalog = await open(server, { timeoutMs: 100, attempts: 2 });
    expect(rejection(await upload(catalog, [createItem('1')]))).toBe(message);
  });

  test('many items that the catalog fails on cost no other, then or later', async () => {
    const server = await startServer();
    server.answerWith(({ item: { itemId } }) => (Number(itemId) % 10 === 3 ? { status: 500 } : null));
    const catalog = await open(server);
    for (const first of [0, 500]) {
      const outcomes = await upload(catalog, itemsFrom(first, 500));
      expect(acceptedIn(outcomes)).toBe(450);
    }
    expect(server.items.size).toBe(900);
  });
});

describe('a catalog that asks to wait', () => {
  test('gets the time that it asks for', async () => {
    const server = await startServer();
    server.answerWith(inTurn({ status: 429, headers: { 'retry-after': '17' } }));
    const clock = createLeapingClock();
    expect(await upload(await open(server, {}, clock), [createItem('1')])).toEqual([accepted]);
    expect(Math.min(...clock.waits)).toBe(17_000);
  });

  test('until a date gets the time until then', async () => {
    const server = await startServer();
    const clock = createLeapingClock();
    const date = new Date(Date.now() + 23_000).toUTCString();
    server.answerWith(inTurn({ status: 503, headers: { 'retry-after': date } }));
    expect(await upload(await open(server, {}, clock), [createItem('1')])).toEqual([accepted]);
    const wait = Math.min(...clock.waits);
    // A date has no milliseconds, and the answer takes a moment.
    expect(wait).toBeGreaterThan(15_000);
    expect(wait).toBeLessThanOrEqual(23_000);
  });

  test('for hours is asked again after a minute', async () => {
    const server = await startServer();
    server.answerWith(inTurn({ status: 429, headers: { 'retry-after': '86400' } }));
    const clock = createLeapingClock();
    expect(await upload(await open(server, {}, clock), [createItem('1')])).toEqual([accepted]);
    expect(Math.max(...clock.waits)).toBe(60_000);
  });

  test('after a number of uploads gets them all, at the pace that it can bear', async () => {
    const server = await startServer();
    let allowance = 40;
    const clock = createLeapingClock(() => {
      allowance = 40;
    });
    server.answerWith(() =>
      allowance-- > 0 ? null : { status: 429, headers: { 'retry-after': '1' }, body: 'slow down' },
    );
    const outcomes = await upload(await open(server, {}, clock), itemsFrom(0, 1_000));
    expect(acceptedIn(outcomes)).toBe(1_000);
    expect(server.requests.length).toBeLessThan(2_000);
  });
});

describe('a catalog that is down', () => {
  const limits = [null, 10_000];

  test.each(limits)('for a short time costs no item (requests a second: %j)', async (requestsPerSecond) => {
    const server = await startServer();
    await server.goDown();
    const clock = createLeapingClock(async (count) => {
      if (count === 5) await server.comeBack();
    });
    const catalog = await open(server, { attempts: 2, requestsPerSecond }, clock);
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 300)))).toBe(300);
    expect(server.items.size).toBe(300);
  });

  test('in the middle of an upload costs no item', async () => {
    const server = await startServer();
    let down: Promise<void> | undefined;
    server.answerWith(({ ordinal }) => {
      if (ordinal === 100) down = server.goDown();
      return ordinal === 100 ? 'SILENCE' : null;
    });
    let waited = 0;
    const clock = createLeapingClock(async () => {
      await down;
      if (down !== undefined && ++waited === 6) await server.comeBack();
    });
    const catalog = await open(server, { concurrency: 4 }, clock);
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 300)))).toBe(300);
    expect(server.items.size).toBe(300);
  });

  test('and answers with an error for a while costs no item, and gets one request at a time', async () => {
    const server = await startServer();
    let isWell = false;
    server.answerWith(() => (isWell ? null : { status: 503 }));
    const clock = createLeapingClock((count) => {
      isWell = count >= 12;
    });
    const catalog = await open(server, { attempts: 3 }, clock);
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 300)))).toBe(300);
    expect(server.requests.length).toBeLessThan(350);
  });

  test.each(limits)(
    'for long has the remaining items rejected together, with the reason (%j)',
    async (requestsPerSecond) => {
      const server = await startServer();
      await server.goDown();
      const clock = createLeapingClock();
      const begin = clock.now();
      const outcomes = await upload(await open(server, { requestsPerSecond }, clock), itemsFrom(0, 500));
      expect(new Set(outcomes.map((outcome) => rejection([outcome])))).toEqual(
        new Set(['The catalog has been unavailable for 30 seconds: it could not be reached (ECONNREFUSED)']),
      );
      expect(clock.now() - begin).toBe(30_000);
    },
  );

  test('for long gets one request for each further upload, and all of it once it is back', async () => {
    const server = await startServer();
    let isWell = false;
    server.answerWith(() => (isWell ? null : { status: 502 }));
    const catalog = await open(server, { concurrency: 1 });
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 100)))).toBe(0);
    const before = server.requests.length;
    for (let batch = 1; batch <= 5; batch++) {
      const outcomes = await upload(catalog, itemsFrom(batch * 100, 100));
      expect(acceptedIn(outcomes)).toBe(0);
      expect(rejection(outcomes.slice(50, 51))).toContain('it answered 502 (Bad Gateway)');
    }
    expect(server.requests.length - before).toBe(5);
    isWell = true;
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 600)))).toBe(600);
  });

  test('and never answers does not hold up each further upload', async () => {
    const server = await startServer();
    server.answerWith(() => 'SILENCE');
    const catalog = await open(server, { timeoutMs: 50, maxOutageMs: 0 });
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 20)))).toBe(0);
    const before = server.requests.length;
    const outcomes = await upload(catalog, itemsFrom(20, 20));
    expect(rejection(outcomes.slice(0, 1))).toContain('did not answer within 0.05 seconds');
    expect(server.requests.length).toBe(before);
  });

  test('is named with its fault as the reason of each item', async () => {
    const server = await startServer();
    const catalog = await open(server);
    await server.goDown();
    expect(await upload(catalog, [createItem('1')])).toEqual([
      {
        status: 'REJECTED',
        message: 'The catalog has been unavailable for 30 seconds: it could not be reached (ECONNREFUSED)',
      },
    ]);
  });
});

describe('an abort', () => {
  const reason = new Error('the job was cancelled');

  test.each([null, 10_000])(
    'ends an upload and its pending requests at once (requests a second: %j)',
    async (requestsPerSecond) => {
      const server = await startServer();
      const abort = new AbortController();
      server.answerWith(({ ordinal }) => {
        if (ordinal === 13) abort.abort(reason);
        return ordinal >= 10 ? 'SILENCE' : null;
      });
      const catalog = await open(server, { concurrency: 4, requestsPerSecond });
      await expect(catalog.upload({ key: 'k', items: itemsFrom(0, 100) }, abort.signal)).rejects.toBe(reason);
      expect(server.items.size).toBe(10);
      expect(server.requests).toHaveLength(14);

      server.answerWith(() => null);
      expect(acceptedIn(await upload(catalog, itemsFrom(0, 100)))).toBe(100);
    },
  );

  test('before an upload keeps anything from being sent', async () => {
    const server = await startServer();
    const catalog = await open(server);
    await expect(
      catalog.upload({ key: 'k', items: itemsFrom(0, 10) }, AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
    expect(server.requests).toEqual([]);
  });

  test('ends an upload that waits for a catalog that is down, or for its next attempt', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 503, headers: { 'retry-after': '60' } }));
    const abort = new AbortController();
    const catalog = await open(
      server,
      {},
      {
        now: () => Date.now(),
        wait: (_milliseconds, waitSignal) =>
          new Promise((_resolve, reject) => {
            waitSignal.addEventListener('abort', () => reject(waitSignal.reason));
            setImmediate(() => abort.abort(reason));
          }),
      },
    );
    await expect(catalog.upload({ key: 'k', items: itemsFrom(0, 50) }, abort.signal)).rejects.toBe(reason);
  });
});

describe('settings', () => {
  test.each([
    ['not a URL', 'http or https URL'],
    ['ftp://catalog/', 'http or https URL'],
    ['https://user:secret-word@catalog/', 'no user name and no password'],
    ['https://catalog/?key=secret-word', 'without "?" and "#"'],
  ])('with the URL %s are refused without showing it', async (url, message) => {
    const attempt = openHttpCatalog({ ...httpCatalogDefaults, url, token });
    await expect(attempt).rejects.toThrow(CatalogError);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.not.toThrow('secret-word');
  });

  test('with a token that no header can hold are refused without showing it', async () => {
    const attempt = openHttpCatalog({
      ...httpCatalogDefaults,
      url: 'http://catalog',
      token: 'secret\r\nword',
    });
    await expect(attempt).rejects.toThrow('visible ASCII');
    await expect(attempt).rejects.not.toThrow('secret');
  });

  test('are divided among the threads that have the catalog open', async () => {
    const server = await startServer();
    server.answerWith(() => ({ status: 201, after: 1 }));
    const settings: HttpCatalogOptions = { ...httpCatalogDefaults, url: server.url, token };
    const share = divideHttpCatalogLimits({ ...settings, requestsPerSecond: 10 }, 4);
    expect(share).toMatchObject({ concurrency: 4, requestsPerSecond: 2.5 });
    expect(divideHttpCatalogLimits(settings, 64)).toMatchObject({ concurrency: 1, requestsPerSecond: null });
    const catalog = await createRegistry([]).openCatalog({ name: 'http', settings }, 8);
    opened.push(catalog);
    expect(acceptedIn(await upload(catalog, itemsFrom(0, 50)))).toBe(50);
    expect(server.peakConcurrency).toBe(2);
  });
});
