import type { PrismaClient } from '../../database/generated/prisma/client.ts';
import { AmbiguousJobIdError } from '../../jobs/job-errors.ts';
import { parseUuid } from './global-id.ts';
import { isUuid } from './input-checks.ts';

/** How much of an id is enough to look up a job. */
const MIN_PREFIX = 8;

const LEAST = '00000000-0000-0000-0000-000000000000';
const GREATEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Finds the UUID of a job by its id or by the beginning of it.
 * @param prisma sees the jobs that the principal may see, among which the beginning has to be unique.
 * @returns null if no id begins like that.
 * @throws InvalidInputError naming the argument `id`; AmbiguousJobIdError.
 */
export async function findJobId(prisma: PrismaClient, text: string): Promise<string | null> {
  const prefix = (text.startsWith('Job:') ? text.slice('Job:'.length) : text).toLowerCase();
  const isPrefix =
    prefix.length >= MIN_PREFIX && prefix.length < LEAST.length && isUuid(complete(prefix, LEAST));
  if (!isPrefix) return parseUuid('Job', text, 'id');
  const found = await prisma.job.findMany({
    where: { id: { gte: complete(prefix, LEAST), lte: complete(prefix, GREATEST) } },
    select: { id: true },
    take: 2,
  });
  if (found.length > 1) throw new AmbiguousJobIdError(prefix);
  return found[0]?.id ?? null;
}

function complete(prefix: string, rest: string): string {
  return prefix + rest.slice(prefix.length);
}
