import { readFileSync } from 'node:fs';
import { invalidInput } from './command-error.ts';

/** Where the API is, and the credential for it. */
export interface ServerAddress {
  readonly url: string;
  /**
   * Reads the token or API key; null without one. A token in a file may be renewed while a job is watched, so each
   * connection reads it again.
   */
  readToken(): string | null;
}

/** The options that say where the API is. */
export interface ServerOptions {
  readonly url?: string;
  readonly token?: string;
  readonly tokenFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_URL = 'http://127.0.0.1:4000/graphql';

/**
 * Takes the address from options or, without them, from environment variables.
 * @param environment usually `process.env`; an empty variable counts as not set.
 * @throws CommandError for an address or a token that cannot be one.
 */
export function parseServerAddress(options: ServerOptions, environment: Environment): ServerAddress {
  const url = parseUrl(options.url || environment.BLADE_URL || DEFAULT_URL);
  const token = options.token || (options.tokenFile ? undefined : environment.BLADE_TOKEN);
  const file = options.tokenFile || environment.BLADE_TOKEN_FILE;
  return {
    url,
    readToken() {
      if (token) return checkToken(token);
      return file ? checkToken(readFile(file)) : null;
    },
  };
}

/** Whether somebody has said where the API is. */
export function isServerNamed(options: ServerOptions, environment: Environment): boolean {
  return Boolean(options.url || environment.BLADE_URL);
}

/** The path defaults to `/graphql`. Errors never show the URL, which may hold a password. */
function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalidInput(`--url: must be a URL such as ${DEFAULT_URL}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidInput('--url: must not contain a user or password; use --token-file for the token');
  }
  url.hash = '';
  if (url.pathname === '/') url.pathname = '/graphql';
  return url.href;
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    throw invalidInput(`--token-file: cannot read ${path}`);
  }
}

function checkToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw invalidInput('the token is empty or contains characters that no token or API key has');
}
