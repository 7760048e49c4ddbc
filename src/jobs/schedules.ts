import { setTimeout } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { type Clock, readDatabaseTime } from '../database/database-clock.ts';
import type { DataSource, PrismaClient, ScheduledRunState } from '../database/generated/prisma/client.ts';
import type { Metrics } from '../observability/metrics.ts';
import { type DueRecord, findDueTimeAnew, recordDueTimes } from '../sources/due-times.ts';
import { findActiveSync } from './active-sync.ts';
import type { JobStarter } from './create-job.ts';
import { startWaitingSync, type WaitingSync } from './start-sync.ts';

/** Starts syncs by the schedules of sources; any number of processes may do so on one database. */
export interface Schedules {
  /** Looks at the schedules every two seconds from now on. */
  work(reporting: { readonly log: Logger; readonly metrics: Pick<Metrics, 'recordDueTimes'> }): Promise<void>;
  stop(): Promise<void>;
}

const LOOK_EVERY_MS = 2_000;

/** @param clock tells what is due; tests pass their own. */
export function createSchedules(
  boss: PgBoss,
  starter: JobStarter,
  clock: Clock = readDatabaseTime,
): Schedules {
  const stopping = new AbortController();
  let working: Promise<void> = Promise.resolve();
  return {
    async work({ log, metrics }) {
      await boss.deleteQueue(QUEUE_OF_EARLIER_VERSIONS);
      const look = createScheduleLook(starter, clock);
      working = (async () => {
        let isFailing = false;
        while (!stopping.signal.aborted) {
          try {
            report(await look(), log, metrics);
            isFailing = false;
          } catch (error) {
            // The database may be away for hours. Nothing is lost: what is due stays due.
            if (!isFailing) log.error({ err: error }, 'schedules could not be looked at: trying again');
            isFailing = true;
          }
          await setTimeout(LOOK_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
        }
      })();
    },

    async stop() {
      stopping.abort();
      await working;
    },
  };
}

/** In it, pg-boss sent a message for each due time. */
const QUEUE_OF_EARLIER_VERSIONS = 'scheduled-syncs';

/** What one look at the schedules has done. */
export interface ScheduleLook {
  readonly records: readonly DueRecord[];
  /** The sync that was started for what waited; null if none was. */
  readonly started: WaitingSync | null;
  /** The sync that what came due waits for; null if nothing waits. */
  readonly awaitedJobId: string | null;
}

/**
 * Creates a function that looks once at all schedules: it records what has come due, and starts one sync of the sources
 * that wait, unless another sync is active. After a start, and when the clock went back since the last look, it finds every
 * next due time anew.
 */
export function createScheduleLook(starter: JobStarter, clock: Clock): () => Promise<ScheduleLook> {
  const { prisma } = starter;
  let lastLook: Date | null = null;
  return async () => {
    const now = await clock(prisma);
    const records: DueRecord[] = [];
    if (lastLook === null || now < lastLook) records.push(...(await findAllAnew(prisma, now)));
    lastLook = now;
    records.push(...(await recordAllDue(prisma, now)), ...(await skipWithoutSchedule(prisma)));
    const started = await startWaitingSync(starter);
    const waits = started === null && records.some(({ state }) => state === 'WAITING');
    return { records, started, awaitedJobId: waits ? ((await findActiveSync(prisma))?.id ?? null) : null };
  };
}

/** How many sources a transaction locks. */
const SOURCES_A_TRANSACTION = 100;

/** What a transaction may take, in milliseconds. */
const TRANSACTION_TIMEOUT_MS = 30_000;

async function findAllAnew(prisma: PrismaClient, now: Date): Promise<DueRecord[]> {
  const records: DueRecord[] = [];
  let after: string | null = null;
  do {
    after = await prisma.$transaction(
      async (transaction) => {
        const ids: { id: string }[] = await transaction.$queryRaw`
          select id from data_source where enabled and schedule_cron is not null
            and (${after}::uuid is null or id > ${after}::uuid)
          order by id limit ${SOURCES_A_TRANSACTION} for update`;
        for (const source of await readSources(transaction, ids))
          records.push(...(await findDueTimeAnew(transaction, source, now)));
        return ids.at(-1)?.id ?? null;
      },
      { timeout: TRANSACTION_TIMEOUT_MS },
    );
  } while (after !== null);
  return records;
}

/** In one transaction, as far as it can: what comes due together starts together. */
async function recordAllDue(prisma: PrismaClient, now: Date): Promise<DueRecord[]> {
  const records: DueRecord[] = [];
  const isDue = () =>
    prisma.dataSource.findFirst({ where: { nextDueAt: { lte: now } }, select: { id: true } });
  while ((await isDue()) !== null) {
    const recorded = await prisma.$transaction(
      async (transaction) => {
        // What is locked is being saved, or recorded by another process.
        const ids: { id: string }[] = await transaction.$queryRaw`
          select id from data_source where next_due_at <= ${now}
          order by id limit ${SOURCES_A_TRANSACTION} for update skip locked`;
        const recorded: DueRecord[] = [];
        for (const source of await readSources(transaction, ids))
          recorded.push(...(await recordDueTimes(transaction, source, now)));
        return recorded;
      },
      { timeout: TRANSACTION_TIMEOUT_MS },
    );
    if (recorded.length === 0) break;
    records.push(...recorded);
  }
  return records;
}

function readSources(
  transaction: Pick<PrismaClient, 'dataSource'>,
  ids: readonly { id: string }[],
): Promise<DataSource[]> {
  return transaction.dataSource.findMany({ where: { id: { in: ids.map(({ id }) => id) } } });
}

interface SkippedRow {
  readonly id: string;
  readonly name: string;
  readonly firstDueAt: Date;
  readonly dueAt: Date;
  readonly dueTimes: number;
  readonly skippedBecause: string;
}

/** Skips what waits for a sync of a source that has no schedule any more. */
async function skipWithoutSchedule(prisma: PrismaClient): Promise<DueRecord[]> {
  const skipped = await prisma.$queryRaw<SkippedRow[]>`
    update scheduled_run r set state = 'SKIPPED', skipped_because = case when s.enabled
      then 'the schedule was removed while it waited' else 'the data source was disabled while it waited' end
    from data_source s where s.id = r.data_source_id and r.state = 'WAITING' and not (s.enabled and s.schedule_cron is not null)
    returning s.id, s.name, r.first_due_at as "firstDueAt", r.due_at as "dueAt", r.due_times as "dueTimes",
      r.skipped_because as "skippedBecause"`;
  return skipped.map(({ id, name, ...run }) => ({ source: { id, name }, state: 'SKIPPED', ...run }));
}

/** Writes what a look has done to the log and the metrics. */
function report(
  { records, started, awaitedJobId }: ScheduleLook,
  log: Logger,
  metrics: Pick<Metrics, 'recordDueTimes'>,
): void {
  const count = (state: ScheduledRunState, dueTimes: number) => metrics.recordDueTimes(state, dueTimes);
  for (const { source, state, firstDueAt, dueAt, dueTimes, skippedBecause } of records) {
    if (state === 'WAITING') continue;
    count(state, dueTimes);
    log.warn(
      { dataSourceId: source.id, source: source.name, firstDueAt, dueAt, dueTimes, reason: skippedBecause },
      state === 'MISSED' ? 'due times of a schedule were missed' : 'due times of a schedule were skipped',
    );
  }
  if (started !== null) {
    const { jobId, sources, dueTimes } = started;
    count('STARTED', dueTimes);
    log.info({ jobId, sources, dueTimes }, 'a scheduled sync was started');
    return;
  }
  const waiting = records.filter(({ state }) => state === 'WAITING');
  if (waiting.length === 0) return;
  count('WAITING', waiting.length);
  log.info(
    { jobId: awaitedJobId, sources: waiting.map(({ source }) => source.name) },
    'scheduled syncs wait for the end of the active one',
  );
}
