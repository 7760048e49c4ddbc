import { Client, type ClientConfig, Pool } from 'pg';
import { readConnectTimeout } from './connection-url.ts';
import { prepareRepeatedStatements } from './repeated-statements.ts';

/**
 * What each session sets for itself, whatever the server, the database, the role or PGOPTIONS set: all that changes how values
 * are read and written or what a name stands for, and all that ends a statement or a session.
 */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  // Prisma sends times without their zone, and drops the zone of those that it reads.
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  search_path: 'public',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  // A migration or a bulk write may take long, and may wait long for another.
  statement_timeout: '0',
  lock_timeout: '0',
  // Since PostgreSQL 17.
  transaction_timeout: '0',
  // A connection that listens is idle.
  idle_session_timeout: '0',
  // The server ends a transaction that a hanging or unreachable process leaves open before its work goes to another process,
  // which then finds the locks free.
  idle_in_transaction_session_timeout: '10s',
};

/** The names of the settings that each session sets for itself. */
export const SESSION_SETTING_NAMES: readonly string[] = Object.keys(SESSION_SETTINGS);

/** How a connection differs from others. */
export interface ConnectionOptions {
  /** What the server lists the connection as. */
  readonly name?: string;
  /** Further settings of its session. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How long connecting, and each statement, may take, in milliseconds; without it, as long as it takes. */
  readonly timeout?: number;
  /** Whether the server prepares statements that are repeated: PGlite cannot. */
  readonly prepares?: boolean;
}

/** Creates a connection, to be opened by `connect`. */
export function createClient(connectionString: string, options: ConnectionOptions = {}): Client {
  const { Client: SessionClient, ...config } = createConnectionOptions(connectionString, options);
  return new SessionClient(config);
}

/**
 * Creates a pool of connections. An idle one that breaks is replaced when one is needed.
 * @param options.max how many connections it may open at once.
 */
export function createPool(
  connectionString: string,
  { max, ...options }: ConnectionOptions & { readonly max: number },
): Pool {
  const pool = new Pool({ ...createConnectionOptions(connectionString, options), max });
  pool.on('error', () => {});
  return pool;
}

/** The options of a pool, whose connections are open once their sessions have their settings. */
interface PoolOptions {
  readonly connectionString: string;
  readonly application_name: string;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis: number;
  readonly query_timeout?: number;
  readonly Client: new (config?: string | ClientConfig) => Client;
}

/** Creates the options of a pool that a library opens: every connection of the program is opened with these. */
export function createConnectionOptions(
  connectionString: string,
  {
    name = process.env.PGAPPNAME ?? 'blade-ingestion',
    settings = {},
    timeout,
    prepares = false,
  }: ConnectionOptions = {},
): PoolOptions {
  const statement = createSettingStatement({ ...SESSION_SETTINGS, ...settings });
  const connectTimeout = timeout ?? readConnectTimeout(connectionString);

  /**
   * A connection that is open once its session has the settings. They are a statement, because a pooler refuses most of them
   * among the parameters of a connection, or ignores them.
   */
  class SessionClient extends Client {
    constructor(config?: string | ClientConfig) {
      // Of a pool, the same option would limit the wait for a connection that others use.
      const connecting = connectTimeout === null ? {} : { connectionTimeoutMillis: connectTimeout };
      super(typeof config === 'string' ? config : { ...config, ...connecting });
      if (prepares) prepareRepeatedStatements(this, settings.plan_cache_mode ?? 'auto');
    }

    override connect(): Promise<Client>;
    override connect(callback: ((error: Error) => void) | ((error: null, client: Client) => void)): void;
    override connect(callback?: (...result: never[]) => void): Promise<Client> | undefined {
      const connected = this.#connect();
      if (callback === undefined) return connected;
      const report: (error: Error | null, client?: Client) => void = callback as never;
      connected.then(
        () => report(null, this),
        (error: Error) => report(error),
      );
      return undefined;
    }

    async #connect(): Promise<Client> {
      await super.connect();
      // The statement rejects by itself if the connection breaks, and nobody else listens yet.
      const ignore = () => {};
      this.on('error', ignore);
      try {
        await this.query(statement);
      } catch (error) {
        await this.end().catch(() => {});
        throw error;
      } finally {
        this.off('error', ignore);
      }
      return this;
    }
  }

  return {
    connectionString,
    Client: SessionClient,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(timeout === undefined ? {} : { query_timeout: timeout }),
  };
}

/** Sets those of the settings that the server's version has. */
function createSettingStatement(settings: Readonly<Record<string, string>>): string {
  const rows = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `select set_config(name, value, false) from (values ${rows.join(', ')}) as setting (name, value)
    where current_setting(name, true) is not null`;
}
