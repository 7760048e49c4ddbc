import { describe, expect, onTestFinished } from 'vitest';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { test as onServer } from '../support/on-server.ts';
import { subscribe, TRANSPORTS } from '../support/subscriber.ts';
import { startTestApplication } from '../support/test-application.ts';

const WATCH = 'subscription { syncProgress { state } }';

const test = onServer.extend('limited', { scope: 'file' }, async ({}, { onCleanup }) => {
  const limited = await startTestApplication({
    BLADE_ROLES: 'api',
    BLADE_MAX_SUBSCRIPTIONS: '1',
    BLADE_MAX_DEPTH: '3',
    BLADE_MAX_COST: '300',
    BLADE_MAX_DOCUMENT_CHARACTERS: '500',
    ...SECRET_SETTINGS,
  });
  onCleanup(() => limited.close());
  return limited;
});

/** The first answer of a subscription, or the error that it ended with. */
async function readFirst(...args: Parameters<typeof subscribe>): Promise<string> {
  const subscription = subscribe(...args);
  const first = await subscription.next().then(({ value }) => JSON.stringify(value), describeError);
  await subscription.leave();
  return first;
}

/** Of an answer with the status of a failure, Apollo's client keeps the body apart; a closed WebSocket has a reason. */
function describeError(error: unknown): string {
  const { bodyText = '', reason = '', code = '' } = error as Record<string, unknown>;
  return [JSON.stringify(error), String(error), bodyText, reason, code].join(' ');
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('an operation that is too deep, expensive or long is refused', async ({ limited: { url } }) => {
    const authorization = await bearer();
    for (const query of [
      'subscription { jobChanges { job { retryOf { retryOf { id } } } } }',
      'subscription { jobChanges { job { errors(first: 200) { totalCount } partitions { nodes { id } } } } }',
      `subscription { syncProgress { ${'state '.repeat(100)} } }`,
    ])
      expect(await readFirst(url, transport, query, {}, authorization)).toMatch(/at most|400/);
  });

  test('a principal has so many subscriptions at once', async ({ limited: { url } }) => {
    const authorization = await bearer({ sub: `watcher over ${transport}` });
    const first = subscribe(url, 'WebSocket', WATCH, {}, authorization);
    onTestFinished(() => first.leave());
    await first.next();
    expect(await readFirst(url, transport, WATCH, {}, authorization)).toMatch(/the most allowed|429/);
    await first.leave();
    await expect
      .poll(() => readFirst(url, transport, WATCH, {}, authorization), { timeout: 10_000 })
      .toContain('"data"');
  });

  test('nobody gets in without a credential', async ({ limited: { url } }) => {
    expect(await readFirst(url, transport, WATCH)).toMatch(/credential|401|UNAUTHENTICATED/i);
  });
});
