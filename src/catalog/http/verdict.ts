import { STATUS_CODES } from 'node:http';
import { isObject } from '../../shared/json.ts';
import { parseRetryAfter } from '../../shared/retry-after.ts';
import { type Answer, ExchangeError } from './exchange.ts';

/** The result of an exchange with the catalog. */
export type Verdict =
  /** The text is what the request wants of the answer. */
  | { readonly kind: 'ACCEPTED'; readonly text: string }
  /** Sending the item again would change nothing. */
  | { readonly kind: 'REFUSED'; readonly status: number; readonly message: string }
  /** No request can succeed with this token. */
  | { readonly kind: 'UNAUTHORIZED'; readonly message: string }
  | Failure;

/** A request that may succeed if it is sent again. */
export interface Failure {
  readonly kind: 'FAILED';
  readonly reason: 'UNREACHABLE' | 'BROKEN' | 'TIMEOUT' | 'STATUS';
  readonly status: number | null;
  /** The wait that the catalog asks for, in milliseconds; null for none. */
  readonly retryAfterMs: number | null;
  /** What the catalog did, as the end of a sentence that starts with "The catalog" or "it". */
  readonly message: string;
}

export interface VerdictOptions {
  /** The statuses of success. */
  readonly accepted: ReadonlySet<number>;
  /** Never shown, even if the catalog repeats it. */
  readonly token: string | null;
  /** The longest wait that the catalog may ask for, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Judges an answer by its status. */
export function judgeAnswer({ status, headers, text }: Answer, options: VerdictOptions): Verdict {
  const { token } = options;
  if (options.accepted.has(status)) return { kind: 'ACCEPTED', text };
  const said = shortenMessage(text, token);
  const message = `answered ${status}${describeStatus(status)}${said === '' ? '' : `: ${said}`}`;
  if (status === 401) {
    const advice = token === null ? 'it asks for one: CATALOG_TOKEN' : 'check CATALOG_TOKEN';
    return { kind: 'UNAUTHORIZED', message: `The catalog refused the token (${advice}): it ${message}` };
  }
  if (status === 403) {
    return {
      ...{ kind: 'REFUSED', status },
      message: `The catalog refused the token for this item (check what CATALOG_TOKEN allows): it ${message}`,
    };
  }
  if (status === 429 || (status >= 500 && !NEVER_TEMPORARY.has(status))) {
    const asked = parseRetryAfter(headers['retry-after'], options.now);
    const retryAfterMs = asked === null ? null : Math.min(asked, options.maxRetryAfterMs);
    return { kind: 'FAILED', reason: 'STATUS', status, retryAfterMs, message };
  }
  return { kind: 'REFUSED', status, message: `The catalog ${message}` };
}

/**
 * Judges an exchange that ended without a complete answer.
 * @param timeoutMs how long it was allowed to take, in milliseconds.
 * @throws the error itself unless it is an ExchangeError.
 */
export function judgeError(error: unknown, timeoutMs: number): Failure {
  if (!(error instanceof ExchangeError)) throw error;
  const { reason, code } = error;
  return {
    kind: 'FAILED',
    reason,
    status: null,
    retryAfterMs: null,
    message: describeFault(reason, code, timeoutMs),
  };
}

const NEVER_TEMPORARY: ReadonlySet<number> = new Set([501, 505]);

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

/** Shortens the catalog's own message to one line; empty if the answer is a page of HTML. */
function shortenMessage(text: string, token: string | null): string {
  const said = findMessageInJson(text) ?? (/^\s*[<{[]/.test(text) ? '' : text);
  const shown = token === null ? said : said.replaceAll(token, '[token]');
  const line = shown.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  const characters = [...line.slice(0, 2 * MAX_MESSAGE_LENGTH)];
  return characters.length <= MAX_MESSAGE_LENGTH
    ? line
    : `${characters.slice(0, MAX_MESSAGE_LENGTH).join('')}…`;
}

const MAX_MESSAGE_LENGTH = 200;
const MESSAGE_FIELDS = ['message', 'detail', 'error_description', 'error', 'title'] as const;

function findMessageInJson(text: string): string | null {
  try {
    return findMessage(JSON.parse(text));
  } catch {
    return null;
  }
}

function findMessage(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!isObject(value)) return null;
  const fields = new Map(Object.entries(value));
  for (const name of MESSAGE_FIELDS) {
    const message = findMessage(fields.get(name));
    if (message !== null) return message;
  }
  return null;
}
