import type { Principal } from '../access/principal.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { Jobs } from '../jobs/jobs.ts';

/** What every resolver has at hand. */
export interface ApiContext {
  readonly prisma: PrismaClient;
  readonly jobs: Jobs;
  /** Who sent the request. */
  readonly principal: Principal;
}
