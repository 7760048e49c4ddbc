import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';

/** When a source is synced automatically. */
export interface Schedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
}

/** Keeps the schedules of sources; implemented by the service that fires them. */
export interface SourceSchedules {
  /**
   * The times at which a schedule comes due next.
   * @throws InvalidInputError naming the part of the schedule that cannot be used.
   */
  nextRuns(schedule: Schedule, count: number): Date[];
  /** Brings the ticks of a source in line with its schedule, as part of the transaction that changed it. */
  apply(transaction: Prisma.TransactionClient, source: DataSource): Promise<void>;
}

/** The schedule of a source; null if it is only synced by hand. */
export function toSchedule(source: DataSource): Schedule | null {
  return source.scheduleCron === null
    ? null
    : { cron: source.scheduleCron, timeZone: source.scheduleTimeZone };
}
