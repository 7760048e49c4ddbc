/** A catalog service and its limits. Each thread opens its own instance; the limits are for one. */
export interface HttpCatalogOptions {
  /** Where `/catalog/item` is, with or without a trailing slash. */
  readonly url: string;
  /** Sent as a bearer token; null for none. */
  readonly token: string | null;
  /** Concurrent requests, and so the connections that are kept open. */
  readonly concurrency: number;
  /** Requests that start in a second, including repeated ones; null for no limit. */
  readonly requestsPerSecond: number | null;
  /** From sending a request to the end of its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How often an item is sent before it is rejected, while the catalog accepts others. */
  readonly attempts: number;
  /** About the time between the first two attempts, in milliseconds; it doubles each time. */
  readonly backoffMs: number;
  /** The longest time between two attempts, and between two probes of a catalog that is down, in milliseconds. */
  readonly maxBackoffMs: number;
  /** The longest `Retry-After` that is obeyed, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** How long uploads wait for a catalog that is down, in milliseconds. */
  readonly maxOutageMs: number;
}

/** Limits for a catalog that nobody has measured yet. */
export const httpCatalogDefaults = {
  concurrency: 16,
  requestsPerSecond: null,
  timeoutMs: 30_000,
  attempts: 5,
  backoffMs: 500,
  maxBackoffMs: 5_000,
  maxRetryAfterMs: 60_000,
  maxOutageMs: 30_000,
} as const satisfies Partial<HttpCatalogOptions>;

/** Divides limits among instances that must keep to them together. */
export function divideHttpCatalogLimits<Options extends HttpCatalogOptions>(
  options: Options,
  instances: number,
): Options {
  const { concurrency, requestsPerSecond } = options;
  return {
    ...options,
    concurrency: Math.max(1, Math.floor(concurrency / instances)),
    requestsPerSecond: requestsPerSecond === null ? null : requestsPerSecond / instances,
  };
}
