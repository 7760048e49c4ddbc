import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { RowItem } from '../data-types/blade-item.ts';
import { HIGHEST_MARKING, type Marking, pickHigherMarking } from '../data-types/marking.ts';
import { countChanges } from '../items/change-counts.ts';
import type { ItemError, SaveBatch, UploadBatch } from '../items/item-batches.ts';
import { countItemsByLevel } from '../items/level-counts.ts';
import type { MarkingRule } from '../items/marking-rule.ts';
import type { JsonValue } from '../shared/json.ts';
import type { Row, RowBatch } from '../warehouse/warehouse.ts';
import { toApproximateRowJson } from './canonical-json.ts';
import type { StageMeter } from './stage-meter.ts';
import { MAX_DATA_BYTES, type Transform, toStorableRowJson } from './transform.ts';
import { type Uploader, uploadBatch } from './upload.ts';

export interface Pipeline extends Uploader {
  readonly batches: AsyncIterable<RowBatch>;
  readonly transform: Transform;
  /** Fingerprints a batch, to identify it across syncs. Returns null if it must not be remembered. */
  readonly toFingerprint: (batch: RowBatch) => string | null;
  /** Fingerprints of batches that may be unchanged. */
  readonly knownFingerprints: ReadonlySet<string>;
  readonly meter: Pick<StageMeter, 'transform'>;
  readonly dataSourceId: string | null;
  readonly markingRule: MarkingRule;
  /** The default marking of the data type. */
  readonly defaultMarking: Marking;
  /** The source metadata of the rows, as JSON text. */
  readonly metadata: string;
  /** The partition fails when it has more errors than this; null for no limit. */
  readonly maxErrors: number | null;
  /** Errors of earlier attempts. */
  readonly errorCount: number;
  /** Called after each batch that was saved or uploaded. */
  readonly onProgress: () => void;
}

/** The partition has more item errors than its job allows. */
export class TooManyErrorsError extends Error {
  override readonly name = 'TooManyErrorsError';
}

/**
 * Runs batches through transform, save, upload and mark. A known batch whose items are all unchanged is only counted. The
 * stages overlap, each on its own batch, with one batch waiting between two stages, so memory holds only a few batches.
 * @returns whether some items must be uploaded again, because another job has changed them in the meantime.
 */
export async function runPipeline(pipeline: Pipeline): Promise<boolean> {
  const countErrors = createErrorLimit(pipeline);
  const transformed = runAhead(transformBatches(pipeline));
  const saved = runAhead(saveBatches(pipeline, transformed, countErrors));
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

/** Runs a generator one batch ahead of its consumer. Leaving the loop over it also ends the generator. */
function runAhead<Batch>(batches: AsyncGenerator<Batch>): AsyncIterable<Batch> {
  return Readable.from(batches, { objectMode: true, highWaterMark: 1 });
}

/**
 * Lets sockets send what they have been given. Nothing is sent while the thread works on a batch, so the database would
 * wait that long for the rest of a statement.
 */
async function flushSockets(): Promise<void> {
  await setImmediate();
}

type ReadRows = KnownBatch | TransformedBatch;

/** A batch with a known fingerprint, whose rows have not been transformed. */
interface KnownBatch {
  readonly kind: 'KNOWN';
  readonly batch: RowBatch;
  readonly fingerprint: string;
  /** Loaded ahead, while the batch before is confirmed. */
  readonly idHashes: Promise<Buffer | null>;
}

/** A transformed batch, without the rows, which would stay in memory until it is saved. */
interface TransformedBatch {
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
  const { batches, toFingerprint, knownFingerprints, dataSourceId, store } = pipeline;
  for await (const batch of batches) {
    const fingerprint = toFingerprint(batch);
    if (fingerprint !== null && dataSourceId !== null && knownFingerprints.has(fingerprint)) {
      const idHashes = store.loadIdHashes({ dataSourceId, fingerprint });
      // Whoever awaits it gets the error; if an earlier one ends the attempt, nobody does.
      idHashes.catch(() => {});
      yield { kind: 'KNOWN', batch, fingerprint, idHashes };
    } else {
      yield transformBatch(batch, () => batch.rows, fingerprint, pipeline);
    }
    await flushSockets();
  }
}

function transformBatch(
  batch: RowBatch,
  readRows: () => readonly Row[],
  fingerprint: string | null,
  { transform, meter, markingRule }: Pipeline,
): TransformedBatch {
  const made = meter.transform(() => transformRows(readRows(), batch, transform, markingRule));
  const rows = { ...made, errors: [...made.errors, ...toReadErrors(batch)] };
  return { kind: 'TRANSFORMED', position: batch.position, fingerprint, rows };
}

/** Creates errors for unreadable lines. Their items are unknown, and so are their markings. */
function toReadErrors({ unreadable = [] }: RowBatch): ItemError[] {
  return unreadable.map((message) => ({
    ...{ stage: 'READ', itemId: null, message, marking: HIGHEST_MARKING, row: null },
  }));
}

function transformRows(
  rows: readonly Row[],
  { textColumns: texts = [], storedIds }: Pick<RowBatch, 'textColumns' | 'storedIds'>,
  transform: Transform,
  rule: MarkingRule,
): TransformedRows {
  const items = new Map<string, RowItem>();
  const superseded: RowItem[] = [];
  const errors: ItemError[] = [];
  const textColumns = new Set(texts);
  for (const [index, row] of rows.entries()) {
    const result = transform(row, { textColumns, storedId: storedIds?.[index] });
    if (result.ok) {
      const earlier = items.get(result.item.itemId);
      if (earlier === undefined) items.set(result.item.itemId, result.item);
      else {
        superseded.push(earlier);
        items.set(result.item.itemId, replaceItem(earlier, result.item, rule));
      }
    } else {
      errors.push({
        stage: 'TRANSFORM',
        itemId: result.itemId,
        message: result.message,
        marking: result.marking,
        row: toErrorRow(row),
      });
    }
  }
  return { items: [...items.values()], superseded, errors };
}

/** Returns the later of two rows of an item, with the marking it would have if both were saved in turn. */
function replaceItem(earlier: RowItem, later: RowItem, { kind }: MarkingRule): RowItem {
  if (kind === 'SOURCE' && later.statesMarking) return later;
  return {
    ...later,
    classificationMarking: pickHigherMarking(later.classificationMarking, earlier.classificationMarking),
    statesMarking: later.statesMarking || earlier.statesMarking,
  };
}

/** Converts the row of an error to JSON that jsonb can hold, with U+FFFD for whatever it cannot; null for a huge row. */
function toErrorRow(row: Row): string | null {
  const storable = toStorableRowJson(row);
  if (storable !== null) return storable;
  const json = toApproximateRowJson(row);
  return json.length > MAX_DATA_BYTES ? null : json;
}

async function* saveBatches(
  pipeline: Pipeline,
  batches: AsyncIterable<ReadRows>,
  countErrors: (errors: number) => void,
): AsyncGenerator<UploadBatch> {
  const { dataType, defaultMarking, dataSourceId, markingRule, metadata, store, onProgress } = pipeline;
  for await (const read of batches) {
    if (read.kind === 'KNOWN' && (await confirm(pipeline, read))) {
      read.batch.kept?.release();
      onProgress();
      continue;
    }
    const { position, fingerprint, rows } =
      read.kind === 'KNOWN' ? await transformKnown(read, pipeline) : read;
    const from = { dataType, defaultMarking, dataSourceId, markingRule, metadata };
    const save: SaveBatch = { ...from, fingerprint, position, ...rows };
    const pending = await store.saveBatch(save);
    onProgress();
    if (pending !== null) yield pending;
    countErrors(rows.errors.length);
  }
}

/** Transforms a batch whose items have changed since. */
async function transformKnown(
  { batch, fingerprint }: KnownBatch,
  pipeline: Pipeline,
): Promise<TransformedBatch> {
  const rows = batch.kept === undefined ? batch.rows : await batch.kept.load();
  return transformBatch(batch, () => rows, fingerprint, pipeline);
}

/** Runs after all earlier batches are saved, because they may have changed an item of this one. */
async function confirm(
  { store, dataSourceId }: Pipeline,
  { batch, fingerprint, idHashes }: KnownBatch,
): Promise<boolean> {
  return dataSourceId !== null && store.confirm({ dataSourceId, fingerprint }, batch, idHashes);
}

async function uploadBatches(
  pipeline: Pipeline,
  batches: AsyncIterable<UploadBatch>,
  countErrors: (errors: number) => void,
): Promise<boolean> {
  let hasPending = false;
  for await (const batch of batches) {
    await flushSockets();
    let rejections = 0;
    const isPending = await uploadBatch(pipeline, batch, ({ accepted, rejected }) => {
      rejections = rejected.length;
      const { repeatedIds, changed } = batch;
      const successes = accepted.filter(({ itemId }) => !repeatedIds.has(itemId));
      return {
        success: countItemsByLevel(successes),
        changes: countChanges(successes, changed),
        failedDuplicates: countItemsByLevel(
          rejected.flatMap(({ item }) => (repeatedIds.has(item.itemId) ? item : [])),
        ),
        countsRejections: true,
      };
    });
    hasPending ||= isPending;
    pipeline.onProgress();
    countErrors(rejections);
  }
  return hasPending;
}
