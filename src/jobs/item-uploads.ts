import { fromPrisma, type PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import type { Prisma } from '../database/generated/prisma/client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { HEARTBEAT_SECONDS } from './queue/partition-queue.ts';

/**
 * Uploads of items outside of any job, because a marking was lowered, or was raised by a job that ended before it had
 * uploaded the items. The database has the new marking first: until the upload the catalog has an item that was lowered
 * with the higher one.
 */
export interface ItemUploads {
  /** Orders the upload of an item as part of the transaction that changes it. Call `wake` once it is committed. */
  enqueue(transaction: Prisma.TransactionClient, item: ItemKey): Promise<void>;
  /** Lets the worker of this process look at once. */
  wake(): void;
  /** Uploads what is ordered, and every minute what jobs that ended have left, until `stop`. */
  work(pool: Pick<ThreadPool, 'uploadPending'>, log: Logger): Promise<void>;
  stop(): Promise<void>;
}

export interface ItemKey {
  readonly dataType: string;
  readonly itemId: string;
}

const ORDERED = 'item-uploads';
const LEFT_BY_JOBS = 'raised-item-uploads';

/** The names of its queues. */
export const ITEM_UPLOAD_QUEUES = [ORDERED, LEFT_BY_JOBS] as const;

/** With a minute between them, a catalog may be away for days. */
const MAX_RETRIES = 10_000;

export async function openItemUploads(boss: PgBoss): Promise<ItemUploads> {
  await boss.createQueue(ORDERED, {
    retryLimit: MAX_RETRIES,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    notify: true,
  });
  // The next minute tries again, so that one is enough.
  await boss.createQueue(LEFT_BY_JOBS, {
    policy: 'exclusive',
    retryLimit: 0,
    heartbeatSeconds: HEARTBEAT_SECONDS,
  });
  const workers: string[] = [];

  return {
    async enqueue(transaction, item) {
      await boss.insert(ORDERED, [{ data: item, retryLimit: MAX_RETRIES }], { db: fromPrisma(transaction) });
    },

    wake() {
      for (const worker of workers) boss.notifyWorker(worker);
    },

    async work(pool, log) {
      const worker = await boss.work<ItemKey>(ORDERED, { pollingIntervalSeconds: 2 }, async ([message]) => {
        if (message === undefined) return;
        const { dataType, itemId } = message.data;
        const { rejections } = await pool.uploadPending({ dataType, itemIds: [itemId] });
        // The next sync that reads its row uploads it again.
        if (rejections.length > 0)
          log.warn({ dataType, rejections }, 'the catalog rejected an item with a new marking');
      });
      workers.push(worker);
      await boss.schedule(LEFT_BY_JOBS, '* * * * *');
      await boss.work(LEFT_BY_JOBS, { pollingIntervalSeconds: 10 }, async () => {
        const { rejections } = await pool.uploadPending(null);
        if (rejections.length > 0)
          log.warn({ rejections }, 'the catalog rejected items with a raised marking');
      });
    },

    async stop() {
      await Promise.all([ORDERED, LEFT_BY_JOBS].map((queue) => boss.offWork(queue, { wait: true })));
    },
  };
}
