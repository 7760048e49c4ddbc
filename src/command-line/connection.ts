import { readFileSync } from 'node:fs';
import { invalidInput } from './exit-code.ts';

/** Where the API is, and what to show at its door. */
export interface Connection {
  readonly url: string;
  /** The token or API key; null for none. Read anew each time: one in a file is renewed while a job is watched. */
  token(): string | null;
}

/** The options that say where the API is. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_URL = 'http://127.0.0.1:4000/graphql';

/**
 * @param environment usually `process.env`; an option goes before a variable, and one that is empty counts as not set.
 * @throws CommandError where an address or token cannot be used.
 */
export function connectionOf(options: ConnectionOptions, environment: Environment): Connection {
  const url = apiUrl(options.url || environment.BLADE_URL || DEFAULT_URL);
  const given = options.token || (options.tokenFile ? undefined : environment.BLADE_TOKEN);
  const file = options.tokenFile || environment.BLADE_TOKEN_FILE;
  return {
    url,
    token() {
      if (given) return checkedToken(given);
      return file ? checkedToken(contentOf(file)) : null;
    },
  };
}

/** Without a path it is that of the API. Never shown where it cannot be used: it may hold a password. */
function apiUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalidInput(`--url: must be a URL such as ${DEFAULT_URL}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidInput('--url: must not hold a user or password; --token-file names the file of a token');
  }
  url.hash = '';
  if (url.pathname === '/') url.pathname = '/graphql';
  return url.href;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw invalidInput(`--token-file: ${file} cannot be read`);
  }
}

function checkedToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalidInput('the token is empty, or has characters that no token or API key has');
}
