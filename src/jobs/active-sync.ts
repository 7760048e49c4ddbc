import type { Job, JobKind, PrismaClient } from '../database/generated/prisma/client.ts';
import { ACTIVE_STATES } from './job-state.ts';

/** Finds the active sync; there is one at most. */
export function findActiveSync(prisma: PrismaClient): Promise<Job | null> {
  return findActive(prisma, 'SYNC');
}

/** Finds the active repair of the catalog; there is one at most. */
export function findActiveRepair(prisma: PrismaClient): Promise<Job | null> {
  return findActive(prisma, 'REPAIR');
}

function findActive(prisma: PrismaClient, kind: JobKind): Promise<Job | null> {
  return prisma.job.findFirst({ where: { kind, state: { in: [...ACTIVE_STATES] } } });
}
