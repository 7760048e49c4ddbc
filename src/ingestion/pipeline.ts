import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { RowItem } from '../data-types/blade-item.ts';
import { HIGHEST_MARKING, pickHigherMarking } from '../data-types/marking.ts';
import type { ItemError, SaveBatch, UploadBatch } from '../items/item-store.ts';
import { countItemsByLevel } from '../items/level-counts.ts';
import type { MarkingRule } from '../items/marking-rule.ts';
import type { JsonValue } from '../shared/json.ts';
import type { Row, RowBatch } from '../warehouse/warehouse.ts';
import { approximateRowJson } from './canonical-json.ts';
import type { StageMeter } from './stage-meter.ts';
import { maximumDataBytes, storableRowJson, type Transform } from './transform.ts';
import { type Uploader, uploadBatch } from './upload.ts';

export interface Pipeline extends Uploader {
  readonly batches: AsyncIterable<RowBatch>;
  readonly transform: Transform;
  /** By which a batch is known again when its rows come again; null for one that is not to be. */
  readonly fingerprintOf: (batch: RowBatch) => string | null;
  /** The fingerprints of batches that need perhaps not be looked at again. */
  readonly known: ReadonlySet<string>;
  readonly meter: Pick<StageMeter, 'transform'>;
  readonly dataSourceId: string | null;
  readonly markingRule: MarkingRule;
  /** Where the rows are from, as JSON text. */
  readonly metadata: string;
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
 * Takes batches through transform, save, upload and mark; one whose rows are known, and all stored as they are, is only
 * counted. Each stage works on its own batch while the others work on theirs, with one batch waiting between two stages, so
 * memory is that of a handful of batches.
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

type ReadRows = Known | Transformed;

/** Its rows have not even been made. */
interface Known {
  readonly kind: 'KNOWN';
  readonly batch: RowBatch;
  readonly fingerprint: string;
}

/** Without its rows, which would be kept until it is saved. */
interface Transformed {
  readonly kind: 'TRANSFORMED';
  readonly position: JsonValue;
  readonly fingerprint: string | null;
  readonly rows: TransformedRows;
}

interface TransformedRows {
  readonly items: readonly RowItem[];
  readonly superseded: readonly RowItem[];
  readonly errors: readonly ItemError[];
}

async function* transformBatches(pipeline: Pipeline): AsyncGenerator<ReadRows> {
  const { batches, fingerprintOf, known } = pipeline;
  for await (const batch of batches) {
    const fingerprint = fingerprintOf(batch);
    if (fingerprint !== null && known.has(fingerprint)) {
      yield { kind: 'KNOWN', batch, fingerprint };
    } else {
      yield transformBatch(batch, fingerprint, pipeline);
    }
    await sent();
  }
}

function transformBatch(
  batch: RowBatch,
  fingerprint: string | null,
  { transform, meter, markingRule }: Pipeline,
): Transformed {
  const made = meter.transform(() => transformRows(batch.rows, transform, markingRule));
  const rows = { ...made, errors: [...made.errors, ...unreadableLines(batch)] };
  return { kind: 'TRANSFORMED', position: batch.position, fingerprint, rows };
}

/** Nobody can tell whose lines they are, and so how they are marked. */
function unreadableLines({ unreadable = [] }: RowBatch): ItemError[] {
  return unreadable.map((message) => ({
    ...{ stage: 'READ', itemId: null, message, marking: HIGHEST_MARKING, row: null },
  }));
}

function transformRows(rows: readonly Row[], transform: Transform, rule: MarkingRule): TransformedRows {
  const items = new Map<string, RowItem>();
  const superseded: RowItem[] = [];
  const errors: ItemError[] = [];
  for (const row of rows) {
    const result = transform(row);
    if (result.ok) {
      const earlier = items.get(result.item.itemId);
      if (earlier === undefined) items.set(result.item.itemId, result.item);
      else {
        superseded.push(earlier);
        items.set(result.item.itemId, replacing(earlier, result.item, rule));
      }
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

/** The later of two rows of an item with the marking that it would have if they were saved one after the other. */
function replacing(earlier: RowItem, later: RowItem, { kind }: MarkingRule): RowItem {
  if (kind === 'SOURCE' && later.statesMarking) return later;
  return {
    ...later,
    classificationMarking: pickHigherMarking(later.classificationMarking, earlier.classificationMarking),
    statesMarking: later.statesMarking || earlier.statesMarking,
  };
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
  batches: AsyncIterable<ReadRows>,
  countErrors: (errors: number) => void,
): AsyncGenerator<UploadBatch> {
  const { dataType, dataSourceId, markingRule, metadata, store, onProgress } = pipeline;
  for await (const read of batches) {
    if (read.kind === 'KNOWN' && (await confirm(pipeline, read))) {
      onProgress();
      continue;
    }
    const { position, fingerprint, rows } =
      read.kind === 'KNOWN' ? transformBatch(read.batch, read.fingerprint, pipeline) : read;
    const from = { dataType, dataSourceId, markingRule, metadata };
    const save: SaveBatch = { ...from, fingerprint, position, ...rows };
    const pending = await store.saveBatch(save);
    onProgress();
    if (pending !== null) yield pending;
    countErrors(rows.errors.length);
  }
}

/** Asked behind the saving of all batches before, as these may have changed an item of this one. */
async function confirm({ store, dataSourceId }: Pipeline, { batch, fingerprint }: Known): Promise<boolean> {
  return dataSourceId !== null && store.confirm({ dataSourceId, fingerprint }, batch);
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
      return { success: countItemsByLevel(accepted), countsRejections: true };
    });
    owes ||= owesAgain;
    pipeline.onProgress();
    countErrors(rejections);
  }
  return owes;
}
