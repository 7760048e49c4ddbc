import { VARCHAR } from '@duckdb/node-api';
import { define, orNull, type ScalarFunction } from './definition.ts';

/** Functions of URLs. */
export const urls: readonly ScalarFunction[] = [
  define('url_encode', [VARCHAR], VARCHAR, (text: string) =>
    encodeURIComponent(text)
      .replace(/%20/g, '+')
      .replace(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`),
  ),
  define('url_decode', [VARCHAR], VARCHAR, (text: string) => decodeURIComponent(text.replaceAll('+', ' '))),
  define('try_url_decode', [VARCHAR], VARCHAR, (text: string) =>
    orNull(() => decodeURIComponent(text.replaceAll('+', ' '))),
  ),
  define('parse_url', [VARCHAR, VARCHAR], VARCHAR, (url: string, part: string) => parseUrl(url, part, null)),
  define('parse_url_key', [VARCHAR, VARCHAR, VARCHAR], VARCHAR, (url: string, part: string, key: string) =>
    parseUrl(url, part, key),
  ),
  define('try_parse_url', [VARCHAR, VARCHAR], VARCHAR, (url: string, part: string) =>
    orNull(() => parseUrl(url, part, null)),
  ),
  define(
    'try_parse_url_key',
    [VARCHAR, VARCHAR, VARCHAR],
    VARCHAR,
    (url: string, part: string, key: string) => orNull(() => parseUrl(url, part, key)),
  ),
];

function parseUrl(url: string, part: string, key: string | null): string | null {
  if (/[\s"<>\\^`{|}]/.test(url)) throw new Error('INVALID_URL');
  const [, scheme, authority, path = '', query, fragment] = URL_PARTS.exec(url) ?? [];
  if (key !== null) {
    if (part !== 'QUERY' || query === undefined) return null;
    const found = query.split('&').find((pair) => pair.startsWith(`${key}=`));
    return found === undefined ? null : found.slice(key.length + 1);
  }
  const user = authority?.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : null;
  const host = authority?.slice((user?.length ?? -1) + 1).replace(/:\d*$/, '');
  switch (part) {
    case 'HOST':
      return host === undefined || host === '' ? null : host;
    case 'PATH':
      return path;
    case 'QUERY':
      return query ?? null;
    case 'REF':
      return fragment ?? null;
    case 'PROTOCOL':
      return scheme ?? null;
    case 'FILE':
      return query === undefined ? path : `${path}?${query}`;
    case 'AUTHORITY':
      return authority ?? null;
    case 'USERINFO':
      return user;
    default:
      return null;
  }
}

const URL_PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
