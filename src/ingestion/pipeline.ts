import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { BladeItem } from '../data-types/blade-item.ts';
import type { ItemError, SaveBatch, UploadBatch } from '../database/item-store.ts';
import { countItemsByLevel } from '../database/level-counts.ts';
import type { JsonValue } from '../json.ts';
import type { Row, RowBatch } from '../warehouse/warehouse.ts';
import { approximateRowJson } from './canonical-json.ts';
import type { StageMeter } from './stage-meter.ts';
import { maximumDataBytes, storableRowJson, type Transform } from './transform.ts';
import { type Uploader, uploadBatch } from './upload.ts';

export interface Pipeline extends Uploader {
  readonly batches: AsyncIterable<RowBatch>;
  readonly transform: Transform;
  readonly meter: Pick<StageMeter, 'transform'>;
  readonly dataSourceId: string | null;
  /** Errors that the partition may have before it is given up; null for no limit. */
  readonly maxErrors: number | null;
  /** Errors of earlier attempts. */
  readonly errorCount: number;
  /** Told after each batch that was saved or uploaded. */
  readonly onProgress: () => void;
}

/** The partition had more item errors than its job allows. */
export class TooManyErrorsError extends Error {
  override readonly name = 'TooManyErrorsError';
}

/**
 * Takes batches through transform, save, upload and mark. Each stage works on its own batch while the others work on
 * theirs, with one batch waiting between two stages, so memory is that of a handful of batches.
 * @returns whether some of its items are owed again, because another job has changed them meanwhile.
 */
export async function runPipeline(pipeline: Pipeline): Promise<boolean> {
  const countErrors = createErrorLimit(pipeline);
  const transformed = stage(transformBatches(pipeline));
  const saved = stage(saveBatches(pipeline, transformed, countErrors));
  return uploadBatches(pipeline, saved, countErrors);
}

function createErrorLimit({ maxErrors, errorCount }: Pipeline) {
  let count = errorCount;
  return (errors: number) => {
    count += errors;
    if (maxErrors !== null && count > maxErrors) {
      throw new TooManyErrorsError(`more than ${maxErrors} of its items failed`);
    }
  };
}

/** Runs a generator ahead of its consumer by one batch. Leaving the loop over it ends the generator, too. */
function stage<Batch>(batches: AsyncGenerator<Batch>): AsyncIterable<Batch> {
  return Readable.from(batches, { objectMode: true, highWaterMark: 1 });
}

/**
 * Lets what has been handed to sockets leave the process. While the thread works on a batch nothing does, and the database
 * would wait for the rest of a statement for as long as that takes.
 */
async function sent(): Promise<void> {
  await setImmediate();
}

interface TransformedBatch {
  readonly items: readonly BladeItem[];
  readonly superseded: readonly BladeItem[];
  readonly errors: readonly ItemError[];
  readonly position: JsonValue;
}

async function* transformBatches({ batches, transform, meter }: Pipeline): AsyncGenerator<TransformedBatch> {
  for await (const { rows, position } of batches) {
    yield { ...meter.transform(() => transformRows(rows, transform)), position };
    await sent();
  }
}

function transformRows(rows: readonly Row[], transform: Transform) {
  const items = new Map<string, BladeItem>();
  const superseded: BladeItem[] = [];
  const errors: ItemError[] = [];
  for (const row of rows) {
    const result = transform(row);
    if (result.ok) {
      const earlier = items.get(result.item.itemId);
      if (earlier !== undefined) superseded.push(earlier);
      items.set(result.item.itemId, result.item);
    } else {
      errors.push({
        stage: 'TRANSFORM',
        itemId: result.itemId,
        message: result.message,
        marking: result.marking,
        row: rowOfError(row),
      });
    }
  }
  return { items: [...items.values()], superseded, errors };
}

/** The row of an error as jsonb can hold it; what it cannot hold shows as U+FFFD, and a huge row is left out. */
function rowOfError(row: Row): string | null {
  const storable = storableRowJson(row);
  if (storable !== null) return storable;
  const json = approximateRowJson(row);
  return json.length > maximumDataBytes ? null : json;
}

async function* saveBatches(
  pipeline: Pipeline,
  batches: AsyncIterable<TransformedBatch>,
  countErrors: (errors: number) => void,
): AsyncGenerator<UploadBatch> {
  const { store, dataType, dataSourceId, onProgress } = pipeline;
  for await (const batch of batches) {
    const save: SaveBatch = { dataType, dataSourceId, ...batch };
    const pending = await store.saveBatch(save);
    onProgress();
    if (pending !== null) yield pending;
    countErrors(batch.errors.length);
  }
}

async function uploadBatches(
  pipeline: Pipeline,
  batches: AsyncIterable<UploadBatch>,
  countErrors: (errors: number) => void,
): Promise<boolean> {
  let owes = false;
  for await (const batch of batches) {
    await sent();
    let rejections = 0;
    const owesAgain = await uploadBatch(pipeline, batch, ({ accepted, rejected }) => {
      rejections = rejected.length;
      return { success: countItemsByLevel(accepted), keepsRejections: true };
    });
    owes ||= owesAgain;
    pipeline.onProgress();
    countErrors(rejections);
  }
  return owes;
}
