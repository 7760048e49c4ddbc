import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

/** Where `npm run build` puts the dashboard. */
export const DASHBOARD_FOLDER = fileURLToPath(new URL('../../../dist/dashboard', import.meta.url));

/** Paths of the dashboard's pages, which are all one file. */
const PAGES = [
  /^\/$/,
  /^\/jobs\/[^/]+$/,
  /^\/start\/(sync|query)$/,
  /^\/sources(\/[^/]+)?$/,
  /^\/items(\/[^/]+\/[^/]+)?$/,
];

/** Allows only our own files, so that content on a page cannot inject a script. */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/**
 * Serves the built dashboard: its pages and their files.
 * @returns a function that answers a request for one of them and returns false for any other; null if the dashboard has
 * not been built.
 */
export function createDashboardFiles(
  folder = DASHBOARD_FOLDER,
): ((request: IncomingMessage, response: ServerResponse) => boolean) | null {
  if (!existsSync(join(folder, 'index.html'))) return null;
  const serve = sirv(folder, {
    etag: true,
    brotli: true,
    gzip: true,
    setHeaders(response, path) {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
      // An asset's name changes with its content; all other files are revalidated.
      response.setHeader(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });

  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    let isServed = true;
    const isPage = PAGES.some((page) => page.test(pathname));
    // Serves whole files only: sirv cannot handle a range that ends before it begins.
    const { range: _range, ...headers } = request.headers;
    // A copy, because later handlers need the original request.
    const asked = Object.create(request, {
      headers: { value: headers },
      ...(isPage ? { url: { value: '/' } } : {}),
    });
    serve(asked, response, () => {
      isServed = false;
    });
    return isServed;
  };
}
