import { createServer, type RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import sirv from 'sirv';
import { listen } from '../../src/shared/http-server.ts';
import type { Site } from './built-page.ts';

const require = createRequire(import.meta.url);
const { getDistDirectory, renderAltair } = require('altair-static') as typeof import('altair-static');

/** Where scripts/fetch-playground.ts puts the files of GraphQL Playground, whose package would bring 460 others. */
export const PLAYGROUND_FOLDER = join(
  import.meta.dirname,
  '../../node_modules/.cache/graphql-playground-react/1.7.28',
);

/** Serves GraphQL Playground, with the query of its first tab. @param url of the API. */
export function servePlayground(url: string, query: string): Promise<Site> {
  const options = {
    endpoint: url,
    subscriptionEndpoint: url.replace(/^http/, 'ws'),
    tabs: [{ endpoint: url, query }],
  };
  const page = `<!doctype html>
    <link rel="stylesheet" href="/static/css/index.css" />
    <div id="root"></div>
    <script src="/static/js/middleware.js"></script>
    <script>GraphQLPlayground.init(document.getElementById('root'), ${JSON.stringify(options)});</script>`;
  return servePage(page, join(PLAYGROUND_FOLDER, 'package/build'));
}

/** Serves Altair, with its first query. @param url of the API. */
export function serveAltair(url: string, query: string): Promise<Site> {
  const page = renderAltair({
    baseURL: '/',
    endpointURL: url,
    subscriptionsEndpoint: url.replace(/^http/, 'ws'),
    initialQuery: query,
  });
  return servePage(page, getDistDirectory());
}

async function servePage(page: string, folder: string): Promise<Site> {
  const files = sirv(folder);
  const answer: RequestListener = (request, response) => {
    if (request.url === '/') response.setHeader('content-type', 'text/html').end(page);
    else files(request, response, () => void response.writeHead(404).end());
  };
  const server = createServer(answer);
  const port = new URL(await listen(server, '127.0.0.1', 0)).port;
  return {
    origin: `http://localhost:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
