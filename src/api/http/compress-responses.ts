import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';

const compress = promisify(gzip);

/**
 * Compresses large responses for clients that accept it: pages of items and the schema, which shrink to a tenth, and the page
 * of GraphiQL. Streams are not: each of their events is small, and must not wait for others.
 */
export function compressResponses(): Plugin<object, { readonly res: ServerResponse }> {
  let kept: { readonly page: string; readonly compressed: Buffer<ArrayBuffer> } | null = null;

  /** Compresses the page of GraphiQL, which has 9 MB, once for all clients. */
  async function compressPage(page: string): Promise<Buffer<ArrayBuffer>> {
    if (kept?.page !== page) kept = { page, compressed: await compress(page) };
    return kept.compressed;
  }

  return {
    async onResponse({ request, response, setResponse, fetchAPI, serverContext }) {
      const type = response.headers.get('content-type') ?? '';
      if (!COMPRESSIBLE.test(type)) return;
      const isPage = type.startsWith('text/html');
      if (Number(response.headers.get('content-length')) < MIN_BYTES && !isPage) return;
      // A header of the response would replace what the server has already set there.
      serverContext?.res.appendHeader('vary', 'accept-encoding');
      if (!acceptsGzip(request.headers.get('accept-encoding') ?? '')) return;
      const text = await response.text();
      const compressed = isPage
        ? await compressPage(text)
        : await compress(text, { level: constants.Z_BEST_SPEED });
      const headers = new fetchAPI.Headers(response.headers);
      headers.set('content-encoding', 'gzip');
      headers.set('content-length', String(compressed.length));
      setResponse(new fetchAPI.Response(compressed, { status: response.status, headers }));
    },
  };
}

const COMPRESSIBLE = /^(?:text\/html|application\/(?:graphql-response\+)?json)(?:;|$)/;

/** Smaller responses fit in the first packets of a connection anyway. */
const MIN_BYTES = 8_192;

/** Whether gzip is listed without the weight 0, which refuses it. */
function acceptsGzip(accepted: string): boolean {
  return accepted
    .split(',')
    .some((coding) => /^\s*gzip\s*(?:;|$)/i.test(coding) && !/;\s*q=0(?:\.0*)?\s*$/i.test(coding));
}
