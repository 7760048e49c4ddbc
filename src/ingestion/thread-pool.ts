import { setTimeout } from 'node:timers/promises';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ItemKeys } from '../items/stored-items.ts';
import type { PluginReference } from '../plugins/plugin.ts';
import type { Choice } from '../shared/definition.ts';
import { resolveModuleUrl } from '../shared/module-url.ts';
import type { WarehouseConfiguration } from '../warehouse/settings.ts';
import type { TableColumn } from '../warehouse/warehouse.ts';
import type {
  PartitionInput,
  PartitionOutcome,
  PartitionProgress,
  PartitionTask,
  PlannedPartition,
  PlanOutcome,
} from './partition-task.ts';
import type { PreviewCounts, PreviewedSource } from './preview-source.ts';
import type { RemovalRun } from './remove-items.ts';
import type { ItemUploadOutcome } from './upload-items.ts';

/** What each thread opens: plain data, because it is copied into the threads. */
export interface ThreadConfiguration {
  readonly connectionString: string;
  /** Whether the database prepares statements that are repeated. */
  readonly preparesStatements: boolean;
  readonly warehouse: WarehouseConfiguration;
  readonly catalog: Choice;
  /** How far a watermark may be ahead of the clock, in milliseconds. */
  readonly watermarkAheadMs: number;
  /** How many threads share the catalog's limits. */
  readonly threads: number;
  /** The plug-ins that each thread loads. */
  readonly plugins: readonly PluginReference[];
  /** Values that no message may show. */
  readonly secrets: readonly string[];
}

/** A report of a thread about its partition. */
export type ThreadReport =
  | { readonly kind: 'progress'; readonly progress: PartitionProgress }
  /** The thread waits for the answer `planSaved`. */
  | { readonly kind: 'planned'; readonly partitions: readonly PlannedPartition[] };

/** A message to a working thread. */
export type ThreadOrder =
  | { readonly kind: 'stop' }
  | { readonly kind: 'planSaved'; readonly isSaved: boolean };

/** How a caller follows and stops the work of a thread. */
export interface PartitionWork {
  /** Called after each batch, and with the last measurements before the run resolves. */
  readonly onProgress: (progress: PartitionProgress) => void;
  /** Stops the partition at its next safe point, and its statement in the warehouse immediately. */
  readonly signal: AbortSignal;
}

export interface PartitionRun extends PartitionWork {
  /**
   * Saves the plan of a partition that had none, before anything of it is read.
   * @returns whether it is saved; otherwise the attempt has lost its lease.
   */
  readonly savePlan: (partitions: readonly PlannedPartition[]) => Promise<boolean>;
}

export interface SourceProblem {
  readonly message: string;
  /** Whether it says something about rows of any marking. */
  readonly isAboutRows: boolean;
}

/** A source whose table is described: what an INCREMENTAL sync of it would read. */
export type SourceToDescribe = Pick<
  Extract<PartitionInput, { kind: 'TABLE' }>,
  'table' | 'dataType' | 'cursorColumn' | 'watermark' | 'lookback'
>;

export type TableDescription =
  | {
      readonly ok: true;
      readonly columns: readonly TableColumn[];
      readonly rowCount: number;
      /** Problems that a sync would have. They quote no cells. */
      readonly problems: readonly SourceProblem[];
    }
  | { readonly ok: false; readonly message: string };

export type SourcePreview =
  | { readonly ok: true; readonly counts: PreviewCounts }
  | { readonly ok: false; readonly message: string };

/** The worker threads that run partitions, one partition per thread. */
export interface ThreadPool {
  readonly threads: number;
  /** How many threads are busy; up to one more than `threads` while a table is described. */
  readonly busyThreads: number;
  /**
   * Plans what a partition reads.
   * @throws if the thread died, or for an error that is not the partition's; it can be planned again.
   */
  planPartition(task: PartitionTask, work: PartitionWork): Promise<PlanOutcome>;
  /**
   * Runs a partition, which is planned first if it has no plan.
   * @throws what `savePlan` throws; or if the thread died or hit a fault outside the partition: it can be run again.
   */
  runPartition(task: PartitionTask, run: PartitionRun): Promise<PartitionOutcome>;
  /** Describes a table and counts its rows, or returns the warehouse's reason why that failed. */
  describeTable(source: SourceToDescribe): Promise<TableDescription>;
  /** Reads the table of a source and counts what a sync would do, or returns the warehouse's reason why that failed. */
  previewSource(source: PreviewedSource): Promise<SourcePreview>;
  /**
   * Uploads stored items, whether or not the catalog has them.
   * @param keys null for items whose marking was raised by a job that ended before it uploaded them.
   * @throws if the catalog or the database does not answer; it can be called again.
   */
  uploadPending(keys: ItemKeys | null): Promise<ItemUploadOutcome>;
  /**
   * Removes deleted items from the catalog, some of those that are due.
   * @throws if the database does not answer; it can be called again.
   */
  removeDue(): Promise<RemovalRun>;
  /**
   * Ends statements in the warehouse that killed processes left there, as far as it allows that.
   * @param handles name them.
   * @throws if the warehouse cannot be opened.
   */
  endLeftStatements(handles: readonly string[]): Promise<void>;
  /** Stops the work of the threads, and ends them. */
  close(): Promise<void>;
}

/** How long a thread stays without work, in milliseconds: longer than its engine, which it would leave defunct. */
const IDLE_TIMEOUT_MS = 60_000;

/** How long threads may take to stop their work before they are ended, in milliseconds. */
const CLOSE_TIMEOUT_MS = 10_000;

/** How long the threads may take to close their warehouses, in milliseconds. */
const WAREHOUSE_TIMEOUT_MS = 5_000;

/** @param threads partitions that can run at once. */
export function createThreadPool(configuration: ThreadConfiguration, threads: number): ThreadPool {
  const pool = new Piscina({
    filename: resolveModuleUrl('./partition-thread', import.meta.url).href,
    workerData: configuration,
    // Threads are started for the first work, and live on: each takes 45 MB.
    minThreads: 0,
    // One more than partitions: a table can be described while all of them run.
    maxThreads: threads + 1,
    idleTimeout: IDLE_TIMEOUT_MS,
    concurrentTasksPerWorker: 1,
    // A thread that blocks on an atomic cannot notice that its database connections are gone.
    atomics: 'disabled',
  });

  const calls = new Set<Promise<unknown>>();

  function run<Result>(input: unknown, options: Parameters<typeof pool.run>[1]): Promise<Result> {
    const result: Promise<Result> = pool.run(input, options);
    calls.add(result);
    const end = () => calls.delete(result);
    result.then(end, end);
    return result;
  }

  const closing = new AbortController();
  const unwatched: PartitionWork = { signal: closing.signal, onProgress: () => {} };

  async function call<Result>(
    name: string,
    input: unknown,
    options: PartitionWork & Partial<PartitionRun>,
  ): Promise<Result> {
    const signal = AbortSignal.any([options.signal, closing.signal]);
    const { port1, port2 } = new MessageChannel();
    const send = (order: ThreadOrder) => port1.postMessage(order);
    const stop = () => send({ kind: 'stop' });
    let saving: Promise<boolean> | undefined;
    const receive = (report: ThreadReport) => {
      switch (report.kind) {
        case 'progress':
          return options.onProgress(report.progress);
        case 'planned':
          saving = options.savePlan?.(report.partitions);
          saving?.then(
            (isSaved) => send({ kind: 'planSaved', isSaved }),
            () => send({ kind: 'planSaved', isSaved: false }),
          );
      }
    };
    port1.on('message', receive);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      const result: Result = await run({ input, port: port2 }, { name, transferList: [port2] });
      await saving;
      return result;
    } finally {
      signal.removeEventListener('abort', stop);
      // The result may have overtaken earlier reports.
      for (let left = receiveMessageOnPort(port1); left !== undefined; left = receiveMessageOnPort(port1)) {
        receive(left.message);
      }
      port1.close();
    }
  }

  return {
    threads,
    get busyThreads() {
      return calls.size - pool.queueSize;
    },
    runPartition: (task, run) => call('partition', task, run),
    planPartition: (task, run) => call('plan', task, run),
    describeTable: (source) => call('describeTable', source, unwatched),
    previewSource: (source) => call('previewSource', source, unwatched),
    removeDue: () => call('removeDue', null, unwatched),
    endLeftStatements: (handles) => call('endLeftStatements', handles, unwatched),
    uploadPending: (keys) => call('uploadPending', keys, unwatched),
    async close() {
      closing.abort();
      const timeout = setTimeout(CLOSE_TIMEOUT_MS, undefined, { ref: false });
      await Promise.race([Promise.allSettled(calls), timeout]);
      // Ending a thread that has a child process would leave that defunct.
      const closed = Promise.allSettled(pool.threads.map(() => run(null, { name: 'close' })));
      await Promise.race([closed, setTimeout(WAREHOUSE_TIMEOUT_MS, undefined, { ref: false })]);
      await pool.destroy();
    },
  };
}
