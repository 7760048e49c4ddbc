import { STATUS_CODES } from 'node:http';
import { parseRetryAfter } from '../../shared/retry-after.ts';
import { type Answer, ExchangeError } from './exchange.ts';

/** What an exchange with the catalog means. */
export type Verdict =
  | { readonly kind: 'ACCEPTED' }
  /** Sending it again would change nothing. */
  | { readonly kind: 'REFUSED'; readonly status: number; readonly message: string }
  /** No request can succeed with this token. */
  | { readonly kind: 'UNAUTHORIZED'; readonly message: string }
  | Failure;

/** It may succeed when it is sent again. */
export interface Failure {
  readonly kind: 'FAILED';
  readonly reason: 'UNREACHABLE' | 'BROKEN' | 'TIMEOUT' | 'STATUS';
  readonly status: number | null;
  /** How long the catalog asks to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** What the catalog did, to be read after "The catalog" or "it". */
  readonly message: string;
}

export interface VerdictOptions {
  /** Never shown, not where the catalog repeats it either. */
  readonly token: string | null;
  /** The longest time that the catalog may ask to wait, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Judges an answer by its status. */
export function judgeAnswer({ status, headers, text }: Answer, options: VerdictOptions): Verdict {
  const { token } = options;
  if (status === 200 || status === 201) {
    return { kind: 'ACCEPTED' };
  }
  const said = shortMessage(text, token);
  const message = `answered ${status}${describeStatus(status)}${said === '' ? '' : `: ${said}`}`;
  if (status === 401) {
    const advice = token === null ? 'it asks for one: CATALOG_TOKEN' : 'check CATALOG_TOKEN';
    return { kind: 'UNAUTHORIZED', message: `The catalog refused the token (${advice}): it ${message}` };
  }
  if (status === 403) {
    return {
      kind: 'REFUSED',
      status,
      message: `The catalog refused the token for this item (check what CATALOG_TOKEN allows): it ${message}`,
    };
  }
  if (status === 429 || (status >= 500 && !neverTemporary.has(status))) {
    const asked = parseRetryAfter(headers['retry-after'], options.now);
    const retryAfterMs = asked === null ? null : Math.min(asked, options.maxRetryAfterMs);
    return { kind: 'FAILED', reason: 'STATUS', status, retryAfterMs, message };
  }
  return { kind: 'REFUSED', status, message: `The catalog ${message}` };
}

/**
 * Judges an exchange that ended without a whole answer.
 * @param timeoutMs how long it was given, in milliseconds.
 * @throws the error itself where it is no ExchangeError.
 */
export function judgeError(error: unknown, timeoutMs: number): Failure {
  if (!(error instanceof ExchangeError)) {
    throw error;
  }
  const { reason, code } = error;
  return {
    kind: 'FAILED',
    reason,
    status: null,
    retryAfterMs: null,
    message: describeFault(reason, code, timeoutMs),
  };
}

const neverTemporary: ReadonlySet<number> = new Set([501, 505]);

function describeStatus(status: number): string {
  const name = STATUS_CODES[status];
  return name === undefined ? '' : ` (${name})`;
}

function describeFault(reason: ExchangeError['reason'], code: string, timeoutMs: number): string {
  switch (reason) {
    case 'UNREACHABLE':
      return `could not be reached (${code})`;
    case 'TIMEOUT':
      return `did not answer within ${timeoutMs / 1_000} seconds`;
    case 'BROKEN':
      return /^(HPE_|HTTPParserError)/.test(code)
        ? `gave an answer that is not HTTP (${code})`
        : `broke the connection off (${code})`;
  }
}

/** What the catalog itself says of a fault, on one line and clipped; nothing where that is a page of HTML. */
function shortMessage(text: string, token: string | null): string {
  const said = messageInJson(text) ?? (/^\s*[<{[]/.test(text) ? '' : text);
  const shown = token === null ? said : said.replaceAll(token, '[token]');
  const line = shown.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line.slice(0, 2 * maximumLength)];
  return characters.length <= maximumLength ? line : `${characters.slice(0, maximumLength).join('')}…`;
}

const maximumLength = 200;
const namesOfMessage = ['message', 'detail', 'error_description', 'error', 'title'] as const;

function messageInJson(text: string): string | null {
  try {
    return messageIn(JSON.parse(text));
  } catch {
    return null;
  }
}

function messageIn(value: unknown): string | null {
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const fields = new Map(Object.entries(value));
  for (const name of namesOfMessage) {
    const message = messageIn(fields.get(name));
    if (message !== null) {
      return message;
    }
  }
  return null;
}
