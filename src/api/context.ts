import type { Access } from '../access/access.ts';
import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { Jobs } from '../jobs/jobs.ts';

/** What every resolver has at hand. */
export interface ApiContext {
  /** Reads the database as the principal may see it. */
  readonly prisma: PrismaClient;
  /** What the principal can do with jobs and sources. */
  readonly jobs: Jobs;
  /** What the principal can do about who may come in. */
  readonly access: Access;
  /** Who sent the request. */
  readonly principal: Principal;
}
