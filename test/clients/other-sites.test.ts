import type { Browser } from 'playwright-core';
import { createServer as createViteServer } from 'vite';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { findChromium, inChromium, launchChromium, openTab } from '../support/browser.ts';
import { bundle, type Site, serveSite } from '../support/built-page.ts';
import { test } from '../support/in-chromium.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

/** The headers that clients and tracing send. */
const HEADERS = [
  'apollo-require-preflight',
  'x-apollo-operation-name',
  'apollographql-client-name',
  'apollographql-client-version',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'baggage',
  'x-of-our-own',
];

const ME = { data: { me: { role: 'ADMIN' } } };

describe.skipIf(findChromium() === null)(`a page of another site ${inChromium}`, { timeout: 180_000 }, () => {
  let script: string;
  let allowed: Site;
  let foreign: Site;
  let application: TestApplication;
  let browser: Browser;

  beforeAll(async () => {
    script = await bundle('clients/pages/other-site.ts');
    [allowed, foreign] = [await serveSite(script), await serveSite(script)];
    application = await startTestApplication({
      BLADE_ROLES: 'api',
      BLADE_ALLOWED_ORIGINS: allowed.origin,
    });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    await application?.close();
    allowed?.close();
    foreign?.close();
  });

  /** Runs a client on a page. */
  async function run(
    origin: string,
    client: string,
    url = application.url,
    more: object = {},
  ): Promise<unknown> {
    const { page } = await openTab(browser, origin);
    onTestFinished(() => page.context().close());
    await page.goto('/');
    await page.waitForFunction('window.clients !== undefined');
    return page.evaluate(
      `window.clients.${client}(${JSON.stringify(url)}, ${JSON.stringify(more)}).catch((error) => 'refused')`,
    );
  }

  test('that is allowed queries by GET, as urql and graphql-request do', async () => {
    expect(await run(allowed.origin, 'urql')).toMatchObject(ME.data);
    expect(await run(allowed.origin, 'graphqlRequest')).toEqual(ME.data);
  });

  test('that is allowed subscribes by EventSource and WebSocket', async () => {
    expect(await run(allowed.origin, 'eventSource')).toMatchObject({ data: { syncProgress: {} } });
    expect(await run(allowed.origin, 'webSocket')).toMatchObject(ME);
  });

  test('that is allowed keeps seven subscriptions and a query over one connection', async () => {
    expect(await run(allowed.origin, 'singleConnection')).toMatchObject({
      states: Array.from({ length: 7 }, () => ({ data: { syncProgress: {} } })),
      me: ME,
    });
  });

  test('that is allowed may send any header', async () => {
    const headers = Object.fromEntries(HEADERS.map((name) => [name, '1']));
    expect(await run(allowed.origin, 'post', application.url, headers)).toMatchObject(ME);
  });

  test('that is not allowed gets nothing', async () => {
    for (const client of ['graphqlRequest', 'eventSource', 'webSocket', 'singleConnection', 'post'])
      expect(await run(foreign.origin, client), client).toBe('refused');
    expect(await run(foreign.origin, 'urql')).toMatch(/Failed to fetch|NetworkError/);
  });

  test("that Vite serves with a proxy to the API may use it, whether or not that keeps the page's host", async () => {
    for (const changes of [{}, { changeOrigin: true, rewriteWsOrigin: true }]) {
      const vite = await createViteServer({
        configFile: false,
        logLevel: 'error',
        root: import.meta.dirname,
        server: {
          port: 0,
          host: '127.0.0.1',
          proxy: { '/graphql': { target: new URL(application.url).origin, ws: true, ...changes } },
        },
        plugins: [
          {
            name: 'page',
            configureServer: ({ middlewares }) => {
              middlewares.use('/page.js', (_request, response) => {
                response.setHeader('content-type', 'text/javascript');
                response.end(script);
              });
              middlewares.use('/page', (_request, response) => {
                response.setHeader('content-type', 'text/html');
                response.end('<!doctype html><script type="module" src="/page.js"></script>');
              });
            },
          },
        ],
      });
      onTestFinished(() => vite.close());
      await vite.listen();
      const address = vite.httpServer?.address();
      if (typeof address !== 'object' || address === null) throw new Error('Vite does not listen');
      const origin = `http://127.0.0.1:${address.port}`;
      const { page } = await openTab(browser, origin);
      onTestFinished(() => page.context().close());
      await page.goto('/page');
      await page.waitForFunction('window.clients !== undefined');
      const call = (client: string) =>
        page.evaluate(
          `window.clients.${client}(${JSON.stringify(`${origin}/graphql`)}, {}).catch((error) => 'refused')`,
        );
      expect(await call('post')).toMatchObject(ME);
      expect(await call('urql')).toMatchObject(ME.data);
      expect(await call('eventSource')).toMatchObject({ data: { syncProgress: {} } });
      expect(await call('webSocket')).toMatchObject(ME);
    }
  });
});
