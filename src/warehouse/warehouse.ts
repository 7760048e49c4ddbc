import type { JsonValue } from '../shared/json.ts';

/** A table of the warehouse by its three-part name. */
export interface TableName {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
}

/** A column as the warehouse describes it; `type` is the Databricks name of the type, upper case, e.g. `TIMESTAMP_NTZ`. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
}

/** A value that can be bound to a named parameter. */
export type ParameterValue = string | number | boolean | null;

/**
 * One read-only SELECT in the Databricks dialect, whatever warehouse runs it.
 * Parameters are written `:name` and always bound, never pasted.
 */
export interface SelectStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** Whether lines of its tables' files that are no rows count and come, too, each as what is wrong with it. */
  readonly withUnreadable?: boolean;
}

/** A row as JSON can hold it: see `value.ts` for how each SQL type is carried over without loss. */
export type Row = Readonly<Record<string, JsonValue>>;

/**
 * How far a read has come: opaque to everyone but the warehouse that made it.
 * Stored in a partition's checkpoint, given back to `read` to go on after the rows it covers.
 */
export type ReadPosition = JsonValue;

export interface RowBatch {
  /** How many rows it has, and lines that are no rows. */
  readonly size: number;
  /** Ask for them once: a warehouse may make them each time that they are asked for. */
  readonly rows: readonly Row[];
  /** What is wrong with lines that are no rows, where they are asked for. */
  readonly unreadable?: readonly string[];
  /** Batches with the same one have the same rows in the same order; null where none was asked for or can be told. */
  readonly fingerprint: string | null;
  /** Where a later read goes on after this batch. */
  readonly position: ReadPosition;
}

export interface ReadOptions {
  /** Rows in a batch: every batch but the last has exactly this many. */
  readonly batchSize: number;
  /** The position of the last batch that was kept, or null to read from the start. */
  readonly resumeAfter: ReadPosition | null;
  /** Aborting interrupts the statement where it runs, not only the reading of it. */
  readonly signal: AbortSignal;
  /** Whether the batches are to have fingerprints, which a warehouse tells that has the rows in a stable order. */
  readonly withFingerprints?: boolean;
  readonly onWaiting?: OnWaiting | undefined;
}

/** Told true while a statement has to wait before it can run, as it does while its warehouse starts; then false. */
export type OnWaiting = (isWaiting: boolean) => void;

export interface RowStream {
  /**
   * False when `resumeAfter` was given and could not be honoured (the data has changed underneath, or the
   * statement has no stable order): the stream then starts over from the first row.
   */
  readonly resumed: boolean;
  /** Ends without an error only behind the last row of the statement. */
  readonly batches: AsyncIterable<RowBatch>;
}

/** Where rows come from. Runs inside a worker thread; one instance serves one thread. */
export interface Warehouse {
  /**
   * The columns of a table, in their order.
   * @throws WarehouseError TABLE_NOT_FOUND where there is none of that name.
   */
  describeTable(
    table: TableName,
    signal: AbortSignal,
    onWaiting?: OnWaiting,
  ): Promise<readonly TableColumn[]>;
  /** How many lines of a table's file are no rows; none where a table is no file. */
  countUnreadable(table: TableName, signal: AbortSignal): Promise<number>;
  /** How many rows the statement gives. */
  countRows(statement: SelectStatement, signal: AbortSignal, onWaiting?: OnWaiting): Promise<number>;
  /** The rows of the statement as a stream of batches, any number of them in flat memory. */
  readRows(statement: SelectStatement, options: ReadOptions): Promise<RowStream>;
  close(): Promise<void>;
}

/**
 * - INTERRUPTED: the rows ended before the last of them, and reading them again may well succeed.
 * - CHANGED: a table changed while it was read, so that the rows are of no version of it.
 */
export type WarehouseErrorCode =
  | 'TABLE_NOT_FOUND'
  | 'STATEMENT_FAILED'
  | 'UNAVAILABLE'
  | 'INTERRUPTED'
  | 'CHANGED';

/**
 * A failure of the warehouse that people may read: the message holds no credential, no path outside the warehouse and no
 * parameter value.
 */
export class WarehouseError extends Error {
  override readonly name = 'WarehouseError';
  readonly code: WarehouseErrorCode;

  constructor(code: WarehouseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
