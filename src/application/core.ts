import { tmpdir } from 'node:os';
import type { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { type Backup, backUpRunning } from '../backup/backup.ts';
import { discardCopies } from '../backup/snapshot.ts';
import { folderCatalog } from '../catalog/folder/definition.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { createPrismaClients, type PrismaClients } from '../database/prisma-client.ts';
import { createDiskSpace, type DiskSpace, type WrittenFolder } from '../health/disk-space.ts';
import { createHealth, type Health } from '../health/health.ts';
import { createThreadPool, type ThreadPool } from '../ingestion/thread-pool.ts';
import { readClusterFacts } from '../jobs/cluster-facts.ts';
import { type JobNotifications, listenToJobs } from '../jobs/events/job-notifications.ts';
import { type ItemRemovals, openItemRemovals } from '../jobs/item-removals.ts';
import { type ItemUploads, openItemUploads } from '../jobs/item-uploads.ts';
import { startBoss } from '../jobs/queue/boss.ts';
import { openPartitionQueue, type PartitionQueue } from '../jobs/queue/partition-queue.ts';
import { createSchedules, type Schedules } from '../jobs/schedules.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import {
  createMetricsEndpoint,
  type MetricsAccess,
  type MetricsEndpoint,
  startMetricsServer,
} from '../observability/metrics-endpoint.ts';
import { settingsFor } from '../shared/definition.ts';
import { waitForAll } from '../shared/wait-for-all.ts';
import { folderWarehouse } from '../warehouse/duckdb/definition.ts';
import { createDemoData } from './demo-data.ts';
import type { StartedParts } from './started-parts.ts';

/** What a process is started with. */
export interface Foundation {
  readonly config: Config;
  readonly log: Logger;
  readonly parts: StartedParts;
  readonly database: Database;
}

/** The parts that a process has whatever its roles. */
export interface Core extends Foundation {
  readonly clients: PrismaClients;
  readonly boss: PgBoss;
  readonly queue: PartitionQueue;
  readonly schedules: Schedules;
  readonly itemUploads: ItemUploads;
  readonly itemRemovals: ItemRemovals;
  readonly notifications: JobNotifications;
  readonly pool: ThreadPool;
  readonly metrics: Metrics;
  readonly diskSpace: DiskSpace;
  readonly health: Health;
  /** Starts a backup of the embedded database and the folder catalog; null on a PostgreSQL server. */
  readonly startBackup: (() => Promise<Backup>) | null;
  /** Creates the endpoint of metrics on the port of everything else; null if they are not served there. */
  createMainEndpoint(access?: MetricsAccess): MetricsEndpoint | null;
}

/** Connections of the API and the job layer of one process. */
const MAX_CONNECTIONS = 10;

/** Starts the parts that a process has whatever its roles. */
export async function startCore(foundation: Foundation): Promise<Core> {
  const { config, log, parts, database } = foundation;
  const { connectionString } = database;
  const { registry } = config;
  const isWorker = config.roles.has('worker');

  const clients = parts.add(
    createPrismaClients(connectionString, {
      maxConnections: MAX_CONNECTIONS,
      prepares: database.kind === 'server',
    }),
    (created) => created.close(),
  );
  const { prisma } = clients;
  const folder = settingsFor(folderWarehouse, config.warehouse);
  const [boss] = await waitForAll([
    startBoss({
      connectionString,
      useNotifications: database.kind === 'server',
      runsSchedules: isWorker,
      onError: (error) => log.error({ err: error }, 'the queue met an error'),
    }).then((started) => parts.add(started, () => started.stop({ graceful: false }))),
    folder?.hasDemoData ? createDemoData(prisma, folder.folder) : null,
  ]);
  const queue = await openPartitionQueue(boss);
  const schedules = createSchedules(boss, { prisma, queue });
  const itemUploads = await openItemUploads(boss);
  const itemRemovals = await openItemRemovals(boss, prisma);
  // No other process can have the embedded database open, so what is marked as running belongs to one that died.
  if (database.kind === 'embedded') await queue.releaseAll();

  const notifications = parts.add(
    await listenToJobs(database.notifications, (error) =>
      log.error({ err: error }, 'changes of jobs could not be caught up'),
    ),
    (listening) => listening.close(),
  );

  const { workerThreads } = config.ingestion;
  const pool = parts.add(
    createThreadPool(
      {
        connectionString,
        preparesStatements: database.kind === 'server',
        warehouse: config.warehouse,
        catalog: config.catalog,
        threads: workerThreads,
        watermarkAheadMs: config.ingestion.watermarkAheadMs,
        plugins: registry.plugins.map(({ name, url }) => ({ name, url })),
        secrets: config.secrets,
      },
      isWorker ? workerThreads : 0,
    ),
    (created) => created.close(),
  );

  const metrics = parts.add(
    createMetrics({
      facts: () => readClusterFacts(prisma, queue),
      dataTypes: registry.dataTypes.names,
      pool,
    }),
    (created) => created.close(),
  );
  const catalogFolder = settingsFor(folderCatalog, config.catalog)?.folder ?? null;
  const backedUp =
    database.kind === 'embedded' ? { database: config.database.folder, catalog: catalogFolder } : null;
  if (backedUp !== null) await discardCopies(backedUp);
  const diskSpace = createDiskSpace(listWrittenFolders(config, database));
  const { enabled, port } = config.metrics;
  if (enabled && port !== null) {
    const server = parts.add(
      await startMetricsServer(createMetricsEndpoint(metrics), config.http.host, port),
      (started) => started.close(),
    );
    log.info(`metrics are at ${server.url}/metrics`);
  }

  return {
    ...foundation,
    clients,
    boss,
    queue,
    schedules,
    itemUploads,
    itemRemovals,
    notifications,
    pool,
    metrics,
    diskSpace,
    health: createHealth({
      prisma,
      boss,
      diskSpace,
      checkWarehouse: isWorker ? (timeoutMs) => registry.checkWarehouse(config.warehouse, timeoutMs) : null,
    }),
    startBackup: backedUp === null ? null : () => backUpRunning(connectionString, backedUp),
    createMainEndpoint: (access) =>
      enabled && port === null ? createMetricsEndpoint(metrics, access) : null,
  };
}

const MEBIBYTE = 1_048_576;

function listWrittenFolders(config: Config, database: Database): WrittenFolder[] {
  const catalogFolder = settingsFor(folderCatalog, config.catalog)?.folder;
  const isWorker = config.roles.has('worker');
  return [
    // PostgreSQL ends when it cannot create the next file of its log, which takes 16 MiB.
    ...(database.kind === 'embedded'
      ? [{ name: 'the database', path: config.database.folder, minFreeBytes: 24 * MEBIBYTE }]
      : []),
    ...(isWorker && catalogFolder !== undefined
      ? [{ name: 'the catalog', path: catalogFolder, minFreeBytes: MEBIBYTE }]
      : []),
    ...(isWorker ? [{ name: 'temporary files', path: tmpdir(), minFreeBytes: MEBIBYTE }] : []),
  ];
}
