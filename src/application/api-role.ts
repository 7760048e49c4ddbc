import { createAccess } from '../access/access.ts';
import { recordDone, recordRefused } from '../access/audit.ts';
import { createAuthenticator } from '../access/authenticator.ts';
import { createClientAddress } from '../access/client-address.ts';
import { limitFailedCredentials } from '../access/failed-credentials.ts';
import { createBackupEndpoint } from '../api/http/backup-endpoint.ts';
import { type ApiServer, startApiServer } from '../api/http/server.ts';
import { HIGHEST_MARKING } from '../data-types/marking.ts';
import { createJobEvents } from '../jobs/events/job-events.ts';
import { createJobFeeds } from '../jobs/events/job-feeds.ts';
import { createJobs } from '../jobs/jobs.ts';
import { createRedact } from '../shared/secrets.ts';
import type { Core } from './core.ts';

/**
 * Starts serving the API.
 * @param listens whether to listen, or only to answer what is passed to `fetch`.
 */
export async function startApiRole(core: Core, listens: boolean): Promise<ApiServer> {
  const { config, log, parts, database, clients, queue, itemUploads, pool, metrics, health } = core;
  const { prisma } = clients;
  const { dataTypes } = config.registry;

  const events = parts.add(
    createJobEvents(prisma, core.notifications, (error) =>
      log.error({ err: error }, 'changed jobs could not be read'),
    ),
    (created) => created.close(),
  );
  const feeds = parts.add(
    createJobFeeds(core.notifications, (error) => log.error({ err: error }, 'a feed could not be read')),
    (created) => created.close(),
  );
  const jobsFor = createJobs({
    clients,
    queue,
    pool,
    itemUploads,
    events,
    feeds,
    dataTypes,
    allowedSchemas: config.warehouse.allowedSchemas,
  });
  const authenticator = parts.add(
    limitFailedCredentials(
      await createAuthenticator(config.access, {
        prisma,
        notifications: database.notifications,
        onError: (error) => log.error({ err: error }, 'API keys could not be kept up to date'),
      }),
      {
        perMinute: config.access.failedCredentialsPerMinute,
        onLimit: (address) =>
          log.warn(
            { address },
            'too many credentials from one address were refused: no more are checked for now',
          ),
      },
    ),
    (created) => created.close(),
  );
  const findAddress = createClientAddress(config.access.proxies);
  return parts.add(
    await startApiServer({
      ...config.http,
      listens,
      limits: config.limits,
      authenticator,
      findAddress,
      createContext: (principal) => ({
        principal,
        prisma: clients.clearedFor(principal.clearance),
        jobs: jobsFor(principal),
        access: createAccess(prisma, principal, authenticator),
        dataTypes,
        findStatementProblem: (sql) => config.registry.findStatementProblem(config.warehouse, sql),
      }),
      metrics,
      metricsEndpoint: core.createMainEndpoint(
        authenticator.asksForCredential ? { authenticator, findAddress } : undefined,
      ),
      backupEndpoint: createBackupEndpoint({
        authenticator,
        findAddress,
        start: core.startBackup,
        record: (principal, outcome) =>
          (outcome === 'DONE' ? recordDone : recordRefused)(prisma, principal, {
            operation: 'backup',
            marking: HIGHEST_MARKING,
          }),
        log,
      }),
      readiness: health.readiness,
      log,
      redact: createRedact(config.secrets),
    }),
    (started) => started.close(),
  );
}
