/** What one client may ask of the API; docs/limits.md tells why each has the default that it has. */
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
  /** Fields, each counted as often as it is selected: under another alias, or by a fragment in another place. */
  readonly maxFields: number;
  readonly maxRootFields: number;
  /** In the units of `fieldCost`: about what a field of one object costs. */
  readonly maxCost: number;
}

/** How often one principal may ask. */
export interface RateLimits {
  readonly requestsPerSecond: number;
  readonly mutationsPerMinute: number;
  readonly subscriptionsPerMinute: number;
  /** Subscriptions at the same time. */
  readonly maxSubscriptions: number;
  /** Credentials of one address that are no good. */
  readonly failedCredentialsPerMinute: number;
}

/** What one connection may hold. */
export interface ConnectionLimits {
  /** Operations under way on one WebSocket. */
  readonly maxOperations: number;
  /** How long a WebSocket may take to say who opens it, in milliseconds. */
  readonly initTimeoutMs: number;
  /** How often a WebSocket is asked whether somebody is there, and how long the answer may take, in milliseconds. */
  readonly keepAliveMs: number;
  /** What may wait in memory for a client that does not read, in bytes. */
  readonly maxWaitingBytes: number;
}
