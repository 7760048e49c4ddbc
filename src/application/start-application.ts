import { once } from 'node:events';
import type { Logger } from 'pino';
import type { ApiServer } from '../api/http/server.ts';
import { folderCatalog } from '../catalog/folder/definition.ts';
import { checkCatalogFolder } from '../catalog/folder/folder-check.ts';
import type { Config } from '../config/config.ts';
import type { Database } from '../database/database.ts';
import { explainDatabaseError } from '../database/embedded/database-folder.ts';
import { startHealthServer } from '../health/health-server.ts';
import { startTracing } from '../observability/tracing.ts';
import { settingsFor } from '../shared/definition.ts';
import { nameSome } from '../shared/folder-error.ts';
import { version } from '../shared/version.ts';
import { waitForAll } from '../shared/wait-for-all.ts';
import type { Core } from './core.ts';
import { openConfiguredDatabase } from './data-folder.ts';
import { StartedParts } from './started-parts.ts';

/** A running program: the roles that its configuration names, on one database. */
export interface Application {
  /** Where GraphQL is served; null without the role `api`, and if it does not listen. */
  readonly url: string | null;
  /** Answers a request without a socket; null without the role `api`. */
  readonly fetch: ApiServer['fetch'] | null;
  /** Resolves with the reason if the database is lost for good; otherwise never. */
  readonly databaseLost: Promise<Error>;
  /** Stops in order: no new work, running partitions back to their checkpoints, then the API and the database. */
  stop(): Promise<void>;
}

/** How to start a program, besides its configuration. */
export interface StartOptions {
  /** Opens the database; a test passes its own, which is closed with the program. */
  readonly open?: (config: Config) => Promise<Database>;
  /** Whether to listen at the configured address. Default: true. */
  readonly listens?: boolean;
}

/**
 * Starts the program.
 * @throws FolderError when a data folder cannot be used; otherwise when the database cannot be opened or migrated, or the
 * address is taken. Parts that have started are stopped first.
 */
export async function startApplication(
  config: Config,
  log: Logger,
  { open = openConfiguredDatabase, listens = true }: StartOptions = {},
): Promise<Application> {
  const parts = new StartedParts(log);
  let isEmbedded = false;
  try {
    log.info({ version, node: process.version, configuration: config.effective }, 'starting');
    if (config.tracing !== null) parts.add(await startTracing(config.tracing, log), (stop) => stop());
    const catalogFolder = settingsFor(folderCatalog, config.catalog);
    if (config.roles.has('worker') && catalogFolder !== null) {
      const missing = await checkCatalogFolder(catalogFolder.folder);
      if (missing.length > 0) {
        log.warn(
          { missing: missing.length },
          `the catalog has lost files of uploads: ${nameSome(missing)}; the next sync, or a repair of the catalog, uploads their items again`,
        );
      }
    }
    // Most of the code loads while the database opens: an embedded one in its thread, which is to start first.
    const threadStarts = once(process, 'worker');
    const opening = open(config).then((opened) => parts.add(opened, () => opened.close()));
    const [database, { startCore, startApiRole, startWorkerRole }] = await waitForAll([
      opening,
      Promise.race([threadStarts, opening]).then(() => loadRoles(config)),
    ]);
    isEmbedded = database.kind === 'embedded';
    log.info({ database: database.kind }, 'database is open');

    const core = await startCore({ config, log, parts, database });
    const api = startApiRole === undefined ? null : await startApiRole(core, listens);
    if (api === null && listens) await serveHealth(core);
    // The worker starts last and so stops first: the API reports running jobs until they are back at their checkpoints.
    await startWorkerRole?.(core);
    parts.add(core.health, (health) => health.drain());
    return {
      url: api?.url ?? null,
      fetch: api?.fetch ?? null,
      databaseLost: database.lost,
      stop: () => parts.stop(),
    };
  } catch (error) {
    await parts.stop();
    throw isEmbedded ? explainDatabaseError(config.database.folder, error) : error;
  }
}

/** Loads the code of the roles that a process has, and no other. */
async function loadRoles({ roles }: Config) {
  const [core, api, worker] = await Promise.all([
    import('./core.ts'),
    roles.has('api') ? import('./api-role.ts') : undefined,
    roles.has('worker') ? import('./worker-role.ts') : undefined,
  ]);
  return {
    startCore: core.startCore,
    startApiRole: api?.startApiRole,
    startWorkerRole: worker?.startWorkerRole,
  };
}

async function serveHealth({ config, log, parts, health, createMainEndpoint }: Core): Promise<void> {
  const { host, port } = config.http;
  const server = parts.add(
    await startHealthServer({ readiness: health.readiness, metrics: createMainEndpoint(), host, port }),
    (started) => started.close(),
  );
  log.info(`health is at ${server.url}/health/ready`);
}
