import { defineSettings, type SettingsFrom, wholeNumber } from '../../shared/settings.ts';

/** What one client may ask of the API; docs/limits.md gives the reason for each default. */
export const limitSettings = defineSettings({
  variables: {
    BLADE_MAX_BODY_BYTES: wholeNumber(1_000, 100_000_000)
      .default(2_000_000)
      .describe('Largest body of a request, and largest message of a WebSocket, in bytes.'),
    BLADE_MAX_DOCUMENT_CHARACTERS: wholeNumber(100, 10_000_000)
      .default(150_000)
      .describe('Longest text of an operation, without its variables.'),
    BLADE_MAX_DOCUMENT_TOKENS: wholeNumber(10, 100_000)
      .default(1_000)
      .describe('Most words and punctuation marks in an operation.'),
    BLADE_MAX_DEPTH: wholeNumber(1, 100)
      .default(15)
      .describe('How deep the fields of an operation may be nested.'),
    BLADE_MAX_FIELDS: wholeNumber(1, 100_000)
      .default(500)
      .describe('Most fields that an operation selects, under all aliases and fragments.'),
    BLADE_MAX_ROOT_FIELDS: wholeNumber(1, 1_000)
      .default(20)
      .describe('Most fields at the top of an operation.'),
    BLADE_MAX_COST: wholeNumber(1, 100_000_000)
      .default(50_000)
      .describe('Highest cost of an operation; see [limits.md](limits.md).'),
    BLADE_MAX_BATCH_OPERATIONS: wholeNumber(1, 100)
      .default(10)
      .describe('Most operations in one HTTP request; each has all other limits for itself.'),
    BLADE_REQUESTS_PER_SECOND: wholeNumber(1, 1_000_000)
      .default(200)
      .describe('Most requests of one principal in a second, counted over ten.'),
    BLADE_MUTATIONS_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(300)
      .describe('Most mutations of one principal in a minute.'),
    BLADE_SUBSCRIPTIONS_PER_MINUTE: wholeNumber(1, 1_000_000)
      .default(600)
      .describe('Most subscriptions that one principal starts in a minute.'),
    BLADE_MAX_SUBSCRIPTIONS: wholeNumber(1, 1_000_000)
      .default(500)
      .describe('Most open subscriptions of one principal.'),
    BLADE_MAX_CONNECTION_OPERATIONS: wholeNumber(1, 100_000)
      .default(200)
      .describe('Most operations under way on one WebSocket.'),
    BLADE_CONNECTION_INIT_TIMEOUT_MS: wholeNumber(100, 600_000)
      .default(5_000)
      .describe('How long a WebSocket may take to send `connection_init`, in milliseconds.'),
    BLADE_KEEP_ALIVE_MS: wholeNumber(100, 600_000)
      .default(15_000)
      .describe(
        'How often a client is checked for life, and how long it may take to answer, in milliseconds.',
      ),
    BLADE_MAX_WAITING_BYTES: wholeNumber(10_000, 1_000_000_000)
      .default(4_000_000)
      .describe('Most bytes that wait in memory for one WebSocket whose client does not read.'),
  },
  toSettings: (values) => ({
    /** How large one operation may be. */
    document: {
      maxCharacters: values.BLADE_MAX_DOCUMENT_CHARACTERS,
      maxTokens: values.BLADE_MAX_DOCUMENT_TOKENS,
      maxDepth: values.BLADE_MAX_DEPTH,
      /** A field counts each time it is selected: under another alias, or by a fragment in another place. */
      maxFields: values.BLADE_MAX_FIELDS,
      maxRootFields: values.BLADE_MAX_ROOT_FIELDS,
      /** In units of about what a field of one object costs. */
      maxCost: values.BLADE_MAX_COST,
    },
    /** Most operations in one HTTP request. */
    maxBatchOperations: values.BLADE_MAX_BATCH_OPERATIONS,
    /** How often one principal may ask. */
    rates: {
      requestsPerSecond: values.BLADE_REQUESTS_PER_SECOND,
      mutationsPerMinute: values.BLADE_MUTATIONS_PER_MINUTE,
      subscriptionsPerMinute: values.BLADE_SUBSCRIPTIONS_PER_MINUTE,
      maxSubscriptions: values.BLADE_MAX_SUBSCRIPTIONS,
    },
    /** What one connection may hold. */
    connections: {
      maxOperations: values.BLADE_MAX_CONNECTION_OPERATIONS,
      initTimeoutMs: values.BLADE_CONNECTION_INIT_TIMEOUT_MS,
      keepAliveMs: values.BLADE_KEEP_ALIVE_MS,
      maxWaitingBytes: values.BLADE_MAX_WAITING_BYTES,
    },
    /** The largest body of a request and the largest message of a WebSocket. */
    maxBodyBytes: values.BLADE_MAX_BODY_BYTES,
  }),
});

export type ApiLimits = SettingsFrom<typeof limitSettings>;
export type DocumentLimits = ApiLimits['document'];
export type RateLimits = ApiLimits['rates'];
export type ConnectionLimits = ApiLimits['connections'];
