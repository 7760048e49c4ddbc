import type { HttpTransactionDetails } from '@databricks/sql/dist/connection/contracts/IConnectionProvider.js';
import type IRetryPolicy from '@databricks/sql/dist/connection/contracts/IRetryPolicy.js';
import { DelegateBackoff, handleWhenResult, retry } from 'cockatiel';
import { parseRetryAfter } from '../../shared/retry-after.ts';

export interface RetryOptions {
  /** The wait before the first retry, in milliseconds; each later one is twice the one before, up to a minute. */
  readonly firstDelayMs: number;
  /** Ends the waiting between retries. */
  readonly signal: AbortSignal;
  /** Called before a request is sent again, whose first answer may have been lost. */
  readonly onRepeat: () => void;
}

/**
 * How requests to the warehouse are repeated: after 429, after server errors other than 501, and where the network
 * failed; five times, or for a quarter of an hour while the warehouse says that it is not available, as it does while
 * it starts. It stands in for the driver's own policy, which takes the seconds of `Retry-After` for milliseconds and
 * never repeats the three requests that a read consists of.
 */
export function createRetryPolicy(options: RetryOptions): IRetryPolicy.default<HttpTransactionDetails> {
  return {
    async shouldRetry() {
      return { shouldRetry: false };
    },
    async invokeWithRetry(operation) {
      const mayRepeat = repeatLimit();
      const policy = retry(
        handleWhenResult((result) => mayRepeat(faultOf(statusOf(result)))).orWhen((error) =>
          mayRepeat(isNetworkFault(error) ? 'FAILED' : null),
        ),
        {
          maxAttempts: Number.POSITIVE_INFINITY,
          backoff: new DelegateBackoff(({ attempt, result }) => {
            const waited = 'value' in result ? findRequestedWait(result.value) : null;
            return waited ?? Math.min(options.firstDelayMs * 2 ** (attempt - 1), LONGEST_DELAY_MS);
          }),
        },
      );
      let isRepeated = false;
      return await policy.execute(async () => {
        if (isRepeated) options.onRepeat();
        isRepeated = true;
        const details = await operation();
        // A body that nobody reads would keep its connection from being used again.
        if (details.response.status !== 200) details.response.body?.resume();
        return details;
      }, options.signal);
    },
  };
}

const MAX_ATTEMPTS = 6;
const LONGEST_DELAY_MS = 60_000;
const LONGEST_START_MS = 15 * 60_000;
const LONGEST_REQUESTED_WAIT_MS = 5 * 60_000;

type Fault = 'FAILED' | 'UNAVAILABLE';

function repeatLimit(): (fault: Fault | null) => boolean {
  const startedAt = performance.now();
  let failed = 0;
  return (fault) => {
    if (fault === null) return false;
    if (fault === 'UNAVAILABLE') return performance.now() - startedAt < LONGEST_START_MS;
    failed += 1;
    return failed < MAX_ATTEMPTS;
  };
}

function faultOf(status: number): Fault | null {
  if (status === 503) return 'UNAVAILABLE';
  return status === 429 || (status >= 500 && status !== 501) ? 'FAILED' : null;
}

function statusOf(result: unknown): number {
  return isDetails(result) ? result.response.status : 0;
}

function isDetails(result: unknown): result is HttpTransactionDetails {
  return typeof result === 'object' && result !== null && 'response' in result;
}

/** The wait that the server asks for, in milliseconds; null where it asks for none. */
function findRequestedWait(result: unknown): number | null {
  if (!isDetails(result)) return null;
  const wait = parseRetryAfter(result.response.headers.get('retry-after'), Date.now());
  return wait === null ? null : Math.min(wait, LONGEST_REQUESTED_WAIT_MS);
}

/** Whether a request failed on its way, and not for a reason that stays, such as a certificate that is not trusted. */
export function isNetworkFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code !== '') return networkFaults.has(code);
  return /socket hang up|premature close|network timeout|request timed out/i.test(error.message);
}

const networkFaults: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN'],
]);
