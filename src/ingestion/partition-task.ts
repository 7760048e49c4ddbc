import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { LevelCounts } from '../items/level-counts.ts';
import type { QueryJobRule } from '../items/marking-rule.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import type {
  CheckedStatement,
  ParameterValue,
  SelectStatement,
  TableName,
  TableVersion,
} from '../warehouse/warehouse.ts';

import type { ExpectedSchema, FoundSchema } from './check-schema.ts';
import type { ReadChoice } from './choose-reading.ts';
import type { CheckedCursor, Watermark } from './cursor.ts';
import type { Measurements } from './stage-meter.ts';

/** A partition of a job as sent to a worker thread: what to read and where to resume, never rows. */
export interface PartitionTask {
  readonly jobId: string;
  readonly partitionId: string;
  /** Raised by every claim; see PartitionLease. */
  readonly attempt: number;
  readonly dataType: string;
  readonly dataSourceId: string | null;
  /** The display name of the source. */
  readonly sourceName: string;
  readonly input: PartitionInput;
  /** What it reads; null until it is planned. */
  readonly plan: PartitionPlan | null;
  /** The number of rows to read; null until they are counted. */
  readonly totalItems: number | null;
  readonly position: JsonValue | null;
  /** Counts of earlier attempts. */
  readonly read: LevelCounts;
  readonly success: LevelCounts;
  readonly errors: LevelCounts;
  readonly duplicates: LevelCounts;
  /** Where its rows come from; part of the metadata of every item. */
  readonly sourceMetadata: JsonObject;
  /** Replaces the source metadata in content hashes, so that renaming the source does not change them. */
  readonly hashedMetadata: JsonObject;
  /** What a query job adds to its items; null for a sync. */
  readonly query: QueryJobItems | null;
  /** Rows per batch. */
  readonly batchSize: number;
  /** The partition fails when more of its items than this fail; null for no limit. */
  readonly maxErrors: number | null;
  /** The number of attempts before it fails. */
  readonly maxAttempts: number;
  /** Names the statements of an earlier attempt in the warehouse, which go on if its process was killed; null for none. */
  readonly earlierStatements: string | null;
}

/** What a query job adds to its items. */
export interface QueryJobItems extends Pick<QueryJobRule, 'marking' | 'raisedBy' | 'reason'> {
  /** Stored separately from the source metadata, which it overrides. */
  readonly metadata: JsonObject;
}

/** Where the rows of a partition come from. */
export type PartitionInput =
  | {
      readonly kind: 'TABLE';
      readonly table: TableName;
      readonly dataType: string;
      readonly syncType: SyncType;
      /** One boolean expression in the Databricks dialect, not yet checked; null for all rows. */
      readonly filter: string | null;
      readonly maxItems: number | null;
      readonly cursorColumn: string | null;
      /** The greatest cursor value read by earlier syncs. */
      readonly watermark: Watermark | null;
      /** How far behind the watermark to read: seconds for times, otherwise a difference of numbers. */
      readonly lookback: number;
      /** The version of the table that the watermark was read from; null if it is not known. */
      readonly watermarkVersion: string | null;
      /** Whether a complete sync deletes the items whose rows are gone. */
      readonly deletesGone: boolean;
      /** Whether deletes of the source wait for an approval, so that the ids of all rows that are read are needed. */
      readonly keepsIds?: boolean;
      /** What the source's copy holds; null if the job is to read only a part of the table. */
      readonly copy: SourceCopy | null;
      /** How the source finds what has changed; null if the job is to read only a part of the table. */
      readonly choice: ReadChoice | null;
      /** What the source expects of the columns; null to take them as they are. */
      readonly schema: ExpectedSchema | null;
      /** Approximate maximum number of rows per partition; a larger read is split. Null to leave it to the warehouse. */
      readonly partitionRows: number | null;
    }
  | {
      readonly kind: 'QUERY';
      readonly sql: string;
      readonly parameters: Readonly<Record<string, ParameterValue>>;
    }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string }
  /** The stored items of the data type, which are compared with the catalog. */
  | { readonly kind: 'CATALOG' };

/** What is known of the copy of a source. */
export interface SourceCopy {
  /** How often anything but a sync of the source has changed its items. */
  readonly itemChanges: number;
  /** What the last sync has read completely, if nothing has changed its items since and it covers this one; null otherwise. */
  readonly synced: SyncedContents | null;
  /** The rows of the table that shared the id of another when that was last counted; null if it is not known. */
  readonly sharedRows: number | null;
  /** The most rows of it that can be missing in the copy because they failed. */
  readonly failedRows: number;
  /** The rows of the table that were not in the copy after the last sync, though none of them failed; below 1 for none. */
  readonly missedRows: number;
}

export interface SyncedContents {
  /** Identifies what the table held, how rows were selected and how they became items. */
  readonly contents: string;
  /** The items that a FULL sync of them confirms; none for an INCREMENTAL one. */
  readonly success: LevelCounts;
}

/** What the copy of a table is compared with once a sync has ended. */
export interface CopyMeasure {
  /** The number of rows of the table, in the version that was read. */
  readonly tableRows: number;
  /** `SourceCopy.itemChanges` before the sync. */
  readonly itemChanges: number;
  /** The rows of the table that share the id of another; null if all rows are read, so that the duplicates among them tell. */
  readonly sharedRows: number | null;
  /** `SourceCopy.failedRows` before the sync; 0 if all rows are read. */
  readonly failedRows: number;
  /** The column with the ids; null if all rows are read. */
  readonly idColumn: string | null;
}

/** What a sync reads, to be remembered once it is complete. */
export interface ReadContents {
  readonly contents: string;
  /** `SourceCopy.itemChanges` before the sync. */
  readonly itemChanges: number;
  /** Whether only changes were read. */
  readonly isChanges: boolean;
}

/** Whether a sync may delete the items that it has not seen. */
export type DeletePlan =
  | { readonly isAllowed: true }
  /** The reason, for people, names no rows. */
  | { readonly isAllowed: false; readonly reason: string };

/** SET if the copy holds all changes up to the version, so that later ones can be read; FORGET if the table keeps none. */
export type FeedOutcome = 'SET' | 'FORGET';

/** Changes of a table to read, up to the version of the plan. */
export interface ChangedRows {
  /** The version before the first change. */
  readonly from: string;
  readonly columns: readonly string[];
  /** The column with the ids of items; null if the table has none. */
  readonly idColumn: string | null;
  /** Whether the items of rows that are gone are deleted. */
  readonly deletesGone: boolean;
}

/** What an attempt reads, planned once so that later attempts read the same. It is checked again once it was stored. */
export type PartitionPlan<Statement = SelectStatement> =
  | {
      readonly kind: 'STATEMENT';
      readonly statement: Statement;
      /** The watermark of the source once the partition has completed; null if it must not move. */
      readonly watermark: Watermark | null;
      /** Present if some cells of the cursor column have no value of its type: their rows fail. */
      readonly cursor?: CheckedCursor;
      /** What people should know about the source once it was read. It quotes no cells. */
      readonly warning?: string;
      /** The number of rows that the statement must return; null if they were not counted. */
      readonly rowCount: number | null;
      /** The version of the tables that it was planned for, which it must read; null for any. */
      readonly version: string | null;
      /** That version, for people; null if the table has none. */
      readonly tableVersion: TableVersion | null;
      /** Null if it is a part of the table, or cannot be identified. */
      readonly read: ReadContents | null;
      /** How its copy is compared with the table; null if that says nothing. */
      readonly measure: CopyMeasure | null;
      /** Null if its source keeps all items, or by this kind of sync. */
      readonly deletes: DeletePlan | null;
      /** What it reads instead of rows; left out for rows. */
      readonly changes?: ChangedRows;
      /** What the source knows of the change feed of its table, once this is read. Default: the same as before. */
      readonly feed?: FeedOutcome;
    }
  /** Nothing is read, because the table holds what the last complete sync has read. */
  | { readonly kind: 'UNCHANGED'; readonly success: LevelCounts }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string }
  | { readonly kind: 'CATALOG' };

/** A plan that can be run. */
export type CheckedPlan = PartitionPlan<CheckedStatement>;

/** A partition to create: what it reads, and how many rows that is. */
export interface PlannedPartition<Plan = PartitionPlan> {
  readonly plan: Plan;
  /** Null if nobody knows before they are read. */
  readonly totalItems: number | null;
  /** The schema of the table of a source; null or left out if it was not looked at. */
  readonly schema?: FoundSchema | null;
  /** Why all rows of a source are read instead of its changes; null or left out if nothing else was expected. */
  readonly snapshotReason?: string | null;
}

/** The outcome of planning: the partitions of a source. The first is the planned partition itself. */
export type PlanOutcome<Plan = PartitionPlan> =
  | { readonly status: 'PLANNED'; readonly partitions: readonly PlannedPartition<Plan>[] }
  | Exclude<PartitionOutcome, { status: 'COMPLETED' }>;

/** What a thread reports while it works: one message for each batch. */
export interface PartitionProgress {
  /** What it is doing now, as text to show; null if that has not changed. */
  readonly currentOperation: string | null;
  /** What was measured since the last report; null for nothing. */
  readonly measurements: Measurements | null;
}

/** How an attempt ended. */
export type PartitionOutcome =
  | {
      readonly status: 'COMPLETED';
      readonly watermark: Watermark | null;
      /** What people should know about the source. It quotes no cells. */
      readonly warning?: string | undefined;
      /** The version of the table that the watermark belongs to; null if it has none. */
      readonly version: string | null;
      /** Null if the source must be read again next time. */
      readonly read: ReadContents | null;
      readonly measure: CopyMeasure | null;
      readonly deletes: DeletePlan | null;
      /** Null if the source knows the same of its change feed as before. */
      readonly feed: FeedOutcome | null;
      /** The ids of the items whose rows are gone, as the change feed of the table says; null if it was not read. */
      readonly goneIds: readonly string[] | null;
    }
  /** The source could not be read, or not to its end. */
  | {
      readonly status: 'FAILED';
      readonly message: string;
      readonly isReadError: boolean;
      /** Whether the message contains counts of rows of any marking. */
      readonly hasRowCounts?: boolean;
      /** Whether the message says nothing about rows or items. */
      readonly isGeneral?: boolean;
      /** The schema of the table, if it stops the source. */
      readonly schema?: FoundSchema;
      /** Of an error of the program, for the log. */
      readonly stack?: string | undefined;
    }
  /** The source has changed since it was planned, and must be planned again. */
  | {
      readonly status: 'CHANGED';
      readonly message: string;
      /** Whether the message contains counts of rows of any marking. */
      readonly hasRowCounts: boolean;
      /** Whether the change feed of the table cannot be read, so that all rows must be. */
      readonly isFeedGone?: boolean;
    }
  /** The catalog is unavailable, or the read was interrupted: a new attempt can resume at the checkpoint. */
  | {
      readonly status: 'INTERRUPTED';
      readonly message: string;
      /** Of an error of the program, for the log. */
      readonly stack?: string | undefined;
    }
  /** A disk is full: an attempt can resume at the checkpoint once it has space. */
  | { readonly status: 'NO_SPACE'; readonly message: string }
  /** Stopped on request; what was read is saved, with its checkpoint. */
  | { readonly status: 'STOPPED' }
  /** Another attempt has taken the lease; nothing more may be written. */
  | { readonly status: 'LEASE_LOST' };
