import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { LevelCounts } from '../items/level-counts.ts';
import type { QueryJobRule } from '../items/marking-rule.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import type { ParameterValue, SelectStatement, TableName } from '../warehouse/warehouse.ts';

/** A partition of a job, as it is handed to a worker thread: what to read, where to resume. Never rows. */
export interface PartitionTask {
  readonly jobId: string;
  readonly partitionId: string;
  /** Raised by every claim: see PartitionLease. */
  readonly attempt: number;
  readonly dataType: string;
  readonly dataSourceId: string | null;
  /** The source's name, as people read it. */
  readonly sourceName: string;
  readonly input: PartitionInput;
  /** What it reads; null until that is decided. */
  readonly plan: PartitionPlan | null;
  /** How many rows that is; null while nobody has counted them. */
  readonly totalItems: number | null;
  readonly position: JsonValue | null;
  /** Counts of earlier attempts. */
  readonly read: LevelCounts;
  readonly success: LevelCounts;
  readonly errors: LevelCounts;
  /** Where its rows are from: part of the metadata of every item. */
  readonly sourceMetadata: JsonObject;
  /** What stands for that in content hashes: it stays when the source is renamed. */
  readonly hashedMetadata: JsonObject;
  /** What a query job makes of its items; null for a sync. */
  readonly query: QueryJobItems | null;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** The partition fails when more of its items than this fail; null for no limit. */
  readonly maxErrors: number | null;
  /** How often it is taken up before it is given up. */
  readonly maxAttempts: number;
}

/** What the items of a query job carry. */
export interface QueryJobItems extends Pick<QueryJobRule, 'marking' | 'raisedBy' | 'reason'> {
  /** Kept beside what the sources say, and laid over it. */
  readonly metadata: JsonObject;
}

/** Where a partition's rows come from. */
export type PartitionInput =
  | {
      readonly kind: 'TABLE';
      readonly table: TableName;
      readonly dataType: string;
      readonly syncType: SyncType;
      /** One boolean expression in the Databricks dialect, checked; null for all rows. */
      readonly filter: string | null;
      readonly maxItems: number | null;
      readonly cursorColumn: string | null;
      /** The greatest cursor value that earlier syncs have read. */
      readonly watermark: string | null;
      /** About how many rows a partition has at the most: a larger read is split. */
      readonly partitionRows: number;
    }
  | {
      readonly kind: 'QUERY';
      readonly sql: string;
      readonly parameters: Readonly<Record<string, ParameterValue>>;
    }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string };

/** What an attempt reads: decided once, so that later attempts read the same. */
export type PartitionPlan =
  | {
      readonly kind: 'STATEMENT';
      readonly statement: SelectStatement;
      /** The source's watermark once the partition has finished; null when it must not move. */
      readonly watermark: string | null;
      /** How many rows the statement must give; null where nobody has counted them. */
      readonly rowCount: number | null;
    }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string };

/** A partition that is to be: what it reads, and how many rows that is. */
export interface PlannedPartition {
  readonly plan: PartitionPlan;
  readonly totalItems: number;
}

/** What came of planning: the partitions that a source is read in, of which the first is the planned one itself. */
export type PlanOutcome =
  | { readonly status: 'PLANNED'; readonly partitions: readonly PlannedPartition[] }
  | Exclude<PartitionOutcome, { status: 'COMPLETED' }>;

/** What a thread tells while it works. */
export interface PartitionProgress {
  /** What it does now, as people read it. */
  readonly currentOperation: string;
}

/** How an attempt ended. */
export type PartitionOutcome =
  | { readonly status: 'COMPLETED'; readonly watermark: string | null }
  /** The source could not be read, or not to its end. */
  | {
      readonly status: 'FAILED';
      readonly message: string;
      readonly isReadError: boolean;
      /** Whether the message has numbers of rows of any marking. */
      readonly hasRowCounts?: boolean;
    }
  /** The source has changed since it was planned, and has to be planned again. */
  | {
      readonly status: 'CHANGED';
      readonly message: string;
      /** Whether the message has numbers of rows of any marking. */
      readonly hasRowCounts: boolean;
    }
  /** The catalog cannot take items now, or the reading broke off: the attempt can be repeated from its checkpoint. */
  | { readonly status: 'INTERRUPTED'; readonly message: string }
  /** Told to stop: what was read is saved, the checkpoint stands. */
  | { readonly status: 'STOPPED' }
  /** Another attempt has taken over: nothing more may be written. */
  | { readonly status: 'LEASE_LOST' };
