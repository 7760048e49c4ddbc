import { ITEM_REMOVAL_QUEUES } from '../jobs/item-removals.ts';
import { ITEM_UPLOAD_QUEUES } from '../jobs/item-uploads.ts';
import { PARTITION_QUEUES } from '../jobs/queue/partition-queue.ts';
import { watchSetBack } from '../jobs/queue/set-back.ts';
import { startRetention } from '../jobs/retention.ts';
import { startWorker } from '../jobs/worker/worker.ts';
import type { Core } from './core.ts';

/** Starts running jobs, starting scheduled syncs and deleting what has outlived its retention. */
export async function startWorkerRole(core: Core): Promise<void> {
  const {
    config,
    log,
    parts,
    clients,
    boss,
    queue,
    schedules,
    itemUploads,
    itemRemovals,
    notifications,
    pool,
    metrics,
    diskSpace,
  } = core;
  const { prisma } = clients;

  parts.add(await startRetention(boss, prisma, config.jobs.retention, log), (stop) => stop());
  parts.add(
    watchSetBack(boss, [...PARTITION_QUEUES, ...ITEM_UPLOAD_QUEUES, ...ITEM_REMOVAL_QUEUES], (error) =>
      log.error({ err: error }, 'the queue could not be brought back to the clock'),
    ),
    (stop) => stop(),
  );
  await schedules.work({ log, metrics });
  parts.add(schedules, (working) => working.stop());
  await itemUploads.work(pool, log);
  parts.add(itemUploads, (working) => working.stop());
  await itemRemovals.work(pool, log);
  parts.add(itemRemovals, (working) => working.stop());
  parts.add(
    await startWorker({
      prisma,
      queue,
      pool,
      itemRemovals,
      notifications,
      dataTypes: config.registry.dataTypes,
      progressIntervalMs: config.jobs.progressIntervalMs,
      diskSpace,
      metrics,
      log,
    }),
    (started) => started.stop(),
  );
}
