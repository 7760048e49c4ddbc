import type { BladeItem, RowItem } from '../data-types/blade-item.ts';
import type { Marking } from '../data-types/marking.ts';
import type { ErrorStage, ItemChange } from '../database/generated/prisma/enums.ts';
import type { JsonValue } from '../shared/json.ts';
import type { ChangeCounts, ChangedIds } from './change-counts.ts';
import type { LevelCounts } from './level-counts.ts';
import type { MarkingRule } from './marking-rule.ts';
import type { ReadBatch } from './read-batches.ts';

/** An error of one row or item. */
export interface ItemError {
  readonly stage: ErrorStage;
  readonly itemId: string | null;
  readonly message: string;
  /** The marking of the row; the highest if it is unknown. */
  readonly marking: Marking;
  /** The row as JSON text; null if the item is stored. */
  readonly row: string | null;
}

export interface SaveBatch {
  readonly dataType: string;
  /** The default marking of the data type. */
  readonly defaultMarking: Marking;
  readonly dataSourceId: string | null;
  readonly markingRule: MarkingRule;
  /** The source metadata of the items, as JSON text. */
  readonly metadata: string;
  /** At most one per item id. */
  readonly items: readonly RowItem[];
  /** Items replaced by a later row of the same batch. */
  readonly superseded: readonly RowItem[];
  /** Rows of the batch that did not become items. */
  readonly errors: readonly ItemError[];
  /** The position of the read after this batch. */
  readonly position: JsonValue;
  /** Identifies the batch across syncs. Null if it must not be remembered. */
  readonly fingerprint: string | null;
}

/** Saved items that are uploaded together. */
export interface UploadBatch {
  readonly id: string;
  readonly items: readonly BladeItem[];
  /** The items that an earlier row of the read had made, too. They are counted as duplicates already. */
  readonly repeatedIds: ReadonlySet<string>;
  readonly changed: ChangedIds;
  /** The batch of rows to remember once the items are uploaded; null for none. */
  readonly readBatch: ReadBatch | null;
}

/** A batch that is saved and not uploaded. */
export interface PendingBatch extends Pick<UploadBatch, 'id' | 'repeatedIds'> {
  /** The changes of all its items when it was saved, without the repeated ones. */
  readonly changes: ChangeCounts;
}

/** An item of a pending batch. */
export interface PendingItem extends BladeItem {
  /** What the job of the lease has changed; null if it stored the item as it was, and if another job wrote it. */
  readonly change: ItemChange | null;
}

export interface UploadedBatch {
  readonly id: string;
  readonly receipt: UploadReceipt;
  readonly readBatch: ReadBatch | null;
  readonly dataType: string;
  readonly accepted: readonly BladeItem[];
  readonly rejected: readonly { readonly item: BladeItem; readonly message: string }[];
  /** Whether rejections count as errors of the partition. */
  readonly countsRejections: boolean;
  /** Whether the catalog had lost the items. Rejected ones then stay lost, so that the next sync tries again. */
  readonly isRestored: boolean;
  /** Whether successes are items that a repair has restored. */
  readonly countsRestored: boolean;
  /** What the batch adds to the success count of the partition. */
  readonly success: LevelCounts;
  /** What of it is new or has changed. */
  readonly changes: ChangeCounts;
  /** Rows that were counted as duplicates, and whose items the catalog rejected: they are errors now. */
  readonly failedDuplicates: LevelCounts;
}

/** Where an upload is in the catalog. */
export interface UploadReceipt {
  /** The generation of the catalog before the upload, as it is stored; see `toStoredGeneration`. */
  readonly generation: string;
  /** The key of the upload; null if nothing was sent. */
  readonly key: string | null;
}
