import type { Job, PrismaClient } from '../database/generated/prisma/client.ts';
import { ACTIVE_STATES } from './job-state.ts';

/** Finds the active sync; there is one at most. */
export function findActiveSync(prisma: PrismaClient): Promise<Job | null> {
  return prisma.job.findFirst({ where: { kind: 'SYNC', state: { in: [...ACTIVE_STATES] } } });
}
