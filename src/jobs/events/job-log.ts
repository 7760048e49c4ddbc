import type { JobEvent, PrismaClient } from '../../database/generated/prisma/client.ts';
import { type FeedSource, fitPage, type Page, shareReads } from './feed.ts';

/** The most events that are read at once. */
const PAGE_SIZE = 100;

const shareLogReads = shareReads<PrismaClient, Page<JobEvent, string>>();

/** The log of a job as a client of the database sees it; a place in it is the id of an event. */
export function createJobLog(
  sight: PrismaClient,
  jobId: string,
  onError: (error: unknown) => void,
): FeedSource<JobEvent, string> {
  return {
    onError,
    read: (after) => shareLogReads(sight, `${jobId} ${after}`, () => readLog(sight, jobId, after)),
  };
}

async function readLog(
  sight: PrismaClient,
  jobId: string,
  after: string | null,
): Promise<Page<JobEvent, string>> {
  const events = await sight.jobEvent.findMany({
    where: { jobId, ...(after === null ? {} : { id: { gte: after } }) },
    orderBy: { id: 'asc' },
    take: PAGE_SIZE + 1,
  });
  // Only the oldest are ever deleted, so all after it are there if it is.
  if (after !== null && events[0]?.id !== after)
    return { entries: [{ gap: 'EXPIRED', place: null }], isLast: false, isWhole: false };
  const further = after === null ? events : events.slice(1);
  const page = fitPage(further);
  return {
    entries: page.map((event) => ({ value: event, place: event.id })),
    isWhole: page.length === further.length && events.length <= PAGE_SIZE,
    isLast:
      (page.at(-1) ?? events.at(-1))?.kind === 'ENDED' ||
      (events.length === 0 && (await isOlderThanLogs(sight, jobId))),
  };
}

/** Whether a job has ended before there were logs. */
async function isOlderThanLogs(sight: PrismaClient, jobId: string): Promise<boolean> {
  const job = await sight.job.findUnique({ where: { id: jobId }, select: { finishedAt: true } });
  return job === null || job.finishedAt !== null;
}
