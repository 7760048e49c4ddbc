import type { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { pruneAudit } from '../access/audit.ts';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { pruneStartRequests } from './start-request.ts';

/** How long history is kept, in days; null keeps it for ever. */
export interface RetentionSettings {
  /** Jobs with their partitions, errors and events, from their end; and the records of scheduled runs. */
  readonly historyDays: number | null;
  /**
   * Items, from the last change of their content. One with a raised marking is kept until that is lowered: read again, it
   * would come back without.
   */
  readonly itemDays: number | null;
  /** Entries of the audit. */
  readonly auditDays: number | null;
}

export interface PrunedCounts {
  readonly jobs: number;
  readonly scheduledRuns: number;
  readonly items: number;
  readonly auditEntries: number;
}

const RETENTION = 'retention';

/** Once a night, when few people look. */
const EVERY_NIGHT = '17 3 * * *';

/** Prunes once a night, in one process of a cluster. */
export async function startRetention(
  boss: PgBoss,
  prisma: PrismaClient,
  settings: RetentionSettings,
  log: Logger,
): Promise<() => Promise<void>> {
  await boss.createQueue(RETENTION, { retryLimit: 3, retryDelay: 60 });
  await boss.schedule(RETENTION, EVERY_NIGHT);
  await boss.work(RETENTION, { pollingIntervalSeconds: 60 }, async () => {
    const pruned = await prune(prisma, settings, await advanceRetention(prisma));
    log.info({ pruned }, 'pruned rows older than their retention');
  });
  return () => boss.offWork(RETENTION, { wait: true });
}

/**
 * Moves the time from which ages are counted to now, but no further ahead than a night may lie behind the last: whatever a
 * clock says that was set forward, rows that are young stay. After a longer pause it takes some nights to catch up.
 */
export async function advanceRetention(prisma: PrismaClient): Promise<Date> {
  const [row] = await prisma.$queryRaw<{ countedUntil: Date }[]>`
    insert into retention as last (id, counted_until) values (1, blade_now())
    on conflict (id) do update set counted_until = least(blade_now(), last.counted_until + interval '36 hours')
    returning counted_until as "countedUntil"`;
  if (row === undefined) throw new Error('The time of the retention was not saved');
  return row.countedUntil;
}

/**
 * Deletes rows that have outlived their retention, a thousand at a time to keep locks short. Also deletes upload batches
 * without items, and read batches that no sync has seen for a while.
 * @param now the time from which ages are counted.
 */
export async function prune(
  prisma: PrismaClient,
  settings: RetentionSettings,
  now: Date,
): Promise<PrunedCounts> {
  const { historyDays, itemDays, auditDays } = settings;
  const counts = { jobs: 0, scheduledRuns: 0, items: 0, auditEntries: 0 };
  if (historyDays !== null) {
    const cutoff = daysBefore(now, historyDays);
    // A job is deleted with its partitions, errors and events; these may be many, so they go first.
    await inBatches(
      () => prisma.$executeRaw`delete from job_error where id in (
        select e.id from job_error e join job j on j.id = e.job_id where j.finished_at < ${cutoff} limit ${BATCH})`,
    );
    await inBatches(
      () => prisma.$executeRaw`delete from job_event where id in (
        select e.id from job_event e join job j on j.id = e.job_id where j.finished_at < ${cutoff} limit ${BATCH})`,
    );
    counts.jobs = await inBatches(
      () => prisma.$executeRaw`delete from job where id in (
        select id from job where finished_at < ${cutoff} limit ${BATCH})`,
    );
    counts.scheduledRuns = await inBatches(
      () => prisma.$executeRaw`delete from scheduled_run where id in (
        select id from scheduled_run where created_at < ${cutoff} and state <> 'WAITING' limit ${BATCH})`,
    );
  }
  counts.scheduledRuns += await inBatches(
    () => prisma.$executeRaw`delete from scheduled_run where id in (
      select run.id from data_source s cross join lateral (
        select id from scheduled_run where data_source_id = s.id order by id desc offset ${RUNS_OF_A_SOURCE}) run limit ${BATCH})
      and state <> 'WAITING'`,
  );
  if (itemDays !== null) {
    const cutoff = daysBefore(now, itemDays);
    counts.items = await inBatches(
      () => prisma.$executeRaw`delete from blade_item where (data_type, item_id) in (
        select data_type, item_id from blade_item where updated_at < ${cutoff} and floor_marking is null limit ${BATCH})`,
    );
  }
  if (auditDays !== null) {
    const cutoff = daysBefore(now, auditDays);
    counts.auditEntries = await inBatches(() => pruneAudit(prisma, cutoff, BATCH));
  }
  await prisma.$executeRaw`
    delete from upload_batch b where not exists (select from blade_item i where i.upload_batch_id = b.id)
      -- A partition that resumes counts what it has saved.
      and not exists (select from job_partition p where p.id = b.partition_id and p.state in ('PENDING', 'RUNNING'))`;
  await prisma.$executeRaw`
    with expired as (delete from delete_approval where expires_at < ${now} returning data_source_id)
    delete from read_ids r using job_partition p, job j, expired
    where r.partition_id = p.id and j.id = p.job_id and p.data_source_id = expired.data_source_id
      and j.state in ('COMPLETED', 'FAILED', 'CANCELLED')`;
  await pruneStartRequests(prisma);
  await prisma.$executeRaw`delete from read_batch where seen_at < ${daysBefore(now, UNSEEN_DAYS)}`;
  return counts;
}

/** The runs of a source that are kept at most; one that is due every minute makes 1,440 a day. */
const RUNS_OF_A_SOURCE = 1_000;

/** Long enough for a monthly sync to recognize the batches it read last time. */
const UNSEEN_DAYS = 40;

const BATCH = 1_000;

async function inBatches(deleteBatch: () => Promise<number>): Promise<number> {
  let total = 0;
  for (;;) {
    const deleted = await deleteBatch();
    total += deleted;
    if (deleted < BATCH) return total;
  }
}

function daysBefore(now: Date, days: number): Date {
  return new Date(now.getTime() - days * 24 * 60 * 60 * 1000);
}
