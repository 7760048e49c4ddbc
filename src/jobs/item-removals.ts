import type { PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { HAS_DUE_REMOVALS } from '../items/item-removals.ts';
import { HEARTBEAT_SECONDS } from './queue/partition-queue.ts';

/** Removes deleted items from the catalog, in one process of the cluster at a time. */
export interface ItemRemovals {
  /** Looks at once, because a sync may have deleted items. */
  wake(): void;
  /** Removes what is due, now and every minute, until `stop`. */
  work(pool: Pick<ThreadPool, 'removeDue'>, log: Logger): Promise<void>;
  stop(): Promise<void>;
}

const REMOVALS = 'item-removals';

/** The names of its queues. */
export const ITEM_REMOVAL_QUEUES = [REMOVALS] as const;

export async function openItemRemovals(boss: PgBoss, prisma: PrismaClient): Promise<ItemRemovals> {
  // The next minute tries again, so that one is enough.
  await boss.createQueue(REMOVALS, {
    policy: 'exclusive',
    retryLimit: 0,
    // Many items, or a catalog that is away, take long. Its heartbeats say whether it lives.
    expireInSeconds: 24 * 60 * 60,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    notify: true,
  });
  let worker: string | null = null;

  async function hasDue(): Promise<boolean> {
    const [found] = await prisma.$queryRawUnsafe<{ hasDue: boolean }[]>(HAS_DUE_REMOVALS);
    return found?.hasDue === true;
  }

  async function send(): Promise<void> {
    if (worker === null || !(await hasDue())) return;
    await boss.send(REMOVALS, {});
    boss.notifyWorker(worker);
  }

  return {
    // What fails here, the next minute does.
    wake: () => void send().catch(() => {}),

    async work(pool, log) {
      await boss.schedule(REMOVALS, '* * * * *');
      worker = await boss.work(REMOVALS, { pollingIntervalSeconds: 10 }, async ([message]) => {
        while (message?.signal.aborted === false && (await hasDue())) {
          const { removed, failures, hasMore } = await pool.removeDue();
          if (removed > 0) log.info({ removed }, 'deleted items were removed from the catalog');
          if (failures.length > 0)
            log.warn({ failures }, 'deleted items could not be removed from the catalog');
          if (!hasMore) return;
        }
      });
    },

    async stop() {
      worker = null;
      await boss.offWork(REMOVALS, { wait: true });
    },
  };
}
