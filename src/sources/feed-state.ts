import { z } from 'zod';
import type { Marking } from '../data-types/marking.ts';
import type { Prisma } from '../database/generated/prisma/client.ts';
import type { FeedState } from '../ingestion/choose-reading.ts';
import type { SourceOfJob } from './found-schema.ts';

const feedStateSchema = z.object({
  version: z.string(),
  hasSharedIds: z.boolean(),
  brokenBy: z.string().nullable(),
  isLost: z.boolean().default(false),
});

/** Reads what the change feed of a source is read from; null before the first snapshot. */
export function readFeedState(stored: Prisma.JsonValue): FeedState | null {
  return feedStateSchema.safeParse(stored).data ?? null;
}

/** Writes what the change feed of a source is read from next. */
export function toFeedState(state: FeedState): Prisma.InputJsonObject {
  return { ...state };
}

/** Has the next INCREMENTAL sync of a source read all rows, where it would read changes. @param reason a sentence without its full stop. */
export async function breakFeed(
  transaction: Prisma.TransactionClient,
  dataSourceId: string,
  reason: string,
): Promise<void> {
  await transaction.$executeRaw`
    update data_source set feed_state = feed_state || jsonb_build_object('brokenBy', ${reason}::text)
    where id = ${dataSourceId}::uuid`;
}

/**
 * Records why all rows of a source are read instead of its changes, as an event of the job.
 * @param marking the reason is hidden from callers without clearance for it; null for that of the job.
 */
export async function recordSnapshot(
  transaction: Prisma.TransactionClient,
  { jobId, sourceName }: Pick<SourceOfJob, 'jobId' | 'sourceName'>,
  reason: string,
  marking: Marking | null,
): Promise<void> {
  await transaction.$queryRaw`
    select blade_add_job_event(${jobId}::uuid, 'SNAPSHOT_TAKEN'::job_event_kind, ${sourceName}, reason => ${reason}::text,
      reason_marking => ${marking}::text)::text`;
}

/** Has the next plan of a source read all rows, because its change feed cannot be read. */
export async function forgetFeed(
  transaction: Prisma.TransactionClient,
  source: SourceOfJob,
  reason: string,
  marking: Marking,
): Promise<void> {
  // Not forgotten: should the table have no feed by then, rows from the watermark on would not be enough.
  await transaction.$executeRaw`
    update data_source set feed_state = feed_state || '{"isLost": true}' where id = ${source.dataSourceId}::uuid`;
  await recordSnapshot(transaction, source, reason, marking);
}
