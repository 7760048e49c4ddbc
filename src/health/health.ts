import type { PgBoss } from 'pg-boss';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { DiskSpace } from './disk-space.ts';

/** Whether a part of the program can do its work, as this process sees it. */
export interface PartHealth {
  readonly ok: boolean;
  /** The problem, if there is one; contains no secret. */
  readonly message?: string;
}

/** Whether this process should get requests and work. */
export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly parts: Readonly<Record<string, PartHealth>>;
}

export interface Health {
  /** Checks the database, the queue, the disks and, if this process runs jobs, the warehouse. */
  readiness(): Promise<Readiness>;
  /** Reports this process as not ready from now on, because it is about to stop. */
  drain(): void;
}

/** How long a part may take to answer, in milliseconds. */
const TIMEOUT_MS = 3_000;

/** What is checked. */
export interface HealthParts {
  readonly prisma: PrismaClient;
  readonly boss: PgBoss;
  readonly diskSpace: Pick<DiskSpace, 'findProblem'>;
  /** Throws if the warehouse cannot be reached within a time in milliseconds; null if this process runs no jobs. */
  readonly checkWarehouse: ((timeoutMs: number) => Promise<void>) | null;
}

export function createHealth({ prisma, boss, diskSpace, checkWarehouse }: HealthParts): Health {
  let isDraining = false;

  return {
    async readiness() {
      const [database, queue, problem, warehouse] = await Promise.all([
        checkPart('the database does not answer', () => prisma.$queryRaw`select 1`),
        checkPart('the queue is not installed or does not answer', () => boss.schemaVersion()),
        diskSpace.findProblem(),
        checkWarehouse === null
          ? null
          : checkPart('the warehouse cannot be reached', () => checkWarehouse(TIMEOUT_MS)),
      ]);
      const disk: PartHealth = problem === null ? { ok: true } : { ok: false, message: problem };
      const checked = { database, queue, disk, ...(warehouse === null ? {} : { warehouse }) };
      return {
        ready: !isDraining && Object.values(checked).every(({ ok }) => ok),
        draining: isDraining,
        parts: checked,
      };
    },
    drain() {
      isDraining = true;
    },
  };
}

async function checkPart(message: string, ask: () => PromiseLike<unknown>): Promise<PartHealth> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), TIMEOUT_MS);
  try {
    await Promise.race([ask(), timeout]);
    return { ok: true };
  } catch {
    return { ok: false, message };
  } finally {
    clearTimeout(timer);
  }
}
