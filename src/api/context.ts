import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { Jobs } from '../jobs/jobs.ts';

/** The context of every resolver. */
export interface ApiContext {
  /** Reads the database as the principal may see it. */
  readonly prisma: PrismaClient;
  /** The principal's operations on jobs and sources. */
  readonly jobs: Jobs;
  /** The principal's operations on API keys and the audit. */
  readonly access: Access;
  readonly dataTypes: DataTypes;
  /** Finds what the warehouse refuses in a SELECT that the check has accepted; null for nothing. */
  readonly findStatementProblem: (sql: string) => Promise<string | null>;
  /** Who sent the request. */
  readonly principal: Principal;
  /** The id of the last event that an event stream has got before it broke off, as `EventSource` sends it. */
  readonly lastEventId?: string | null;
}
