import { rootCertificates } from 'node:tls';
import { DBSQLClient } from '@databricks/sql';
import type IDBSQLSession from '@databricks/sql/dist/contracts/IDBSQLSession.js';
import type { ReadingLimits } from '../../sql-check/checked-statement.ts';
import { WarehouseError } from '../warehouse.ts';
import { createRetryPolicy } from './retry.ts';
import { servicePrincipalTokens } from './token.ts';

/** What signs in to a warehouse: a personal access token, or the OAuth secret of a service principal. */
export type DatabricksCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'oauth'; readonly clientId: string; readonly clientSecret: string };

/** Where a SQL warehouse of Databricks is and how to sign in to it. Plain data. */
export interface DatabricksOptions extends ReadingLimits {
  /** The workspace, without a scheme: `dbc-a1b2c3d4-e5f6.cloud.databricks.com`. */
  readonly host: string;
  /** The path of the warehouse: `/sql/1.0/warehouses/a1b2c3d4e5f6`. */
  readonly httpPath: string;
  /** 443 unless given. */
  readonly port?: number | undefined;
  readonly credentials: DatabricksCredentials;
  /** PEM of an authority to trust beside the well-known ones, for private endpoints. */
  readonly certificateAuthority?: string | undefined;
  /** False where the cloud's storage cannot be reached, so that results have to come through the workspace. */
  readonly useCloudFetch?: boolean | undefined;
  /** The wait before the first retry of a request, in milliseconds: 1,000 unless given. */
  readonly retryDelayMs?: number | undefined;
  /** How long a statement may wait before that is told, in milliseconds: 10,000 unless given. */
  readonly waitingNoticeMs?: number | undefined;
}

export type Session = IDBSQLSession.default;

/** The driver with the session that all statements of a thread share. */
export interface DatabricksSessions {
  readonly client: DBSQLClient;
  /** How many requests have been sent again so far. */
  readonly repeatedRequests: number;
  /** The session, opened when it is first asked for. */
  current(): Promise<Session>;
  /** Drops a session that the warehouse no longer knows, so that the next one asked for is new. */
  forget(session: Session): void;
  /** Closes the session; what still runs in it ends. */
  close(): Promise<void>;
}

/** Prepares sessions. Nothing is sent before the first one is asked for, as that would start a stopped warehouse. */
export function createSessions(options: DatabricksOptions): DatabricksSessions {
  // The driver's own logger would take over the process's uncaught exceptions.
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
    opened = await client.openSession({ configuration: sessionSettings(options) });
    return opened;
  }

  return {
    client,
    get repeatedRequests() {
      return repeatedRequests;
    },
    current() {
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

/** Texts of times mean the same in every session, a failing CAST is an error and no NULL, and no statement runs for ever. */
function sessionSettings({ statementTimeoutMs }: DatabricksOptions): Record<string, string> {
  return {
    timezone: 'UTC',
    ansi_mode: 'true',
    ...(statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: String(Math.ceil(statementTimeoutMs / 1_000)) }),
  };
}

/** Results that are fetched from the cloud's storage at the same time: each is some tens of megabytes. */
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
    ...signIn(options),
    userAgentEntry: 'blade-ingestion',
    telemetryEnabled: false,
  });
  client.getConfig().cloudFetchConcurrentDownloads = CONCURRENT_DOWNLOADS;
  const provider = await client.getConnectionProvider();
  provider.getRetryPolicy = async () => retryPolicy;
  // The driver repeats some requests only; as every statement here only reads, each can be sent again.
  const connection: { getRetryPolicy: () => Promise<typeof retryPolicy> } =
    await provider.getThriftConnection();
  connection.getRetryPolicy = async () => retryPolicy;
}

function signIn(options: DatabricksOptions) {
  const { credentials, host, port, certificateAuthority } = options;
  if (credentials.kind === 'token') return { token: credentials.token };
  return {
    authType: 'token-provider' as const,
    tokenProvider: servicePrincipalTokens({
      host: port === undefined ? host : `${host}:${port}`,
      clientId: credentials.clientId,
      clientSecret: credentials.clientSecret,
      certificateAuthority:
        certificateAuthority === undefined ? undefined : [...rootCertificates, certificateAuthority],
    }),
  };
}
