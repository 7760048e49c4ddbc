import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { TooManyFailedCredentialsError, UnauthenticatedError } from '../../access/access-errors.ts';
import type { Authenticator } from '../../access/authenticator.ts';
import type { ClientAddress } from '../../access/client-address.ts';
import { includesRole, type Principal } from '../../access/principal.ts';
import type { Backup } from '../../backup/backup.ts';
import { BackupError } from '../../backup/backup-error.ts';
import { coversAll } from '../../data-types/marking.ts';
import { refuseRequest } from './refuse-request.ts';

/** Answers a request for a backup; returns false for any other, which is left alone. */
export type BackupEndpoint = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface BackupEndpointOptions {
  readonly authenticator: Authenticator;
  readonly findAddress: ClientAddress;
  /** Starts a backup; null if the database is no embedded one. Throws BackupError if that is not possible. */
  readonly start: (() => Promise<Backup>) | null;
  /** Records in the audit what was done or refused; nothing is sent before. */
  readonly record: (principal: Principal, outcome: 'DONE' | 'REFUSED') => Promise<void>;
  readonly log: Logger;
}

/**
 * Creates the endpoint `POST /backup`, which sends an archive of the embedded database and the folder catalog. It holds items
 * of every marking, so it is for admins whose clearance covers all.
 */
export function createBackupEndpoint(options: BackupEndpointOptions): BackupEndpoint {
  const { authenticator, findAddress, start, record, log } = options;
  let isBusy = false;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization } = request.headers;
    const principal = await authenticator.authenticate(authorization, findAddress(request));
    if (!includesRole(principal.role, 'admin') || !coversAll(principal.clearance)) {
      await record(principal, 'REFUSED');
      refuseRequest(
        response,
        403,
        'FORBIDDEN',
        'A backup needs the role admin and the clearance TOP SECRET.',
      );
    } else if (start === null) {
      refuseRequest(
        response,
        409,
        'NOT_EMBEDDED',
        'The database is a PostgreSQL server: back it up with pg_dump, and then the folder of the catalog. docs/operations.md says how, under "Back up and restore".',
      );
    } else if (isBusy) {
      refuseRequest(
        response,
        409,
        'BACKUP_RUNNING',
        'Another backup is running: try again when it has ended.',
      );
    } else {
      isBusy = true;
      await send(principal, response, start).finally(() => {
        isBusy = false;
      });
    }
  }

  async function send(
    principal: Principal,
    response: ServerResponse,
    open: () => Promise<Backup>,
  ): Promise<void> {
    await record(principal, 'DONE');
    const { archive, discard } = await open();
    try {
      response.writeHead(200, { 'content-type': 'application/gzip', 'cache-control': 'no-store' });
      // A failure ends the response without its last chunk, so that the client notices.
      await pipeline(archive, response);
      log.info({ principal: principal.id }, 'a backup was sent');
    } finally {
      await discard();
    }
  }

  return (request, response) => {
    if (request.method !== 'POST' || request.url !== '/backup') return false;
    void answer(request, response).catch((error: unknown) => {
      if (response.headersSent) {
        log.warn({ err: error }, 'a backup was not sent to its end');
        response.destroy();
      } else refuseError(response, error, log);
    });
    return true;
  };
}

function refuseError(response: ServerResponse, error: unknown, log: Logger): void {
  if (error instanceof UnauthenticatedError) {
    response.setHeader('www-authenticate', 'Bearer');
    refuseRequest(response, 401, 'UNAUTHENTICATED', error.message);
  } else if (error instanceof TooManyFailedCredentialsError) {
    response.setHeader('retry-after', String(error.retryAfterSeconds));
    refuseRequest(response, 429, 'RATE_LIMITED', error.message);
  } else if (error instanceof BackupError) {
    refuseRequest(response, 409, 'BACKUP_IMPOSSIBLE', `No backup was made: ${error.message}.`);
  } else {
    log.error({ err: error }, 'a backup failed');
    refuseRequest(response, 500, 'INTERNAL_SERVER_ERROR', 'The backup failed; the log tells why.');
  }
}
