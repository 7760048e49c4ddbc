import type { Logger } from 'pino';
import { accessOf } from '../access/access.ts';
import { createAuthenticator } from '../access/authenticator.ts';
import { createClientAddress } from '../access/client-address.ts';
import { limitFailedCredentials } from '../access/failed-credentials.ts';
import { startApiServer } from '../api/http/server.ts';
import { shareOfCatalog } from '../catalog/registry.ts';
import type { Config } from '../config/config.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { createPrismaClients } from '../database/prisma-client.ts';
import { createHealth } from '../health/health.ts';
import { startHealthServer } from '../health/health-server.ts';
import { createThreadPool } from '../ingestion/thread-pool.ts';
import { readClusterFacts } from '../jobs/cluster-facts.ts';
import { createJobEvents } from '../jobs/events/job-events.ts';
import { listenToJobs } from '../jobs/events/job-notifications.ts';
import { openItemUploads } from '../jobs/item-uploads.ts';
import { createJobs } from '../jobs/jobs.ts';
import { startBoss } from '../jobs/queue/boss.ts';
import { openPartitionQueue } from '../jobs/queue/partition-queue.ts';
import { startRetention } from '../jobs/retention.ts';
import { openSchedules } from '../jobs/schedules.ts';
import { startWorker } from '../jobs/worker.ts';
import { createMetrics } from '../observability/metrics.ts';
import { createMetricsEndpoint, startMetricsServer } from '../observability/metrics-endpoint.ts';
import { startTracing } from '../observability/tracing.ts';
import { createRedact } from '../shared/secrets.ts';
import { version } from '../shared/version.ts';
import { anySchema } from '../sql-check/allowed-schemas.ts';
import { createDemoData } from './demo-data.ts';

/** A running program: the roles that its configuration names, on one database. */
export interface Application {
  /** Where GraphQL is served; null without the role `api`. */
  readonly url: string | null;
  /** Resolves with the reason when the database is lost for good; otherwise never. */
  readonly databaseLost: Promise<Error>;
  /** Stops in order: no new work, running partitions back to their checkpoints, then the API and the database. */
  stop(): Promise<void>;
}

/** Connections of the API and the job layer of one process. */
const MAX_CONNECTIONS = 10;

/**
 * Starts the program.
 * @param open opens the database; a test may give one of its own, which is closed with the program.
 * @throws where the database cannot be opened or migrated, or the address is taken: what was started is stopped again.
 */
export async function startApplication(
  config: Config,
  log: Logger,
  open: (config: Config) => Promise<Database> = openConfiguredDatabase,
): Promise<Application> {
  const started: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const stopPart of started.splice(0).reverse()) {
      await stopPart().catch((error: unknown) => log.error({ err: error }, 'a part did not stop cleanly'));
    }
  };
  try {
    log.info({ version, node: process.version, configuration: config.shown }, 'starting');
    if (config.tracing !== null) started.push(await startTracing(config.tracing, log));
    const database = await open(config);
    const url = await startParts(config, log, database, started);
    return { url, databaseLost: database.lost, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function openConfiguredDatabase({ databaseFolder, databaseUrl }: Config): Promise<Database> {
  return openDatabase({ folder: databaseFolder, ...(databaseUrl === undefined ? {} : { databaseUrl }) });
}

async function startParts(
  config: Config,
  log: Logger,
  database: Database,
  started: (() => Promise<void>)[],
): Promise<string | null> {
  started.push(() => database.close());
  log.info({ database: database.kind }, 'database is open');

  const clients = createPrismaClients(database.connectionString, { maxConnections: MAX_CONNECTIONS });
  const { prisma } = clients;
  started.push(() => clients.close());

  if (config.demoData && config.warehouse.kind === 'duckdb') {
    await createDemoData(prisma, config.warehouse.folder);
  }

  const boss = await startBoss({
    connectionString: database.connectionString,
    useNotifications: database.kind === 'server',
    runsSchedules: config.roles.has('worker'),
    onError: (error) => log.error({ err: error }, 'the queue met an error'),
  });
  started.push(() => boss.stop({ graceful: false }));
  const queue = await openPartitionQueue(boss);
  const schedules = await openSchedules(boss, { prisma, queue });
  const itemUploads = await openItemUploads(boss);
  // Nobody else can have the embedded database open: what is marked as running was left by a process that died.
  if (database.kind === 'embedded') await queue.releaseAll();

  const notifications = await listenToJobs(database.notifications, (error) =>
    log.error({ err: error }, 'changes of jobs could not be caught up'),
  );
  started.push(() => notifications.close());

  const pool = createThreadPool(
    {
      connectionString: database.connectionString,
      warehouse: config.warehouse,
      catalog: shareOfCatalog(config.catalog, config.workerThreads),
      secrets: config.secrets,
    },
    config.roles.has('worker') ? config.workerThreads : 0,
  );
  started.push(() => pool.close());

  const metrics = createMetrics({ facts: () => readClusterFacts(prisma, queue), pool });
  started.push(async () => metrics.close());
  const onOwnPort = config.metrics.enabled && config.metrics.port === null;
  if (config.metrics.enabled && config.metrics.port !== null) {
    const server = await startMetricsServer(createMetricsEndpoint(metrics), config.host, config.metrics.port);
    log.info(`metrics are at ${server.url}/metrics`);
    started.push(() => server.close());
  }

  const health = createHealth({
    prisma,
    boss,
    warehouse: config.roles.has('worker') ? config.warehouse : null,
  });
  const listen = { readiness: health.readiness, host: config.host, port: config.port, log };
  let url: string | null = null;
  if (config.roles.has('api')) {
    const events = createJobEvents(prisma, notifications, (error) =>
      log.error({ err: error }, 'changed jobs could not be read'),
    );
    started.push(async () => events.close());
    const jobsFor = createJobs({
      clients,
      queue,
      pool,
      schedules,
      itemUploads,
      events,
      allowedSchemas: config.warehouse.allowedSchemas ?? anySchema,
    });
    const authenticator = limitFailedCredentials(
      await createAuthenticator(config.access, {
        prisma,
        notifications: database.notifications,
        onError: (error) => log.error({ err: error }, 'API keys could not be kept up to date'),
      }),
      {
        perMinute: config.limits.rates.failedCredentialsPerMinute,
        onLimit: (address) =>
          log.warn({ address }, 'too many credentials of an address were refused: no more are looked at'),
      },
    );
    started.push(() => authenticator.close());
    const { limits, origins, introspection, graphiql, proxies } = config;
    const addressOf = createClientAddress(proxies);
    const server = await startApiServer({
      ...listen,
      metrics,
      metricsEndpoint: onOwnPort
        ? createMetricsEndpoint(
            metrics,
            authenticator.asksForCredential ? { authenticator, addressOf } : undefined,
          )
        : null,
      redact: createRedact(config.secrets),
      authenticator,
      addressOf,
      contextOf: (principal) => ({
        principal,
        prisma: clients.clearedFor(principal.clearance),
        jobs: jobsFor(principal),
        access: accessOf(prisma, clients.clearedFor(principal.clearance), principal),
      }),
      limits,
      origins,
      introspection,
      graphiql,
    });
    started.push(() => server.close());
    url = server.url;
  } else {
    const server = await startHealthServer({
      ...listen,
      metrics: onOwnPort ? createMetricsEndpoint(metrics) : null,
    });
    log.info(`health is at ${server.url}/health/ready`);
    started.push(() => server.close());
  }

  // Started last, so that it stops first: the API tells of what runs until that is back at its checkpoints.
  if (config.roles.has('worker')) {
    started.push(await startRetention(boss, prisma, config.retention, log));
    await schedules.work();
    started.push(() => schedules.stop());
    await itemUploads.work(pool, log);
    started.push(() => itemUploads.stop());
    const worker = await startWorker({
      prisma,
      queue,
      pool,
      notifications,
      progressIntervalMs: config.progressIntervalMs,
      metrics,
      log,
    });
    started.push(() => worker.stop());
  }
  started.push(async () => health.drain());
  return url;
}
