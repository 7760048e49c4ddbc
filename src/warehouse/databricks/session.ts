import { rootCertificates } from 'node:tls';
import { DBSQLClient } from '@databricks/sql';
import type IDBSQLSession from '@databricks/sql/dist/contracts/IDBSQLSession.js';
import type { ReadingLimits } from '../../sql-check/reading-limits.ts';
import { WarehouseError } from '../warehouse.ts';
import { createRetryPolicy } from './retry.ts';
import { createTokenProvider } from './token.ts';

/** Credentials for a warehouse: a personal access token, or the OAuth secret of a service principal. */
export type DatabricksCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'oauth'; readonly clientId: string; readonly clientSecret: string };

/** The address of a Databricks SQL warehouse and how to sign in to it. Plain data. */
export interface DatabricksOptions extends ReadingLimits {
  /** The workspace without a scheme, such as `dbc-a1b2c3d4-e5f6.cloud.databricks.com`. */
  readonly host: string;
  /** The path of the warehouse, such as `/sql/1.0/warehouses/a1b2c3d4e5f6`. */
  readonly httpPath: string;
  /** Default: 443. */
  readonly port?: number | undefined;
  readonly credentials: DatabricksCredentials;
  /** PEM of an additional certificate authority to trust, for private endpoints. */
  readonly certificateAuthority?: string | undefined;
  /** False if cloud storage cannot be reached, so results must come through the workspace. */
  readonly useCloudFetch?: boolean | undefined;
  /** The wait before the first retry of a request, in milliseconds. Default: 1,000. */
  readonly retryDelayMs?: number | undefined;
  /** How long a statement may wait before that is reported, in milliseconds. Default: 10,000. */
  readonly waitingNoticeMs?: number | undefined;
}

export type Session = IDBSQLSession.default;

/** The driver, and the session shared by all statements of a thread. */
export interface DatabricksSessions {
  readonly client: DBSQLClient;
  /** The number of requests sent again so far. */
  readonly repeatedRequests: number;
  /** Returns the session; the first call opens it. */
  getSession(): Promise<Session>;
  /** Drops a session that the warehouse has lost, so that the next call opens a new one. */
  forget(session: Session): void;
  /** Closes the session, and with it the statements still running in it. */
  close(): Promise<void>;
}

/** Creates the sessions. Sends nothing before the first one is needed, because that would start a stopped warehouse. */
export function createSessions(options: DatabricksOptions): DatabricksSessions {
  // The driver's own logger would take over uncaught exceptions of the process.
  const client = new DBSQLClient({ logger: { log() {} } });
  const closing = new AbortController();
  let connected: Promise<void> | null = null;
  let opening: Promise<Session> | null = null;
  let opened: Session | null = null;
  let repeatedRequests = 0;
  const retryPolicy = createRetryPolicy({
    firstDelayMs: options.retryDelayMs ?? 1000,
    signal: closing.signal,
    onRepeat: () => {
      repeatedRequests += 1;
    },
  });

  async function open(): Promise<Session> {
    if (closing.signal.aborted) throw new WarehouseError('UNAVAILABLE', 'The warehouse is closed.');
    connected ??= connect(client, options, retryPolicy);
    await connected;
    opened = await client.openSession({ configuration: createSessionSettings(options) });
    return opened;
  }

  return {
    client,
    get repeatedRequests() {
      return repeatedRequests;
    },
    getSession() {
      opening ??= open().catch((error: unknown) => {
        opening = null;
        throw error;
      });
      return opening;
    },
    forget(session) {
      if (session === opened) opening = null;
    },
    async close() {
      closing.abort();
      await (await opening?.catch(() => null))?.close().catch(() => {});
      await client.close().catch(() => {});
    },
  };
}

/** Creates the settings of a session: times in UTC, a failing CAST is an error instead of NULL, and statements time out. */
function createSessionSettings({ statementTimeoutMs }: DatabricksOptions): Record<string, string> {
  return {
    timezone: 'UTC',
    ansi_mode: 'true',
    ...(statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: String(Math.ceil(statementTimeoutMs / 1_000)) }),
  };
}

/** Concurrent downloads of results from cloud storage; each is tens of megabytes. */
const CONCURRENT_DOWNLOADS = 3;

async function connect(
  client: DBSQLClient,
  options: DatabricksOptions,
  retryPolicy: ReturnType<typeof createRetryPolicy>,
): Promise<void> {
  await client.connect({
    host: options.host,
    path: options.httpPath,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.certificateAuthority === undefined ? {} : { customCaCert: options.certificateAuthority }),
    ...createAuthentication(options),
    userAgentEntry: 'blade-ingestion',
    telemetryEnabled: false,
  });
  client.getConfig().cloudFetchConcurrentDownloads = CONCURRENT_DOWNLOADS;
  const provider = await client.getConnectionProvider();
  provider.getRetryPolicy = async () => retryPolicy;
  // The driver retries only some requests; here all can be sent again, because every statement only reads.
  const connection: { getRetryPolicy: () => Promise<typeof retryPolicy> } =
    await provider.getThriftConnection();
  connection.getRetryPolicy = async () => retryPolicy;
}

function createAuthentication(options: DatabricksOptions) {
  const { credentials, host, port, certificateAuthority } = options;
  if (credentials.kind === 'token') return { token: credentials.token };
  return {
    authType: 'token-provider' as const,
    tokenProvider: createTokenProvider({
      host: port === undefined ? host : `${host}:${port}`,
      clientId: credentials.clientId,
      clientSecret: credentials.clientSecret,
      certificateAuthority:
        certificateAuthority === undefined ? undefined : [...rootCertificates, certificateAuthority],
    }),
  };
}
