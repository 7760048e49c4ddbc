import { fromPrisma, type PgBoss } from 'pg-boss';
import { v7 as newUuid } from 'uuid';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { InvalidInputError } from '../shared/invalid-input.ts';
import { type Schedule, type SourceSchedules, toSchedule } from '../sources/schedule.ts';
import type { JobStarter } from './create-job.ts';
import { SyncAlreadyRunningError } from './job-errors.ts';
import { HEARTBEAT_SECONDS } from './queue/partition-queue.ts';
import { startScheduledSync } from './start-sync.ts';

/** Scheduled syncs. pg-boss sends each tick once across the cluster. */
export interface Schedules extends SourceSchedules {
  /** Starts a sync for each tick from now on. */
  work(): Promise<void>;
  stop(): Promise<void>;
}

const TICKS = 'scheduled-syncs';

interface Tick {
  readonly dataSourceId: string;
}

export async function openSchedules(boss: PgBoss, starter: JobStarter): Promise<Schedules> {
  await boss.createQueue(TICKS, {
    retryLimit: 3,
    retryDelay: 5,
    heartbeatSeconds: HEARTBEAT_SECONDS,
  });

  return {
    nextRuns({ cron, timeZone }, count) {
      if (!isTimeZone(timeZone)) {
        throw refuseSchedule(
          'timeZone',
          `${JSON.stringify(timeZone)} is no time zone: names are like UTC or Europe/Berlin`,
        );
      }
      try {
        if (cron.trim().split(/\s+/).length !== 5) throw new Error('it has not five fields');
        return boss.previewSchedule(cron, { tz: timeZone, count });
      } catch {
        throw refuseSchedule(
          'cron',
          `${JSON.stringify(cron)} is no cron expression: it has five fields, such as \`30 2 * * *\` for half past two each night`,
        );
      }
    },

    async apply(transaction, source) {
      const db = fromPrisma(transaction);
      const schedule = toSchedule(source);
      if (schedule === null || !source.enabled) await boss.unschedule(TICKS, source.id, { db });
      else {
        const tick: Tick = { dataSourceId: source.id };
        await boss.schedule(TICKS, schedule.cron, tick, { tz: schedule.timeZone, key: source.id, db });
      }
    },

    async work() {
      await boss.work<Tick>(TICKS, { pollingIntervalSeconds: 2 }, async ([tick]) => {
        if (tick !== undefined) await runScheduledSync(starter, tick.data.dataSourceId);
      });
    },

    stop: () => boss.offWork(TICKS, { wait: true }),
  };
}

/** Starts the sync of one source for a tick, or records why it was skipped. */
export async function runScheduledSync(starter: JobStarter, dataSourceId: string): Promise<void> {
  const { prisma } = starter;
  const source = await prisma.dataSource.findUnique({ where: { id: dataSourceId } });
  if (source === null) return;
  if (!source.enabled) return recordRun(prisma, dataSourceId, null, 'the source is disabled');
  try {
    const job = await startScheduledSync(starter, source);
    await recordRun(prisma, dataSourceId, job.id, null);
  } catch (error) {
    if (!(error instanceof SyncAlreadyRunningError)) throw error;
    await recordRun(
      prisma,
      dataSourceId,
      null,
      `a sync was active: job ${error.activeJobId ?? 'that has ended since'}`,
    );
  }
}

async function recordRun(
  prisma: PrismaClient,
  dataSourceId: string,
  jobId: string | null,
  skippedBecause: string | null,
): Promise<void> {
  await prisma.scheduledRun.create({ data: { id: newUuid(), dataSourceId, jobId, skippedBecause } });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function refuseSchedule(field: keyof Schedule, message: string): InvalidInputError {
  return new InvalidInputError([{ field: `input.schedule.${field}`, message }]);
}
