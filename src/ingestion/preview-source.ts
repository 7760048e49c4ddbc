import { UnknownDataTypeError } from '../data-types/data-types.ts';
import { HIGHEST_MARKING } from '../data-types/marking.ts';
import { addCounts, countByLevel, type LevelCounts, NO_COUNTS } from '../items/level-counts.ts';
import { compareWithStored, type PreviewedItems, readBroughtItems } from '../items/previewed-items.ts';
import { createSeenIds, hashIds } from '../items/seen-ids.ts';
import type { JsonObject } from '../shared/json.ts';
import type { RowBatch, TableName } from '../warehouse/warehouse.ts';
import type { PartitionResources } from './attempt.ts';
import { planPartition } from './partition-plan.ts';
import { findLatest } from './plan-task.ts';
import { createTransform, type Transform } from './transform.ts';

/** A source whose next FULL sync is previewed. */
export interface PreviewedSource {
  readonly dataSourceId: string;
  readonly table: TableName;
  readonly dataType: string;
  readonly cursorColumn: string | null;
  /** Where its rows come from, as its syncs write it into items and their hashes. */
  readonly sourceMetadata: JsonObject;
  readonly hashedMetadata: JsonObject;
}

/** What a FULL sync would do, by marking. */
export interface PreviewCounts extends PreviewedItems {
  readonly failed: LevelCounts;
  /** The items without a row, whatever the policy of the source. */
  readonly gone: LevelCounts;
  /** The items that a sync has brought. */
  readonly brought: LevelCounts;
  /** Why the rows do not prove which items are gone; null if they do. */
  readonly unprovenBecause: string | null;
}

/**
 * Reads the whole table of a source and compares it with the stored items. Writes nothing.
 * @throws WarehouseError if it cannot be read.
 */
export async function previewSource(
  resources: PartitionResources,
  source: PreviewedSource,
  signal: AbortSignal,
): Promise<PreviewCounts> {
  const { pool, warehouse, dataTypes } = resources;
  const dataType = dataTypes.find(source.dataType);
  if (dataType === undefined) throw new UnknownDataTypeError(source.dataType);
  const [partition] = await planPartition(
    { ...resources, latestWatermark: findLatest(resources), signal },
    {
      ...{ kind: 'TABLE', syncType: 'FULL', filter: null, maxItems: null, watermark: null, lookback: 0 },
      ...{ watermarkVersion: null, copy: null, deletesGone: true, choice: null, schema: null },
      ...{ table: source.table, dataType: source.dataType, cursorColumn: source.cursorColumn },
      partitionRows: Number.MAX_SAFE_INTEGER,
    },
  );
  if (partition?.plan.kind !== 'STATEMENT') throw new Error('a table is read with a statement');
  const { statement, version, cursor } = partition.plan;
  const { sourceMetadata, hashedMetadata } = source;
  const transform = createTransform({
    ...{ dataType, sourceMetadata, hashedMetadata },
    ...(cursor && { cursor }),
  });
  const options = { batchSize: BATCH_SIZE, resumeAfter: null, signal, version };
  const { batches } = await warehouse.readRows(statement, options);
  const seen = createSeenIds();
  const failedIds = new Set<string>();
  let counts: Omit<PreviewCounts, 'gone' | 'brought' | 'unprovenBecause'> = {
    ...{ inserted: NO_COUNTS, updated: NO_COUNTS, unchanged: NO_COUNTS, failed: NO_COUNTS },
  };
  let rows = 0;
  let hasUnknown = false;
  for await (const batch of batches) {
    signal.throwIfAborted();
    rows += batch.size;
    const { items, failures, isUnknown } = transformBatch(batch, transform);
    hasUnknown ||= isUnknown;
    for (const { itemId } of failures) if (itemId !== null) failedIds.add(itemId);
    const hashes = hashIds(items.map(({ itemId }) => itemId));
    const repeated = new Set(seen.findRepeated(hashes));
    seen.add(hashes);
    const compared = await compareWithStored(
      pool,
      source.dataType,
      items.filter((_item, index) => !repeated.has(index)),
    );
    counts = {
      inserted: addCounts(counts.inserted, compared.inserted),
      updated: addCounts(counts.updated, compared.updated),
      unchanged: addCounts(counts.unchanged, compared.unchanged),
      failed: addCounts(counts.failed, countByLevel(failures.map(({ marking }) => marking))),
    };
  }
  const isThere = (id: string) => failedIds.has(id) || seen.findRepeated(hashIds([id])).length > 0;
  const gone = [...NO_COUNTS];
  const brought = [...NO_COUNTS];
  for await (const page of readBroughtItems(pool, source.dataSourceId)) {
    signal.throwIfAborted();
    for (const { dataType: name, itemId, level, isShared } of page) {
      brought[level] = (brought[level] ?? 0) + 1;
      if (!isShared && !(name === source.dataType && isThere(itemId))) gone[level] = (gone[level] ?? 0) + 1;
    }
  }
  return { ...counts, gone, brought, unprovenBecause: describeUnproven(rows, hasUnknown) };
}

const BATCH_SIZE = 1_000;

function describeUnproven(rows: number, hasUnknown: boolean): string | null {
  if (rows === 0) return 'the table is empty';
  return hasUnknown ? 'a row would fail without an id, so it could be that of any item' : null;
}

function transformBatch(batch: RowBatch, transform: Transform) {
  const textColumns = new Set(batch.textColumns ?? []);
  const results = batch.rows.map((row) => transform(row, { textColumns }));
  const made = results.flatMap((result) => (result.ok ? [result.item] : []));
  const items = [...new Map(made.map((item) => [item.itemId, item])).values()];
  // Lines that are no rows could have any marking.
  const unreadable = (batch.unreadable ?? []).map(() => ({ itemId: null, marking: HIGHEST_MARKING }));
  const failures = [...results.flatMap((result) => (result.ok ? [] : [result])), ...unreadable];
  return { items, failures, isUnknown: failures.some(({ itemId }) => itemId === null) };
}
