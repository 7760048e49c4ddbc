import type { Catalog } from '../catalog/catalog.ts';
import type { ErrorStage } from '../database/generated/prisma/enums.ts';
import type { ItemStore } from '../items/item-store.ts';
import type { RowBatch } from '../warehouse/warehouse.ts';

/** What a batch goes through: the wait for the warehouse, our own work, and the waits for database, catalog and database. */
export const stages = ['read', 'transform', 'save', 'upload', 'mark'] as const;

export type Stage = (typeof stages)[number];

/** How long one batch was in one stage. */
export interface StageTiming {
  readonly stage: Stage;
  /** Milliseconds of the clock. */
  readonly endedAt: number;
  readonly seconds: number;
}

/** What was done since it was last told: plain data, as it is sent from thread to thread. */
export interface Measurements {
  readonly timings: readonly StageTiming[];
  readonly rows: Readonly<Record<'read' | 'saved' | 'unchanged' | 'uploaded', number>>;
  readonly failedRows: Readonly<Record<ErrorStage, number>>;
  /** Of the items' data, in UTF-8. */
  readonly bytes: Readonly<Record<'saved' | 'uploaded', number>>;
}

/** Measures the batches of one attempt, at the cost of a few numbers a batch. */
export interface StageMeter {
  /** Measures how long the next batch is waited for, and counts its rows. */
  batches(batches: AsyncIterable<RowBatch>): AsyncIterable<RowBatch>;
  transform<Result>(work: () => Result): Result;
  store(store: ItemStore): ItemStore;
  catalog(catalog: Catalog): Catalog;
  /** Told by the store of items of the batch under way that the database refused. */
  refused(items: number): void;
  /** What was measured since the last time; null for nothing. */
  take(): Measurements | null;
}

export function createStageMeter(): StageMeter {
  let current = nothing();
  let isEmpty = true;
  let refusedOfBatch = 0;

  /** What is being measured now: it is another one after each `take`. */
  function measured(): MutableMeasurements {
    isEmpty = false;
    return current;
  }

  function end(stage: Stage, startedAt: number): void {
    const seconds = (performance.now() - startedAt) / 1_000;
    measured().timings.push({ stage, endedAt: Date.now(), seconds });
  }

  /** What fails is timed, too: a wait until the timeout is what somebody looks for. */
  async function time<Result>(stage: Stage, work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      end(stage, startedAt);
    }
  }

  return {
    async *batches(batches) {
      const source = batches[Symbol.asyncIterator]();
      try {
        for (;;) {
          const startedAt = performance.now();
          const result = await source.next();
          if (result.done) return;
          end('read', startedAt);
          measured().rows.read += result.value.size;
          yield result.value;
        }
      } finally {
        await source.return?.();
      }
    },

    transform(work) {
      const startedAt = performance.now();
      const result = work();
      end('transform', startedAt);
      return result;
    },

    store: (store) => ({
      ...store,
      async saveBatch(batch) {
        refusedOfBatch = 0;
        const pending = await time('save', () => store.saveBatch(batch));
        const saved = pending?.items ?? [];
        const { rows, failedRows, bytes } = measured();
        rows.saved += saved.length;
        rows.unchanged += batch.items.length - saved.length - refusedOfBatch;
        for (const { stage } of batch.errors) failedRows[stage] += 1;
        failedRows.SAVE += refusedOfBatch;
        bytes.saved += bytesOf(saved);
        return pending;
      },
      async confirm(batch, read) {
        const confirmed = await time('save', () => store.confirm(batch, read));
        if (confirmed) measured().rows.unchanged += read.size;
        return confirmed;
      },
      async markUploaded(batch) {
        const owes = await time('mark', () => store.markUploaded(batch));
        const { rows, failedRows, bytes } = measured();
        rows.uploaded += batch.accepted.length;
        bytes.uploaded += bytesOf(batch.accepted);
        if (batch.countsRejections) failedRows.UPLOAD += batch.rejected.length;
        return owes;
      },
    }),

    catalog: (catalog) => ({
      ...catalog,
      upload: (batch, signal) => time('upload', () => catalog.upload(batch, signal)),
    }),

    refused(items) {
      refusedOfBatch += items;
    },

    take() {
      if (isEmpty) return null;
      const taken = current;
      current = nothing();
      isEmpty = true;
      return taken;
    },
  };
}

type MutableMeasurements = ReturnType<typeof nothing>;

function nothing() {
  return {
    timings: [] as StageTiming[],
    rows: { read: 0, saved: 0, unchanged: 0, uploaded: 0 },
    failedRows: { READ: 0, TRANSFORM: 0, SAVE: 0, UPLOAD: 0 },
    bytes: { saved: 0, uploaded: 0 },
  };
}

function bytesOf(items: readonly { readonly data: string }[]): number {
  return items.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
}
