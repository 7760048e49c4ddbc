/** A catalog service and how to treat it. The limits are those of one instance: each thread opens its own. */
export interface HttpCatalogOptions {
  /** Where `/catalog/item` is, with or without a slash at the end. */
  readonly url: string;
  /** Sent as bearer token; null for none. */
  readonly token: string | null;
  /** Requests at once, and so the connections that are kept open. */
  readonly concurrency: number;
  /** Requests that start in a second, those tried again included; null for no limit. */
  readonly requestsPerSecond: number | null;
  /** From sending a request to the end of its answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How often an item is sent, while the catalog works for others, before it is rejected. */
  readonly attempts: number;
  /** About the time between the first two attempts, in milliseconds; it doubles from one to the next. */
  readonly backoffMs: number;
  /** The longest time between two attempts, and between two probes of a catalog that is down, in milliseconds. */
  readonly maxBackoffMs: number;
  /** The longest time that `retry-after` is obeyed for, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** How long uploads wait for a catalog that is down, in milliseconds. */
  readonly maxOutageMs: number;
}

/** Limits that suit a catalog nobody has measured yet. */
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

/** The limits of one of several instances that are to keep to them together. */
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
