import type { Catalog } from '../catalog/catalog.ts';
import type { ErrorStage } from '../database/generated/prisma/enums.ts';
import type { ItemStore } from '../items/item-store.ts';
import type { RowBatch } from '../warehouse/warehouse.ts';

/** The stages of a batch: waiting for the warehouse, transforming, and waiting for the database, the catalog and the database. */
export const STAGES = ['read', 'transform', 'save', 'upload', 'mark'] as const;

export type Stage = (typeof STAGES)[number];

/** How long one batch was in one stage. */
export interface StageTiming {
  readonly stage: Stage;
  /** Epoch time in milliseconds. */
  readonly endedAt: number;
  readonly seconds: number;
}

/** What was done since the last report: plain data, because it is sent between threads. */
export interface Measurements {
  readonly timings: readonly StageTiming[];
  readonly rows: Readonly<Record<'read' | 'saved' | 'unchanged' | 'uploaded', number>>;
  readonly failedRows: Readonly<Record<ErrorStage, number>>;
  /** Bytes of the data of items, in UTF-8. */
  readonly bytes: Readonly<Record<'saved' | 'uploaded', number>>;
}

/** Measures the batches of one attempt. */
export interface StageMeter {
  /** Measures the wait for each batch, and counts its rows. */
  batches(batches: AsyncIterable<RowBatch>): AsyncIterable<RowBatch>;
  transform<Result>(work: () => Result): Result;
  store(store: ItemStore): ItemStore;
  catalog(catalog: Catalog): Catalog;
  /** Counts items of the current batch that the database refused. */
  countRefused(items: number): void;
  /** Returns what was measured since the last call; null for nothing. */
  take(): Measurements | null;
}

export function createStageMeter(): StageMeter {
  let current = createMeasurements();
  let isEmpty = true;
  let refusedInBatch = 0;

  /** Returns the current measurements to add to; a new object after each `take`. */
  function openMeasurements(): MutableMeasurements {
    isEmpty = false;
    return current;
  }

  function end(stage: Stage, startedAt: number): void {
    const seconds = (performance.now() - startedAt) / 1_000;
    openMeasurements().timings.push({ stage, endedAt: Date.now(), seconds });
  }

  /** Also times failed work, because waits that end in a timeout matter most. */
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
          openMeasurements().rows.read += result.value.size;
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
        refusedInBatch = 0;
        const pending = await time('save', () => store.saveBatch(batch));
        const saved = pending?.items ?? [];
        const { rows, failedRows, bytes } = openMeasurements();
        rows.saved += saved.length;
        rows.unchanged += batch.items.length - saved.length - refusedInBatch;
        for (const { stage } of batch.errors) failedRows[stage] += 1;
        failedRows.SAVE += refusedInBatch;
        bytes.saved += sumBytes(saved);
        return pending;
      },
      async confirm(batch, read, idHashes) {
        const confirmed = await time('save', () => store.confirm(batch, read, idHashes));
        if (confirmed) openMeasurements().rows.unchanged += read.size;
        return confirmed;
      },
      async markUploaded(batch) {
        const isPending = await time('mark', () => store.markUploaded(batch));
        const { rows, failedRows, bytes } = openMeasurements();
        rows.uploaded += batch.accepted.length;
        bytes.uploaded += sumBytes(batch.accepted);
        if (batch.countsRejections) failedRows.UPLOAD += batch.rejected.length;
        return isPending;
      },
    }),

    catalog: (catalog) => ({
      ...catalog,
      upload: (batch, signal) => time('upload', () => catalog.upload(batch, signal)),
    }),

    countRefused(items) {
      refusedInBatch += items;
    },

    take() {
      if (isEmpty) return null;
      const taken = current;
      current = createMeasurements();
      isEmpty = true;
      return taken;
    },
  };
}

type MutableMeasurements = ReturnType<typeof createMeasurements>;

function createMeasurements() {
  return {
    timings: [] as StageTiming[],
    rows: { read: 0, saved: 0, unchanged: 0, uploaded: 0 },
    failedRows: { READ: 0, TRANSFORM: 0, SAVE: 0, UPLOAD: 0 },
    bytes: { saved: 0, uploaded: 0 },
  };
}

function sumBytes(items: readonly { readonly data: string }[]): number {
  return items.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
}
