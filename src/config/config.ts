import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type AccessSettings, asksForCredential } from '../access/authenticator.ts';
import type { OriginSettings } from '../api/http/origin.ts';
import type { ApiLimits } from '../api/limits/api-limits.ts';
import { httpCatalogDefaults } from '../catalog/http/options.ts';
import { parseCatalogUrl } from '../catalog/http/url.ts';
import type { CatalogConfiguration } from '../catalog/registry.ts';
import type { RetentionSettings } from '../jobs/retention.ts';
import { samplerNames, type TracingSettings } from '../observability/tracing.ts';
import { decoded, secretsOfUrl } from '../shared/secrets.ts';
import { parseSchemaPatterns } from '../sql-check/allowed-schemas.ts';
import type { WarehouseConfiguration } from '../warehouse/registry.ts';

/** What the program runs with: the environment, parsed once. */
export interface Config {
  readonly roles: ReadonlySet<Role>;
  readonly host: string;
  readonly port: number;
  /** Who may come in. */
  readonly access: AccessSettings;
  readonly limits: ApiLimits;
  /** How many proxies stand between clients and the API. */
  readonly proxies: number;
  /** Which sites' pages may use the API. */
  readonly origins: OriginSettings;
  /** Whether clients may ask what the schema is. */
  readonly introspection: boolean;
  /** Whether GraphiQL is served. */
  readonly graphiql: boolean;
  /** A PostgreSQL server; without one, PGlite runs embedded in `databaseFolder`. */
  readonly databaseUrl: string | undefined;
  readonly databaseFolder: string;
  /** Holds the folders of all that is embedded, unless a setting names another one. */
  readonly dataFolder: string;
  readonly warehouse: WarehouseConfiguration;
  readonly catalog: CatalogConfiguration;
  /** Partitions that run at once on this node, each in a thread of its own. */
  readonly workerThreads: number;
  /** The least time between two progress writes of a job, in milliseconds. */
  readonly progressIntervalMs: number;
  readonly retention: RetentionSettings;
  readonly logLevel: LogLevel;
  readonly metrics: MetricSettings;
  /** Null for no traces. */
  readonly tracing: TracingSettings | null;
  /** Each setting as it is in effect, for the log; of a secret only that it is set. */
  readonly shown: Readonly<Record<string, unknown>>;
  /** What of all this may be shown nowhere. */
  readonly secrets: readonly string[];
  /** Fill an empty folder warehouse with demo tables and sources at start. */
  readonly demoData: boolean;
}

/** Whether metrics are served, and on a port of their own or on that of everything else (null). */
export interface MetricSettings {
  readonly enabled: boolean;
  readonly port: number | null;
}

export type Role = 'api' | 'worker';
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The environment is not usable: every fault in it is named in the message, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** A claim's name goes into answers about tokens that cannot be used. */
const claimName = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, {
  error: 'must be the name of a claim, of visible ASCII characters',
});

const retentionDays = z.coerce.number().int().min(0).max(36_500);

/** A limit: a whole number within bounds. */
const limit = (least: number, most: number, usual: number) =>
  z.coerce.number().int().min(least).max(most).default(usual);

/** Each environment variable with its default and meaning: the one list that the docs are checked against. */
export const environmentSchema = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('Address the API listens on.'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000).describe('Port the API listens on.'),
  BLADE_ROLES: z
    .string()
    .default('api,worker')
    .transform((roles) => roles.split(',').map((role) => role.trim()))
    .pipe(z.array(z.enum(['api', 'worker'])).min(1))
    .describe('What this process does: `api`, `worker`, or both.'),
  BLADE_JWT_SECRET: z
    .string()
    .min(32, { error: 'must have at least 32 characters' })
    .optional()
    .describe('Secret shared with the issuer of JSON Web Tokens (HS256).'),
  BLADE_JWT_JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://login.example.com/keys' })
    .optional()
    .describe('Where the issuer of JSON Web Tokens publishes its keys, in place of a secret.'),
  BLADE_JWT_ISSUER: z.string().optional().describe('The issuer (`iss`) that tokens must have.'),
  BLADE_JWT_AUDIENCE: z
    .string()
    .optional()
    .describe('The audience (`aud`) that tokens must be meant for: this service.'),
  BLADE_JWT_ROLE_CLAIM: claimName
    .default('role')
    .describe('Claim of tokens that holds the role: `viewer` (when missing), `operator` or `admin`.'),
  BLADE_JWT_CLEARANCE_CLAIM: claimName
    .default('clearance')
    .describe('Claim of tokens that holds the highest marking to be seen; `UNCLASSIFIED` when missing.'),
  BLADE_API_KEYS: z.stringbool().default(false).describe('Let API keys in; `npm run keys` makes them.'),
  BLADE_ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    )
    .refine((origins) => origins.every((origin) => URL.parse(origin)?.origin === origin), {
      error: 'must be a list of addresses without a path, such as https://blade.example.com',
    })
    .describe(
      'Other sites whose pages may use the API, and names it is reached by through a proxy, as in `https://blade.example.com`.',
    ),
  BLADE_INTROSPECTION: z
    .stringbool()
    .optional()
    .describe('Let clients ask what the schema is; `true` unless a credential is asked for.'),
  BLADE_GRAPHIQL: z
    .stringbool()
    .optional()
    .describe('Serve GraphiQL, which needs introspection; `true` unless a credential is asked for.'),
  BLADE_MAX_BODY_BYTES: limit(1_000, 100_000_000, 2_000_000).describe(
    'Largest body of a request, and largest message of a WebSocket, in bytes.',
  ),
  BLADE_MAX_DOCUMENT_CHARACTERS: limit(100, 10_000_000, 150_000).describe(
    'Longest text of an operation, without its variables.',
  ),
  BLADE_MAX_DOCUMENT_TOKENS: limit(10, 100_000, 1_000).describe('Most words and signs of an operation.'),
  BLADE_MAX_DEPTH: limit(1, 100, 15).describe('How deep the fields of an operation may be nested.'),
  BLADE_MAX_FIELDS: limit(1, 100_000, 500).describe(
    'Most fields that an operation selects, under all aliases and fragments.',
  ),
  BLADE_MAX_ROOT_FIELDS: limit(1, 1_000, 20).describe('Most fields at the top of an operation.'),
  BLADE_MAX_COST: limit(1, 100_000_000, 50_000).describe(
    'Most that an operation may cost; see [limits.md](limits.md).',
  ),
  BLADE_REQUESTS_PER_SECOND: limit(1, 1_000_000, 200).describe(
    'Most requests of one principal a second, counted over ten.',
  ),
  BLADE_MUTATIONS_PER_MINUTE: limit(1, 1_000_000, 300).describe('Most mutations of one principal a minute.'),
  BLADE_SUBSCRIPTIONS_PER_MINUTE: limit(1, 1_000_000, 600).describe(
    'Most subscriptions that one principal starts a minute.',
  ),
  BLADE_MAX_SUBSCRIPTIONS: limit(1, 1_000_000, 500).describe(
    'Most subscriptions of one principal at the same time.',
  ),
  BLADE_FAILED_CREDENTIALS_PER_MINUTE: limit(1, 1_000_000, 100).describe(
    'Most credentials of one address that are refused in a minute, before no more of them are looked at.',
  ),
  BLADE_PROXIES: limit(0, 10, 0).describe(
    'How many proxies stand in front, each of which adds to `X-Forwarded-For` the address it was reached from.',
  ),
  BLADE_MAX_CONNECTION_OPERATIONS: limit(1, 100_000, 200).describe(
    'Most operations under way on one WebSocket.',
  ),
  BLADE_CONNECTION_INIT_TIMEOUT_MS: limit(100, 600_000, 5_000).describe(
    'How long a WebSocket may take to say who opens it, in milliseconds.',
  ),
  BLADE_KEEP_ALIVE_MS: limit(100, 600_000, 15_000).describe(
    'How often a connection is asked whether somebody reads it, and how long the answer may take, in milliseconds.',
  ),
  BLADE_MAX_WAITING_BYTES: limit(10_000, 1_000_000_000, 4_000_000).describe(
    'What may wait in memory for one WebSocket whose client does not read, in bytes.',
  ),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be a URL such as postgresql://user@host:5432/database' })
    .optional()
    .describe('PostgreSQL server; without it the embedded database is used.'),
  BLADE_DATA_FOLDER: z
    .string()
    .min(1)
    .default('.blade')
    .describe('Folder of the embedded database, warehouse and catalog.'),
  BLADE_WAREHOUSE_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the DuckDB warehouse: `<catalog>/<schema>/<table>.(parquet|csv|ndjson)`.'),
  BLADE_CATALOG_FOLDER: z.string().min(1).optional().describe('Folder of the folder catalog.'),
  BLADE_ALLOWED_SCHEMAS: z
    .string()
    .default('*.*')
    .transform((text, context) => {
      const patterns = parseSchemaPatterns(text);
      if (patterns !== null) return patterns;
      context.addIssue({ code: 'custom', message: 'must be a list such as blade.field,archive.*' });
      return z.NEVER;
    })
    .describe(
      'Schemas of the warehouse whose tables sources and queries may read, as in `blade.field,archive.*`.',
    ),
  BLADE_STATEMENT_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(172_800)
    .default(7_200)
    .describe('How long the warehouse may work for one statement, in seconds.'),
  BLADE_WORKER_THREADS: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(Math.max(2, availableParallelism() - 1))
    .describe('Partitions that run at once on this node.'),
  BLADE_PROGRESS_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(60_000)
    .default(250)
    .describe('Least time between two progress writes of a job, in milliseconds.'),
  BLADE_DEMO_DATA: z
    .stringbool()
    .optional()
    .describe(
      'Fill an empty folder warehouse with demo tables and their sources at first start; `true` unless BLADE_WAREHOUSE_FOLDER is set.',
    ),
  BLADE_HISTORY_RETENTION_DAYS: retentionDays
    .default(90)
    .describe(
      'How long ended jobs, their errors and the records of schedules are kept, in days; `0` for ever.',
    ),
  BLADE_ITEM_RETENTION_DAYS: retentionDays
    .default(0)
    .describe('How long items that do not change are kept, in days; `0` for ever.'),
  BLADE_AUDIT_RETENTION_DAYS: retentionDays
    .default(0)
    .describe('How long entries of the audit are kept, in days; `0` for ever.'),
  DATABRICKS_HOST: z
    .string()
    .regex(/^[A-Za-z0-9.-]+$/, {
      error: 'must be a host name such as dbc-a1b2c3d4-e5f6.cloud.databricks.com',
    })
    .optional()
    .describe('Workspace of the SQL warehouse, without a scheme; without it the DuckDB warehouse is used.'),
  DATABRICKS_HTTP_PATH: z
    .string()
    .startsWith('/', { error: 'must be a path such as /sql/1.0/warehouses/a1b2c3d4e5f6' })
    .optional()
    .describe('HTTP path of the SQL warehouse.'),
  DATABRICKS_TOKEN: z.string().optional().describe('Access token of the Databricks principal.'),
  DATABRICKS_CLIENT_ID: z
    .string()
    .optional()
    .describe('OAuth client id of a service principal, in place of a token.'),
  DATABRICKS_CLIENT_SECRET: z.string().optional().describe('OAuth secret of that service principal.'),
  DATABRICKS_PORT: z.coerce.number().int().min(1).max(65_535).default(443).describe('Port of the workspace.'),
  DATABRICKS_CA_FILE: z
    .string()
    .optional()
    .describe(
      'PEM file of a certificate authority to trust beside the well-known ones, for private endpoints.',
    ),
  DATABRICKS_CLOUD_FETCH: z
    .stringbool()
    .default(true)
    .describe("Read large results from the cloud's storage; `false` where that cannot be reached."),
  CATALOG_URL: z
    .string()
    .refine(isCatalogUrl, {
      error: 'must be a URL such as https://catalog.example.com, without user, password, query or fragment',
    })
    .optional()
    .describe('Catalog service; without it the folder catalog is used.'),
  CATALOG_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, { error: 'must be visible ASCII characters without spaces' })
    .optional()
    .describe('Bearer token of the catalog service.'),
  CATALOG_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(16)
    .describe('Uploads to the catalog service at once, on this node.'),
  CATALOG_REQUESTS_PER_SECOND: z.coerce
    .number()
    .positive()
    .optional()
    .describe('Most requests to the catalog service a second, on this node; no limit when unset.'),
  CATALOG_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(30_000)
    .describe('How long one upload may take, in milliseconds.'),
  CATALOG_ATTEMPTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(20)
    .default(5)
    .describe('How often an item is sent before it is an error, while the catalog works for others.'),
  CATALOG_MAX_OUTAGE_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('How long uploads wait for a catalog that is down, in milliseconds.'),
  BLADE_METRICS: z.stringbool().default(true).describe('Serve metrics for Prometheus at `/metrics`.'),
  BLADE_METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('Port of its own for `/metrics`, where nobody is asked who they are; on PORT when unset.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:4318' })
    .optional()
    .describe(
      'Collector that traces are sent to by OTLP over HTTP, at `/v1/traces` below it; none when unset.',
    ),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$/, { error: 'must be a list such as api-key=abc,tenant=ops' })
    .optional()
    .describe('Headers that are sent to the collector, as in `name=value,name=value`.'),
  OTEL_TRACES_SAMPLER: z
    .enum(samplerNames)
    .default('parentbased_always_on')
    .describe('Which traces are taken.'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('Share of traces that a sampler with `traceidratio` in its name takes.'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info').describe('Least severe log line that is written.'),
});

/** Settings that are secret: each can also be the content of a file, which the variable with `_FILE` after it names. */
export const secretNames = [
  'BLADE_JWT_SECRET',
  'DATABASE_URL',
  'DATABRICKS_TOKEN',
  'DATABRICKS_CLIENT_SECRET',
  'CATALOG_TOKEN',
  'OTEL_EXPORTER_OTLP_HEADERS',
] as const satisfies readonly (keyof Environment)[];

/**
 * @param environment usually `process.env`; variables that are empty count as not set.
 * @throws ConfigError naming every variable that is wrong, and what would be right.
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const ofFiles = readSecretFiles(present);
  const parsed = environmentSchema.safeParse({ ...present, ...ofFiles.values });
  const faults = [
    ...ofFiles.faults,
    ...(parsed.success
      ? faultsBetween(parsed.data)
      : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new ConfigError(`The environment is not usable:\n  ${faults.join('\n  ')}`);
  }
  const settings = parsed.data;
  const dataFolder = resolve(settings.BLADE_DATA_FOLDER);
  return {
    roles: new Set(settings.BLADE_ROLES),
    host: settings.HOST,
    port: settings.PORT,
    access: accessOf(settings),
    limits: limitsOf(settings),
    proxies: settings.BLADE_PROXIES,
    origins: {
      allowedOrigins: settings.BLADE_ALLOWED_ORIGINS,
      isLoopback: isLoopback(settings.HOST),
      asksForCredential: asksForCredential(accessOf(settings)),
    },
    introspection: settings.BLADE_INTROSPECTION ?? !asksForCredential(accessOf(settings)),
    graphiql: settings.BLADE_GRAPHIQL ?? !asksForCredential(accessOf(settings)),
    databaseUrl: settings.DATABASE_URL,
    databaseFolder: join(dataFolder, 'database'),
    dataFolder,
    warehouse: warehouseOf(settings, dataFolder),
    catalog: catalogOf(settings, dataFolder),
    workerThreads: settings.BLADE_WORKER_THREADS,
    progressIntervalMs: settings.BLADE_PROGRESS_INTERVAL_MS,
    retention: {
      historyDays: settings.BLADE_HISTORY_RETENTION_DAYS || null,
      itemDays: settings.BLADE_ITEM_RETENTION_DAYS || null,
      auditDays: settings.BLADE_AUDIT_RETENTION_DAYS || null,
    },
    logLevel: settings.LOG_LEVEL,
    tracing: tracingOf(settings),
    shown: shownOf(settings),
    metrics: { enabled: settings.BLADE_METRICS, port: settings.BLADE_METRICS_PORT ?? null },
    secrets: secretsOf(settings),
    demoData: settings.BLADE_DEMO_DATA ?? settings.BLADE_WAREHOUSE_FOLDER === undefined,
  };
}

type Environment = z.output<typeof environmentSchema>;

/** The secrets that files hold; a line end at the end of a file is no part of its secret. */
function readSecretFiles(present: Readonly<Record<string, string | undefined>>): {
  values: Record<string, string>;
  faults: string[];
} {
  const values: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of secretNames) {
    const path = present[`${name}_FILE`];
    if (path === undefined) continue;
    if (present[name] !== undefined) {
      faults.push(`${name}_FILE: is set together with ${name}; set one of them`);
    } else if (!isReadable(path)) faults.push(`${name}_FILE: names no file that can be read`);
    else values[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  }
  return { values, faults };
}

function secretsOf(settings: Environment): string[] {
  const { DATABASE_URL: databaseUrl, DATABRICKS_CLIENT_ID: clientId } = settings;
  const clientSecret = settings.DATABRICKS_CLIENT_SECRET;
  return [
    ...secretNames.flatMap((name) => (name === 'DATABASE_URL' ? [] : (settings[name] ?? []))),
    ...(databaseUrl === undefined ? [] : secretsOfUrl(databaseUrl)),
    ...Object.values(headersOf(settings.OTEL_EXPORTER_OTLP_HEADERS)),
    ...secretsOfUrl(settings.OTEL_EXPORTER_OTLP_ENDPOINT ?? ''),
    // How it is sent.
    ...(clientSecret === undefined ? [] : [`${clientId}:${clientSecret}`]),
  ];
}

function limitsOf(settings: Environment): ApiLimits {
  return {
    document: {
      maxCharacters: settings.BLADE_MAX_DOCUMENT_CHARACTERS,
      maxTokens: settings.BLADE_MAX_DOCUMENT_TOKENS,
      maxDepth: settings.BLADE_MAX_DEPTH,
      maxFields: settings.BLADE_MAX_FIELDS,
      maxRootFields: settings.BLADE_MAX_ROOT_FIELDS,
      maxCost: settings.BLADE_MAX_COST,
    },
    rates: {
      requestsPerSecond: settings.BLADE_REQUESTS_PER_SECOND,
      mutationsPerMinute: settings.BLADE_MUTATIONS_PER_MINUTE,
      subscriptionsPerMinute: settings.BLADE_SUBSCRIPTIONS_PER_MINUTE,
      maxSubscriptions: settings.BLADE_MAX_SUBSCRIPTIONS,
      failedCredentialsPerMinute: settings.BLADE_FAILED_CREDENTIALS_PER_MINUTE,
    },
    connections: {
      maxOperations: settings.BLADE_MAX_CONNECTION_OPERATIONS,
      initTimeoutMs: settings.BLADE_CONNECTION_INIT_TIMEOUT_MS,
      keepAliveMs: settings.BLADE_KEEP_ALIVE_MS,
      maxWaitingBytes: settings.BLADE_MAX_WAITING_BYTES,
    },
    maxBodyBytes: settings.BLADE_MAX_BODY_BYTES,
  };
}

function tracingOf(settings: Environment): TracingSettings | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = settings;
  if (endpoint === undefined) return null;
  return {
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    headers: headersOf(headers),
    sampler: settings.OTEL_TRACES_SAMPLER,
    ratio: settings.OTEL_TRACES_SAMPLER_ARG,
  };
}

/** Values may be written as in a URL, as those of W3C Baggage are. */
function headersOf(text = ''): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function shownOf(settings: Environment): Record<string, unknown> {
  const secret = new Set<string>(secretNames);
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, secret.has(name) ? 'set' : value]),
  );
}

function accessOf(settings: Environment): AccessSettings {
  const { BLADE_JWT_SECRET: secret, BLADE_JWT_JWKS_URL: url } = settings;
  const issuedBy = {
    issuer: settings.BLADE_JWT_ISSUER ?? '',
    audience: settings.BLADE_JWT_AUDIENCE ?? '',
    roleClaim: settings.BLADE_JWT_ROLE_CLAIM,
    clearanceClaim: settings.BLADE_JWT_CLEARANCE_CLAIM,
  };
  const useApiKeys = settings.BLADE_API_KEYS;
  if (secret !== undefined) return { tokens: { keys: { kind: 'secret', secret }, ...issuedBy }, useApiKeys };
  if (url === undefined) return { tokens: null, useApiKeys };
  return { tokens: { keys: { kind: 'key-set', url: new URL(url) }, ...issuedBy }, useApiKeys };
}

function warehouseOf(settings: Environment, dataFolder: string): WarehouseConfiguration {
  const { DATABRICKS_HOST: host, DATABRICKS_HTTP_PATH: httpPath } = settings;
  const limits = {
    allowedSchemas: settings.BLADE_ALLOWED_SCHEMAS,
    statementTimeoutMs: settings.BLADE_STATEMENT_TIMEOUT_SECONDS * 1_000,
  };
  if (host === undefined || httpPath === undefined) {
    return {
      kind: 'duckdb',
      ...limits,
      folder: resolve(settings.BLADE_WAREHOUSE_FOLDER ?? join(dataFolder, 'warehouse')),
    };
  }
  const { DATABRICKS_TOKEN: token, DATABRICKS_CA_FILE: authorityFile } = settings;
  return {
    kind: 'databricks',
    ...limits,
    host,
    httpPath,
    port: settings.DATABRICKS_PORT,
    credentials:
      token === undefined
        ? {
            kind: 'oauth',
            clientId: settings.DATABRICKS_CLIENT_ID ?? '',
            clientSecret: settings.DATABRICKS_CLIENT_SECRET ?? '',
          }
        : { kind: 'token', token },
    certificateAuthority: authorityFile === undefined ? undefined : readFileSync(authorityFile, 'utf8'),
    useCloudFetch: settings.DATABRICKS_CLOUD_FETCH,
  };
}

function catalogOf(settings: Environment, dataFolder: string): CatalogConfiguration {
  const { CATALOG_URL: url } = settings;
  if (url === undefined) {
    return { kind: 'folder', folder: resolve(settings.BLADE_CATALOG_FOLDER ?? join(dataFolder, 'catalog')) };
  }
  return {
    kind: 'http',
    ...httpCatalogDefaults,
    url,
    token: settings.CATALOG_TOKEN ?? null,
    concurrency: settings.CATALOG_CONCURRENCY,
    requestsPerSecond: settings.CATALOG_REQUESTS_PER_SECOND ?? null,
    timeoutMs: settings.CATALOG_TIMEOUT_MS,
    attempts: settings.CATALOG_ATTEMPTS,
    maxOutageMs: settings.CATALOG_MAX_OUTAGE_MS,
  };
}

/** What only variables together can tell: settings that need each other. */
function faultsBetween(settings: Environment): string[] {
  const faults: string[] = [];
  const needs = (name: keyof Environment, others: readonly (keyof Environment)[]) => {
    for (const other of others) {
      if (settings[name] !== undefined && settings[other] === undefined) {
        faults.push(`${other}: has to be set together with ${name}`);
      }
    }
  };
  needs('BLADE_JWT_SECRET', ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']);
  needs('BLADE_JWT_JWKS_URL', ['BLADE_JWT_ISSUER', 'BLADE_JWT_AUDIENCE']);
  if (settings.BLADE_JWT_SECRET !== undefined && settings.BLADE_JWT_JWKS_URL !== undefined) {
    faults.push('BLADE_JWT_JWKS_URL: is set together with BLADE_JWT_SECRET; set one of them');
  }
  if (
    settings.BLADE_ROLES.includes('api') &&
    !isLoopback(settings.HOST) &&
    !asksForCredential(accessOf(settings))
  ) {
    faults.push(
      `HOST: others can reach ${settings.HOST}, and nobody is asked who they are: set BLADE_JWT_SECRET or BLADE_JWT_JWKS_URL, or BLADE_API_KEYS=true, or leave HOST at 127.0.0.1`,
    );
  }
  needs('DATABRICKS_HOST', ['DATABRICKS_HTTP_PATH']);
  needs('DATABRICKS_HTTP_PATH', ['DATABRICKS_HOST']);
  needs('DATABRICKS_CLIENT_ID', ['DATABRICKS_CLIENT_SECRET']);
  needs('DATABRICKS_CLIENT_SECRET', ['DATABRICKS_CLIENT_ID']);
  if (
    settings.DATABRICKS_HOST !== undefined &&
    !settings.DATABRICKS_TOKEN &&
    !settings.DATABRICKS_CLIENT_ID
  ) {
    faults.push('DATABRICKS_TOKEN: set it, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET');
  }
  if (settings.DATABRICKS_CA_FILE !== undefined && !isReadable(settings.DATABRICKS_CA_FILE)) {
    faults.push('DATABRICKS_CA_FILE: names no file that can be read');
  }
  return faults;
}

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function isCatalogUrl(text: string): boolean {
  try {
    parseCatalogUrl(text);
    return true;
  } catch {
    return false;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return !statSync(path).isDirectory();
  } catch {
    return false;
  }
}
