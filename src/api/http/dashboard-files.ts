import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';

/** Where `npm run build` puts the dashboard. */
export const DASHBOARD_FOLDER = join(import.meta.dirname, '../../../dist/dashboard');

/** The addresses of the dashboard's pages: one file shows them all. */
const PAGES = [
  /^\/$/,
  /^\/jobs\/[^/]+$/,
  /^\/start\/(sync|query)$/,
  /^\/sources(\/[^/]+)?$/,
  /^\/items(\/[^/]+\/[^/]+)?$/,
];

/** Everything comes from our own files, and a script cannot be slipped in by what a page shows. */
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
 * Serves the built dashboard: its pages, and the files that they load.
 * @returns what answers a request for one of them, and gives false for any other, which is left alone; null where the
 * dashboard has not been built.
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
      // The name of an asset changes with its content; of everything else a browser has to ask whether it has.
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
    // Whole files alone: a range that ends before it begins is more than sirv can take.
    const { range: _range, ...headers } = request.headers;
    // A copy of the request, as whoever comes after is to see what was asked for.
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
