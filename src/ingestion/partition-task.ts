import type { SyncType } from '../database/generated/prisma/enums.ts';
import type { LevelCounts } from '../items/level-counts.ts';
import type { QueryJobRule } from '../items/marking-rule.ts';
import type { JsonObject, JsonValue } from '../shared/json.ts';
import type { CheckedStatement, ParameterValue, SelectStatement, TableName } from '../warehouse/warehouse.ts';
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
      readonly watermark: string | null;
      /** Approximate maximum number of rows per partition; a larger read is split. */
      readonly partitionRows: number;
    }
  | {
      readonly kind: 'QUERY';
      readonly sql: string;
      readonly parameters: Readonly<Record<string, ParameterValue>>;
    }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string }
  /** The stored items of the data type, which are compared with the catalog. */
  | { readonly kind: 'CATALOG' };

/** What an attempt reads, planned once so that later attempts read the same. It is checked again once it was stored. */
export type PartitionPlan<Statement = SelectStatement> =
  | {
      readonly kind: 'STATEMENT';
      readonly statement: Statement;
      /** The watermark of the source once the partition has completed; null if it must not move. */
      readonly watermark: string | null;
      /** The number of rows that the statement must return; null if they were not counted. */
      readonly rowCount: number | null;
      /** The version of the tables that it was planned for, which it must read; null for any. */
      readonly version: string | null;
    }
  | { readonly kind: 'FAILED_ITEMS'; readonly partitionId: string }
  | { readonly kind: 'CATALOG' };

/** A plan that can be run. */
export type CheckedPlan = PartitionPlan<CheckedStatement>;

/** A partition to create: what it reads, and how many rows that is. */
export interface PlannedPartition<Plan = PartitionPlan> {
  readonly plan: Plan;
  readonly totalItems: number;
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
  | { readonly status: 'COMPLETED'; readonly watermark: string | null }
  /** The source could not be read, or not to its end. */
  | {
      readonly status: 'FAILED';
      readonly message: string;
      readonly isReadError: boolean;
      /** Whether the message contains counts of rows of any marking. */
      readonly hasRowCounts?: boolean;
      /** Whether the message says nothing about rows or items. */
      readonly isGeneral?: boolean;
      /** Of an error of the program, for the log. */
      readonly stack?: string | undefined;
    }
  /** The source has changed since it was planned, and must be planned again. */
  | {
      readonly status: 'CHANGED';
      readonly message: string;
      /** Whether the message contains counts of rows of any marking. */
      readonly hasRowCounts: boolean;
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
