import type { HttpTransactionDetails } from '@databricks/sql/dist/connection/contracts/IConnectionProvider.js';
import type IRetryPolicy from '@databricks/sql/dist/connection/contracts/IRetryPolicy.js';
import { DelegateBackoff, handleWhenResult, retry } from 'cockatiel';
import { isNetworkFault } from '../../shared/network-fault.ts';
import { parseRetryAfter } from '../../shared/retry-after.ts';

export interface RetryOptions {
  /** The wait before the first retry, in milliseconds. It doubles with each retry, up to a minute. */
  readonly firstDelayMs: number;
  /** Ends the wait between retries. */
  readonly signal: AbortSignal;
  /** Called before a request is sent again; its first answer may have been lost. */
  readonly onRepeat: () => void;
}

/**
 * Creates the retry policy for requests to the warehouse. It retries 429, server errors other than 501, and network errors:
 * five times, or for 15 minutes while the warehouse answers that it is unavailable, as it does while it starts. It replaces
 * the policy of the driver, which takes the seconds of `Retry-After` for milliseconds and never retries the three requests
 * of a read.
 */
export function createRetryPolicy(options: RetryOptions): IRetryPolicy.default<HttpTransactionDetails> {
  return {
    async shouldRetry() {
      return { shouldRetry: false };
    },
    async invokeWithRetry(operation) {
      const mayRepeat = createRepeatLimit();
      const policy = retry(
        handleWhenResult((result) => mayRepeat(toFault(toStatus(result)))).orWhen((error) =>
          mayRepeat(isNetworkFault(error) ? 'FAILED' : null),
        ),
        {
          maxAttempts: Number.POSITIVE_INFINITY,
          backoff: new DelegateBackoff(({ attempt, result }) => {
            const waited = 'value' in result ? findRequestedWait(result.value) : null;
            return waited ?? Math.min(options.firstDelayMs * 2 ** (attempt - 1), MAX_DELAY_MS);
          }),
        },
      );
      let isRepeated = false;
      return await policy.execute(async () => {
        if (isRepeated) options.onRepeat();
        isRepeated = true;
        const details = await operation();
        // An unread body would keep its connection from being reused.
        if (details.response.status !== 200) details.response.body?.resume();
        return details;
      }, options.signal);
    },
  };
}

const MAX_ATTEMPTS = 6;
const MAX_DELAY_MS = 60_000;
const MAX_START_MS = 15 * 60_000;
const MAX_REQUESTED_WAIT_MS = 5 * 60_000;

type Fault = 'FAILED' | 'UNAVAILABLE';

function createRepeatLimit(): (fault: Fault | null) => boolean {
  const startedAt = performance.now();
  let failed = 0;
  return (fault) => {
    if (fault === null) return false;
    if (fault === 'UNAVAILABLE') return performance.now() - startedAt < MAX_START_MS;
    failed += 1;
    return failed < MAX_ATTEMPTS;
  };
}

function toFault(status: number): Fault | null {
  if (status === 503) return 'UNAVAILABLE';
  return status === 429 || (status >= 500 && status !== 501) ? 'FAILED' : null;
}

function toStatus(result: unknown): number {
  return isDetails(result) ? result.response.status : 0;
}

function isDetails(result: unknown): result is HttpTransactionDetails {
  return typeof result === 'object' && result !== null && 'response' in result;
}

/** Finds the wait that the server requests, in milliseconds; null for none. */
function findRequestedWait(result: unknown): number | null {
  if (!isDetails(result)) return null;
  const wait = parseRetryAfter(result.response.headers.get('retry-after'), Date.now());
  return wait === null ? null : Math.min(wait, MAX_REQUESTED_WAIT_MS);
}
