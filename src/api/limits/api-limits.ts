/** How much one client may ask of the API. docs/limits.md explains each default. */
export interface ApiLimits {
  readonly document: DocumentLimits;
  readonly rates: RateLimits;
  readonly connections: ConnectionLimits;
  /** The largest body of a request and the largest message of a WebSocket, in bytes. */
  readonly maxBodyBytes: number;
}

/** How large one operation may be. */
export interface DocumentLimits {
  /** The longest text of a document, in characters. */
  readonly maxCharacters: number;
  readonly maxTokens: number;
  readonly maxDepth: number;
  /** Fields, counted each time they are selected: under another alias, or through another fragment. */
  readonly maxFields: number;
  readonly maxRootFields: number;
  /** In units of `fieldCost`: one is about the cost of a plain field. */
  readonly maxCost: number;
}

/** How often one principal may send requests. */
export interface RateLimits {
  readonly requestsPerSecond: number;
  readonly mutationsPerMinute: number;
  readonly subscriptionsPerMinute: number;
  /** Concurrent subscriptions. */
  readonly maxSubscriptions: number;
  /** Invalid credentials from one address. */
  readonly failedCredentialsPerMinute: number;
}

/** Limits of one connection. */
export interface ConnectionLimits {
  /** Concurrent operations on one WebSocket. */
  readonly maxOperations: number;
  /** How long a WebSocket may take to authenticate, in milliseconds. */
  readonly initTimeoutMs: number;
  /** How often a WebSocket is pinged and how long its pong may take, in milliseconds. */
  readonly keepAliveMs: number;
  /** How much may be buffered for a client that does not read, in bytes. */
  readonly maxWaitingBytes: number;
}
