import { fromPrisma, type Job, type PgBoss, type Queue } from 'pg-boss';
import type { Prisma } from '../../database/generated/prisma/client.ts';
import type { QueueFacts } from '../../observability/metrics.ts';

/** Hands partitions to workers: pg-boss claims, retries with backoff, and notices workers that have died. */
export interface PartitionQueue {
  /**
   * Enqueues partitions as part of the transaction that creates them. Call `wake` once it is committed.
   * @param maxAttempts how often each is run, while it fails, before it is given up.
   */
  enqueue(
    transaction: Prisma.TransactionClient,
    partitionIds: readonly string[],
    maxAttempts: number,
  ): Promise<void>;
  /** Lets the workers of this process look at once; those of others are notified by the database. */
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
   * Gives up what no living worker holds to the next one, at once instead of after the missing heartbeats.
   * Only for a database that no other process can be using.
   */
  releaseAll(): Promise<void>;
  /** What the queue holds, over all processes. */
  facts(): Promise<QueueFacts>;
  /** Stops taking partitions and waits for those that run. */
  stop(): Promise<void>;
}

/** That a partition is to be run once. */
export interface Turn {
  readonly partitionId: string;
  /**
   * Aborted when this process has been taken for dead meanwhile: the partition has been given to another worker, or
   * will be.
   */
  readonly lost: AbortSignal;
  /**
   * Ends the turn and gives the partition a new one, with all its attempts, as part of a transaction; does neither where
   * the turn is lost.
   */
  putBack(transaction: Prisma.TransactionClient, maxAttempts: number): Promise<void>;
}

/** Repetitions of what a partition that is given up leaves to do. */
const GIVE_UP_RETRIES = 10;

/** A worker that gives no sign for this long, in seconds, is taken for dead. */
export const HEARTBEAT_SECONDS = 15;

const PARTITIONS = 'partitions';
const GIVEN_UP = 'partitions-given-up';

// Of live messages only, which pg-boss has an index on; ended ones are kept beside them for days.
const QUEUE_FACTS = `select
    count(*) filter (where state < 'active' and start_after <= now()) as ready,
    count(*) filter (where state < 'active' and start_after > now()) as deferred,
    count(*) filter (where state = 'active') as active,
    coalesce(extract(epoch from now() - min(start_after) filter (where state < 'active' and start_after <= now())), 0)
      as "oldestReadySeconds"
  from pgboss.job where name = $1 and state in ('created', 'retry', 'active')`;

interface PartitionMessage {
  readonly partitionId: string;
}

/** Makes the queue of partitions. */
export async function openPartitionQueue(boss: PgBoss): Promise<PartitionQueue> {
  await openQueue(boss, GIVEN_UP, {
    retryLimit: GIVE_UP_RETRIES,
    retryBackoff: true,
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

  function turnOf({ id, data: { partitionId }, signal }: Job<PartitionMessage>): Turn {
    return {
      partitionId,
      lost: signal,
      async putBack(transaction, maxAttempts) {
        if (signal.aborted) return;
        // Together, so that no message is left that could give up the partition while another one runs it.
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
            // Without this the worker would wait out its polling interval before it takes the next one.
            boss.notifyWorker(worker);
            if (message !== undefined) await run(turnOf(message));
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

/** Makes a queue, or gives these options to one that an earlier version made: making it again would leave its own. */
async function openQueue(boss: PgBoss, name: string, options: Omit<Queue, 'name'>): Promise<void> {
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
}
