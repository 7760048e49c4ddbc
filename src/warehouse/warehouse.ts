import { isErrorNamed } from '../shared/error-name.ts';
import type { JsonValue } from '../shared/json.ts';

/** The three-part name of a table in the warehouse. */
export interface TableName {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
}

/** Marks what has passed the check. No code can write the protected member, and a spread does not copy it. */
declare class CheckMark {
  protected readonly isChecked: true;
}

/** A table that may be read. Only `allowTable` returns one. */
export interface AllowedTable extends TableName, CheckMark {}

/** A column as described by the warehouse. `type` is the Databricks name of the type in upper case, such as `TIMESTAMP_NTZ`. */
export interface TableColumn {
  readonly name: string;
  readonly type: string;
  /** Left out or null for a column without one. */
  readonly comment?: string | null | undefined;
  /** Whether its cells can be NULL; left out or null if the warehouse does not say. */
  readonly isNullable?: boolean | null | undefined;
  /** Whether the type was inferred from the cells, so that another one is no change of the table. Default: false. */
  readonly isInferred?: boolean | undefined;
}

/** A column that got another name. */
export interface ColumnRename {
  readonly from: string;
  readonly to: string;
}

/** A value that can be bound to a named parameter. */
export type ParameterValue = string | number | boolean | null;

/** A statement that has not been checked. Parameters are written `:name` and always bound, never pasted. */
export interface SelectStatement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  /** Whether to include lines of the tables' files that are not rows, each as a description of its problem. */
  readonly withUnreadable?: boolean;
  /** The parts of its only table that it reads, unreadable lines included; null or left out for all. */
  readonly parts?: PartRange | null;
}

/** Some of the parts of a table, by their places in what `Warehouse.findParts` lists. */
export interface PartRange {
  readonly first: number;
  /** The place behind the last one. */
  readonly end: number;
}

/** SQL in the Databricks dialect that was checked, or composed of checked parts. */
export interface CheckedSql extends CheckMark {
  readonly sql: string;
  /** The values of exactly the parameters that it names. */
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly tables: readonly AllowedTable[];
  /** False if it samples, or calls a function whose result changes each time, such as `rand()` or `now()`. */
  readonly isRepeatable: boolean;
}

/** One read-only SELECT on allowed tables, whichever warehouse runs it. Only `parseStatement`, `recognizeStatement` and `composeStatement` return one. */
export interface CheckedStatement extends CheckedSql {
  /** Whether to include lines of the tables' files that are not rows, each as a description of its problem. */
  readonly withUnreadable: boolean;
  /** The parts of its only table that it reads, as `Warehouse.findParts` lists them; null for all. */
  readonly parts: PartRange | null;
}

/** A row as JSON; docs/extending.md says how each SQL type is converted. */
export type Row = Readonly<Record<string, JsonValue>>;

/**
 * The position of a read, opaque to everyone but its warehouse. It is stored in the checkpoint of a partition, and passed to
 * `readRows` to continue after the rows it covers.
 */
export type ReadPosition = JsonValue;

/** How large the rows of a batch may become before it ends, in bytes as `measureRow` counts them. The last row may exceed it. */
export const BATCH_BYTES = 4_000_000;

export interface RowBatch {
  /** The number of rows, and of lines that are not rows. */
  readonly size: number;
  /** The rows. Get them once, because a warehouse may create them on each access. Throws if they are kept back. */
  readonly rows: readonly Row[];
  /**
   * The columns whose values are texts in the warehouse, and not what it writes as text, such as a decimal: a data type that has
   * numbers there may take them for numbers. Default: none.
   */
  readonly textColumns?: readonly string[];
  /** The ids of the stored items whose data the rows are; only for rows that are read from the store, not from a warehouse. */
  readonly storedIds?: readonly (string | null)[];
  /** Present if the rows are kept back in the warehouse, because `isKnown` said that nobody needs them. */
  readonly kept?: KeptRows;
  /** Descriptions of lines that are not rows, if requested. */
  readonly unreadable?: readonly string[];
  /** Rows that a change feed says are gone; they are not among `rows`, and do not count. */
  readonly gone?: readonly Row[];
  /** Rows that a change feed says have come and gone: there is none of their key, unless one was there before. */
  readonly passed?: readonly Row[];
  /** Equal for batches with the same rows in the same order. Null if not requested, or not available. */
  readonly fingerprint: string | null;
  /** The position from which a later read continues after this batch. */
  readonly position: ReadPosition;
}

/** Rows that were not transferred. One of the two must be called. */
export interface KeptRows {
  load(): Promise<readonly Row[]>;
  release(): void;
}

export interface ReadOptions {
  /** The most rows of a batch. A batch of large rows ends sooner, once it has `BATCH_BYTES`. */
  readonly batchSize: number;
  /** The position of the last saved batch; null to read from the start. */
  readonly resumeAfter: ReadPosition | null;
  /** Aborting interrupts the statement in the warehouse, not only the read. */
  readonly signal: AbortSignal;
  /** Whether batches need fingerprints, which only a warehouse with a stable row order can provide. */
  readonly withFingerprints?: boolean;
  /**
   * The version that the tables of the statement must have from the first row to the last; null for any.
   * @see Warehouse.findVersion
   */
  readonly version?: string | null;
  /** Whether the rows of a batch with this fingerprint are probably not needed. A warehouse may then keep them back. */
  readonly isKnown?: ((fingerprint: string) => boolean) | undefined;
  readonly onWaiting?: OnWaiting | undefined;
}

/**
 * Called with true when a statement must wait to run, such as while the warehouse starts; with a short text that says how far
 * the statement is, such as `Spark: 12 of 40 tasks`; and with false when neither is to be shown any more.
 */
export type OnWaiting = (waiting: boolean | string) => void;

export interface RowStream {
  /**
   * False if `resumeAfter` was given but could not be used, because the data has changed or the statement has no stable
   * order. The stream then starts from the first row.
   */
  readonly resumed: boolean;
  /** Ends without an error only after the last row of the statement. */
  readonly batches: AsyncIterable<RowBatch>;
}

/** How tables are read, as they are now or as they were at one version. */
export interface TableReader {
  /**
   * Describes the columns of a table, in order.
   * @throws WarehouseError TABLE_NOT_FOUND if there is no such table.
   */
  describeTable(
    table: AllowedTable,
    signal: AbortSignal,
    onWaiting?: OnWaiting,
  ): Promise<readonly TableColumn[]>;
  /** Counts the rows of a statement. */
  countRows(statement: CheckedStatement, signal: AbortSignal, onWaiting?: OnWaiting): Promise<number>;
  /** Reads the rows of a statement as a stream of batches, in flat memory however many they are. */
  readRows(statement: CheckedStatement, options: ReadOptions): Promise<RowStream>;
}

/** The versions that a warehouse keeps, as `Warehouse.findVersion` gives them. */
export interface TableHistory {
  /** Reads the tables as they were at a version, whatever is written meanwhile. */
  readAt(version: string): TableReader;
  /** Describes the version of one table for people; null for a version of several. */
  describe(version: string): TableVersion | null;
  /**
   * Finds out whether the rows of tables were replaced between two versions as a whole, so that they are no longer those of
   * the earlier version with changes.
   * @returns what happened, as a sentence without its full stop; null if nothing did.
   */
  findRewrite(from: string, to: string, signal: AbortSignal, onWaiting?: OnWaiting): Promise<string | null>;
  /**
   * Lists the columns of one table that were renamed between two versions, in order; none if that is not known. Without this,
   * a renamed column counts as one that was dropped and another that was added.
   */
  listRenames?(
    from: string,
    to: string,
    signal: AbortSignal,
    onWaiting?: OnWaiting,
  ): Promise<readonly ColumnRename[]>;
  /** Only warehouses that keep changes have it. */
  readonly changes?: ChangeFeed;
}

/** What to read of the changes of a table. */
export interface ChangeRange {
  /** The version before the first change, and that of the last one. */
  readonly from: string;
  readonly to: string;
  /** Equal for rows of the same item. */
  readonly key: CheckedSql;
  /** The columns of the table, and all of them as one text. */
  readonly columns: readonly string[];
  readonly text: CheckedSql;
}

/** The changes that a warehouse keeps of a table. */
export interface ChangeFeed {
  /** Whether a table keeps its changes, as of a version of it. */
  isKept(version: string): boolean;
  /**
   * Reads what has become of the rows that changed, by one statement: for each key the last row that is still there, or one of
   * those that are `gone` or have `passed`.
   * @throws WarehouseError CHANGES_GONE if the changes of the range cannot be read.
   */
  readChanges(table: AllowedTable, range: ChangeRange, options: ReadOptions): Promise<RowStream>;
}

/** A version of a table, as people know it. */
export interface TableVersion {
  readonly number: number;
  readonly committedAt: Date;
}

/** A part of a table that is read without the others, such as a file. */
export interface TablePart {
  /** How large it is, in bytes as it is stored. */
  readonly bytes: number;
}

/** Where rows come from. Each worker thread has its own instance. */
export interface Warehouse extends TableReader {
  /**
   * Finds the version of the contents of tables: another one once any of them was written, replaced or restored, even with
   * equal rows. Null if the warehouse keeps none; a read then sees whatever the tables hold.
   * @throws WarehouseError TABLE_NOT_FOUND if a table does not exist.
   */
  findVersion(
    tables: readonly AllowedTable[],
    signal: AbortSignal,
    onWaiting?: OnWaiting,
  ): Promise<string | null>;
  /**
   * Identifies what tables hold now, to find out later whether they hold the same rows: it is another one once their rows
   * are others, and must cost far less than to read them. Null if the warehouse cannot tell; a table is then read every time.
   */
  findContents?(
    tables: readonly AllowedTable[],
    signal: AbortSignal,
    onWaiting?: OnWaiting,
  ): Promise<string | null>;
  /** Only warehouses that keep versions have it: a table of any other must not be written while it is read. */
  readonly history?: TableHistory;
  /**
   * Whether `countRows` of a whole table reads none of its rows, because their number is in its metadata.
   * @param version the one that `findVersion` gave for the table; null for none.
   */
  hasRowCount?(table: AllowedTable, version: string | null, signal: AbortSignal): Promise<boolean>;
  /**
   * Lists the parts that a table consists of. Each row is in one of them, and a statement on some of them, `parts`, has their
   * rows and costs no more than these. Only warehouses with such parts have it; the rows of any other are shared by a hash.
   * @param version that of `findVersion`, which the statements must read, too.
   * @throws WarehouseError TABLE_NOT_FOUND if there is no such table, CHANGED if it has another version.
   */
  findParts?(table: AllowedTable, version: string, signal: AbortSignal): Promise<readonly TablePart[]>;
  /** Counts the lines of the file of a table that are not rows; 0 if the table is not a file. */
  countUnreadable(table: AllowedTable, signal: AbortSignal): Promise<number>;
  /**
   * Ends the statements that a process left behind when it was killed. Only warehouses whose statements go on without their
   * process, and can be ended from another one, have it.
   * @param handle names them; see `keepHandle`.
   */
  endStatements?(handle: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * - INTERRUPTED: the read ended before the last row; reading again may succeed.
 * - CHANGES_GONE: the change feed of a table does not have the changes any more, or never had them.
 * - CHANGED: a table changed while it was read, so the rows do not belong to one version of it.
 */
export type WarehouseErrorCode =
  | 'TABLE_NOT_FOUND'
  | 'STATEMENT_FAILED'
  | 'UNAVAILABLE'
  | 'INTERRUPTED'
  | 'CHANGES_GONE'
  | 'CHANGED';

/**
 * A failure of the warehouse with a message that can be shown: it contains no credential, no path outside the warehouse and
 * no parameter value.
 */
export class WarehouseError extends Error {
  override readonly name = 'WarehouseError';
  static override [Symbol.hasInstance] = isErrorNamed('WarehouseError');
  readonly code: WarehouseErrorCode;

  constructor(code: WarehouseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Handles the error of a statement that a warehouse or a table may not support.
 * @returns null if the statement was refused or failed.
 * @throws any other error.
 */
export function allowFailedStatement(error: unknown): null {
  if (error instanceof WarehouseError && error.code === 'STATEMENT_FAILED') return null;
  throw error;
}
