import { createServer } from 'node:http';
import { join } from 'node:path';
import { build, type Rolldown } from 'vite';
import { listen } from '../../src/shared/http-server.ts';

/** A site of its own. */
export interface Site {
  readonly origin: string;
  close(): void;
}

/** Bundles a script for browsers. @param path in test/. */
export async function bundle(path: string): Promise<string> {
  const root = join(import.meta.dirname, '..');
  const output = (await build({
    root,
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, rolldownOptions: { input: join(root, path) } },
  })) as Rolldown.RolldownOutput;
  return output.output[0].code;
}

/** Serves a page that runs a script, under the name localhost. */
export async function serveSite(script: string): Promise<Site> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/script.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/script.js"></script>');
  });
  const origin = await listen(server, '127.0.0.1', 0);
  return {
    origin: `http://localhost:${new URL(origin).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
