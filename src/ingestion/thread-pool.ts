import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { CatalogConfiguration } from '../catalog/registry.ts';
import type { WarehouseConfiguration } from '../warehouse/registry.ts';
import type { TableColumn, TableName } from '../warehouse/warehouse.ts';
import type { PartitionOutcome, PartitionProgress, PartitionTask, PlanOutcome } from './partition-task.ts';

/** What each thread opens for itself: plain data, as it is copied into the threads. */
export interface ThreadConfiguration {
  readonly connectionString: string;
  readonly warehouse: WarehouseConfiguration;
  readonly catalog: CatalogConfiguration;
}

export interface PartitionRun {
  /** Told as the partition goes on, at the rate of its batches. */
  readonly onProgress: (progress: PartitionProgress) => void;
  /** Stops the partition at its next safe point, and the statement it runs in the warehouse at once. */
  readonly signal: AbortSignal;
}

export type TableDescription =
  | { readonly ok: true; readonly columns: readonly TableColumn[]; readonly rowCount: number }
  | { readonly ok: false; readonly message: string };

/** The worker threads that run partitions, one partition a thread. */
export interface ThreadPool {
  readonly threads: number;
  /**
   * Decides what a partition reads.
   * @throws when the thread died or met a fault that is not the partition's own: it can be planned again.
   */
  planPartition(task: PartitionTask, run: PartitionRun): Promise<PlanOutcome>;
  /**
   * Runs a partition that has been planned.
   * @throws when the thread died or met a fault that is not the partition's own: it can be run again.
   */
  runPartition(task: PartitionTask, run: PartitionRun): Promise<PartitionOutcome>;
  /** Describes a table and counts its rows, or tells in the warehouse's words why that cannot be. */
  describeTable(table: TableName): Promise<TableDescription>;
  close(): Promise<void>;
}

/** @param threads partitions that can run at once. */
export function createThreadPool(configuration: ThreadConfiguration, threads: number): ThreadPool {
  const pool = new Piscina({
    filename: new URL('./partition-thread.ts', import.meta.url).href,
    workerData: configuration,
    minThreads: threads,
    // One more than partitions: a table can be described while all of them run.
    maxThreads: threads + 1,
    concurrentTasksPerWorker: 1,
    // A thread that blocks on an atomic cannot see that its database connections have gone.
    atomics: 'disabled',
  });

  // Threads load their code and open the warehouse now, so that the first job does not wait for it; one that fails here
  // tells why when it is given work.
  for (let thread = 0; thread < threads; thread++) pool.run(null, { name: 'open' }).catch(() => {});

  async function call<Result>(
    name: string,
    task: PartitionTask,
    { onProgress, signal }: PartitionRun,
  ): Promise<Result> {
    const { port1, port2 } = new MessageChannel();
    const stop = () => port1.postMessage('stop');
    port1.on('message', onProgress);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      return await pool.run({ task, port: port2 }, { name, transferList: [port2] });
    } finally {
      signal.removeEventListener('abort', stop);
      port1.close();
    }
  }

  return {
    threads,
    runPartition: (task, run) => call('partition', task, run),
    planPartition: (task, run) => call('plan', task, run),
    describeTable: (table) => pool.run(table, { name: 'describeTable' }),
    close: () => pool.destroy(),
  };
}
