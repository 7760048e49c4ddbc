import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Plugin } from 'graphql-yoga';

const compress = promisify(gzip);

/** Compresses the page of GraphiQL, which has 9 MB, once for all clients that accept it. */
export function compressGraphiQL(): Plugin {
  let kept: { readonly text: string; readonly compressed: Buffer<ArrayBuffer> } | null = null;
  return {
    async onResponse({ request, response, setResponse, fetchAPI }) {
      if (!response.headers.get('content-type')?.startsWith('text/html')) return;
      response.headers.set('vary', 'accept-encoding');
      if (!acceptsGzip(request.headers.get('accept-encoding') ?? '')) return;
      const text = await response.text();
      if (kept?.text !== text) kept = { text, compressed: await compress(text) };
      const headers = new fetchAPI.Headers(response.headers);
      headers.set('content-encoding', 'gzip');
      headers.set('content-length', String(kept.compressed.length));
      setResponse(new fetchAPI.Response(kept.compressed, { status: response.status, headers }));
    },
  };
}

/** Whether gzip is listed without the weight 0, which refuses it. */
function acceptsGzip(accepted: string): boolean {
  return accepted
    .split(',')
    .some((coding) => /^\s*gzip\s*(?:;|$)/i.test(coding) && !/;\s*q=0(?:\.0*)?\s*$/i.test(coding));
}
