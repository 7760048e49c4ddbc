import { fromPrisma, type Job, type PgBoss, type Queue } from 'pg-boss';
import type { Prisma } from '../../database/generated/prisma/client.ts';
import type { QueueFacts } from '../../observability/metrics.ts';
import { PARTITIONS, type PartitionMessage } from './message-insert.ts';

/** Hands partitions to workers. pg-boss claims them, retries with backoff, and detects dead workers. */
export interface PartitionQueue {
  /**
   * Enqueues partitions as part of the transaction that creates them. Call `wake` once it is committed.
   * @param maxAttempts how often a failing partition is run before it is given up.
   */
  enqueue(
    transaction: Prisma.TransactionClient,
    partitionIds: readonly string[],
    maxAttempts: number,
  ): Promise<void>;
  /** Wakes the workers of this process; the database notifies the other processes. */
  wake(): void;
  /**
   * Runs handlers for partitions until `stop`.
   * @param handlers.run rejects when the partition has to be run again; it is, after a backoff.
   * @param handlers.giveUp is called for a partition whose every attempt has failed.
   */
  work(
    concurrency: number,
    handlers: {
      run(turn: Turn): Promise<void>;
      giveUp(partitionId: string): Promise<void>;
    },
  ): Promise<void>;
  /**
   * Releases every claimed partition at once, without waiting for missed heartbeats.
   * Only for a database that no other process can use.
   */
  releaseAll(): Promise<void>;
  /** Counts the queue's messages across all processes. */
  facts(): Promise<QueueFacts>;
  /** Takes no more partitions and waits for the running ones. */
  stop(): Promise<void>;
}

/** One delivery of a partition from the queue. */
export interface Turn {
  readonly partitionId: string;
  /**
   * Aborted when this process was presumed dead: the partition goes to another worker.
   */
  readonly lost: AbortSignal;
  /**
   * Ends the turn and enqueues the partition again with all its attempts, as part of a transaction. Does nothing when
   * the turn is lost.
   */
  putBack(transaction: Prisma.TransactionClient, maxAttempts: number): Promise<void>;
}

/** Retries of giving up a partition. The database may be away, or its disk full, for days. */
const GIVE_UP_RETRIES = 10_000;

/** A worker without a heartbeat for this long, in seconds, is presumed dead. */
export const HEARTBEAT_SECONDS = 15;

const GIVEN_UP = 'partitions-given-up';

/** The names of its queues. */
export const PARTITION_QUEUES = [PARTITIONS, GIVEN_UP] as const;

// Counts live messages only: pg-boss has an index on them, and keeps ended ones in the same table for days.
const QUEUE_FACTS = `select
    count(*) filter (where state < 'active' and start_after <= now()) as ready,
    count(*) filter (where state < 'active' and start_after > now()) as deferred,
    count(*) filter (where state = 'active') as active,
    coalesce(extract(epoch from now() - min(start_after) filter (where state < 'active' and start_after <= now())), 0)
      as "oldestReadySeconds"
  from pgboss.job where name = $1 and state in ('created', 'retry', 'active')`;

/** Opens the queue of partitions. */
export async function openPartitionQueue(boss: PgBoss): Promise<PartitionQueue> {
  await openQueue(boss, GIVEN_UP, {
    retryLimit: GIVE_UP_RETRIES,
    retryBackoff: true,
    retryDelayMax: 60,
    heartbeatSeconds: HEARTBEAT_SECONDS,
  });
  await openQueue(boss, PARTITIONS, {
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: 60,
    expireInSeconds: 24 * 60 * 60,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    deadLetter: GIVEN_UP,
    notify: true,
  });
  const workers: string[] = [];

  const enqueue: PartitionQueue['enqueue'] = async (transaction, partitionIds, maxAttempts) => {
    await boss.insert(
      PARTITIONS,
      partitionIds.map((partitionId) => ({
        data: { partitionId } satisfies PartitionMessage,
        retryLimit: maxAttempts - 1,
      })),
      { db: fromPrisma(transaction) },
    );
  };

  function toTurn({ id, data: { partitionId }, signal }: Job<PartitionMessage>): Turn {
    return {
      partitionId,
      lost: signal,
      async putBack(transaction, maxAttempts) {
        if (signal.aborted) return;
        // In one transaction: a leftover message could give up the partition while another one runs it.
        await boss.complete(PARTITIONS, id, null, { db: fromPrisma(transaction) });
        await enqueue(transaction, [partitionId], maxAttempts);
      },
    };
  }

  return {
    enqueue,

    wake() {
      for (const worker of workers) boss.notifyWorker(worker);
    },

    async work(concurrency, { run, giveUp }) {
      for (let count = 0; count < concurrency; count++) {
        const worker: string = await boss.work<PartitionMessage>(
          PARTITIONS,
          { pollingIntervalSeconds: 1, notifyPollingIntervalSeconds: 5 },
          async ([message]) => {
            // Otherwise the worker waits for its polling interval before it takes the next one.
            boss.notifyWorker(worker);
            if (message !== undefined) await run(toTurn(message));
          },
        );
        workers.push(worker);
      }
      await boss.work<PartitionMessage>(GIVEN_UP, { pollingIntervalSeconds: 2 }, async ([message]) => {
        if (message !== undefined) await giveUp(message.data.partitionId);
      });
    },

    async releaseAll() {
      const { rows } = await boss
        .getDb()
        .executeSql("select id from pgboss.job where name = $1 and state = 'active'", [PARTITIONS]);
      const ids = rows.map(({ id }) => String(id));
      if (ids.length > 0) await boss.fail(PARTITIONS, ids, { message: 'the process that ran it has ended' });
    },

    async facts() {
      const { rows } = await boss.getDb().executeSql(QUEUE_FACTS, [PARTITIONS]);
      const { ready, deferred, active, oldestReadySeconds } = rows[0];
      return {
        ready: Number(ready),
        deferred: Number(deferred),
        active: Number(active),
        oldestReadySeconds: Number(oldestReadySeconds),
      };
    },

    async stop() {
      await Promise.all([PARTITIONS, GIVEN_UP].map((queue) => boss.offWork(queue, { wait: true })));
    },
  };
}

/** Creates a queue, or updates the options of an existing one, which creating it again would not. */
async function openQueue(boss: PgBoss, name: string, options: Omit<Queue, 'name'>): Promise<void> {
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
}
