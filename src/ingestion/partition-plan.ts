import { qualifiedName, quoteIdentifier } from '../warehouse/statement.ts';
import {
  type ParameterValue,
  type Row,
  type SelectStatement,
  type TableName,
  type Warehouse,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import type { PartitionInput, PartitionPlan } from './partition-task.ts';

export interface PlannedPartition {
  readonly plan: PartitionPlan;
  /** Rows the plan reads. */
  readonly totalItems: number;
}

export type TableInput = Extract<PartitionInput, { kind: 'TABLE' }>;
export type QueryInput = Extract<PartitionInput, { kind: 'QUERY' }>;

/**
 * Decides what a partition reads and, for a source with a cursor column, up to where: rows that arrive in the
 * warehouse later belong to the next sync.
 * @throws WarehouseError where the warehouse cannot be read.
 */
export async function planPartition(
  warehouse: Warehouse,
  input: TableInput | QueryInput,
  signal: AbortSignal,
): Promise<PlannedPartition> {
  switch (input.kind) {
    case 'QUERY': {
      const statement = { sql: input.sql, parameters: input.parameters };
      return planned(statement, await warehouse.countRows(statement, signal), null);
    }
    case 'TABLE':
      return planTable(warehouse, input, signal);
  }
}

async function planTable(
  warehouse: Warehouse,
  input: TableInput,
  signal: AbortSignal,
): Promise<PlannedPartition> {
  // Asked first, so that a missing table is told as one.
  const columns = await warehouse.describeTable(input.table, signal);
  if (input.cursorColumn === null) return planWithoutCursor(warehouse, input, signal);

  const wanted = input.cursorColumn.toLowerCase();
  const column = columns.find(({ name }) => name.toLowerCase() === wanted);
  if (column === undefined) {
    if (input.syncType === 'FULL') return planWithoutCursor(warehouse, input, signal);
    throw new WarehouseError('STATEMENT_FAILED', `the table has no column ${input.cursorColumn} to sync by`);
  }
  if (!CURSOR_TYPES.test(column.type)) {
    if (input.syncType === 'FULL') return planWithoutCursor(warehouse, input, signal);
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `column ${column.name} is of type ${column.type}, which has no order to sync by: it takes a number, a date, a timestamp or a string`,
    );
  }
  const cursor = cursorConditions(quoteIdentifier(column.name), column.type);
  return input.syncType === 'FULL'
    ? planFull(warehouse, input, cursor, signal)
    : planIncremental(warehouse, input, cursor, signal);
}

async function planWithoutCursor(warehouse: Warehouse, input: TableInput, signal: AbortSignal) {
  const statement = selectRows(input, [], input.maxItems);
  return planned(statement, await warehouse.countRows(statement, signal), null);
}

async function planFull(warehouse: Warehouse, input: TableInput, cursor: Cursor, signal: AbortSignal) {
  const { high, total } = await measure(warehouse, input, cursor, [], signal);
  const limited = input.maxItems !== null && total > input.maxItems;
  return planned(
    selectRows(input, [], input.maxItems),
    limited && input.maxItems !== null ? input.maxItems : total,
    // What a filter or a limit left out has not been synced, so the watermark must not pass it.
    limited || input.filter !== null ? null : high,
  );
}

async function planIncremental(warehouse: Warehouse, input: TableInput, cursor: Cursor, signal: AbortSignal) {
  const pastWatermark = input.watermark === null ? [] : [cursor.above(input.watermark, 'low')];
  // A watermark once set passes rows without a cursor by, so they are read before it is.
  const withEmpty = input.watermark === null ? cursor.orEmpty : (condition: Condition) => condition;
  const { high, total, emptyCursors } = await measure(warehouse, input, cursor, pastWatermark, signal);
  const movesTo = (watermark: string | null) => (input.filter === null ? watermark : null);

  if (input.maxItems === null || total <= input.maxItems) {
    const upToHigh = high === null ? [] : [withEmpty(cursor.atMost(high, 'high'))];
    return planned(selectRows(input, [...pastWatermark, ...upToHigh], null), total, movesTo(high));
  }

  // A limited sync takes the oldest rows, and only whole groups of equal cursor values: the watermark could not
  // tell the rest of a group from what has been read. Rows without a cursor are the oldest of these groups.
  const firstLeftOut = await valueAt(
    warehouse,
    input,
    cursor,
    pastWatermark,
    input.maxItems - emptyCursors,
    signal,
  );
  if (firstLeftOut !== null) {
    const whole = [...pastWatermark, withEmpty(cursor.below(firstLeftOut, 'high'))];
    const wholeGroups = await measure(warehouse, input, cursor, whole, signal);
    if (wholeGroups.total > 0) {
      return planned(selectRows(input, whole, null), wholeGroups.total, movesTo(wholeGroups.high));
    }
  }
  const oldestGroup =
    firstLeftOut === null ? pastWatermark : [...pastWatermark, cursor.atMost(firstLeftOut, 'high')];
  return planned(selectRows(input, oldestGroup, input.maxItems), input.maxItems, null);
}

/** The cursor value of the row at an offset in the order of cursors; null where there is none. */
async function valueAt(
  warehouse: Warehouse,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
  offset: number,
  signal: AbortSignal,
): Promise<string | null> {
  if (offset < 0) return null;
  const row = await readRow(
    warehouse,
    {
      sql: `SELECT ${cursor.asText} AS value FROM ${from(input, [...conditions, cursor.present])} ORDER BY ${cursor.column} LIMIT 1 OFFSET ${offset}`,
      parameters: parametersOf(conditions),
    },
    signal,
  );
  return textOf(row?.value);
}

/** A condition of a WHERE clause with what it binds. */
interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

interface Cursor {
  readonly column: string;
  /** The column as text that keeps every digit, and that CAST reads back. */
  readonly asText: string;
  readonly present: Condition;
  above(value: string, parameter: string): Condition;
  below(value: string, parameter: string): Condition;
  atMost(value: string, parameter: string): Condition;
  /** The condition, or no cursor at all. */
  orEmpty(condition: Condition): Condition;
}

const CURSOR_TYPES = /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL(\(.*\))?|DATE|TIMESTAMP|TIMESTAMP_NTZ|STRING)$/;

function cursorConditions(column: string, type: string): Cursor {
  const compare = (operator: string) => (value: string, parameter: string) => ({
    sql: `${column} ${operator} CAST(:${parameter} AS ${type})`,
    parameters: { [parameter]: value },
  });
  return {
    column,
    asText: `CAST(${column} AS STRING)`,
    present: { sql: `${column} IS NOT NULL`, parameters: {} },
    above: compare('>'),
    below: compare('<'),
    atMost: compare('<='),
    orEmpty: ({ sql, parameters }) => ({ sql: `(${sql} OR ${column} IS NULL)`, parameters }),
  };
}

async function measure(
  warehouse: Warehouse,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
  signal: AbortSignal,
): Promise<{ high: string | null; total: number; emptyCursors: number }> {
  const row = await readRow(
    warehouse,
    {
      sql: `SELECT CAST(MAX(${cursor.column}) AS STRING) AS high, COUNT(*) AS total, COUNT(*) - COUNT(${cursor.column}) AS empty_cursors FROM ${from(input, conditions)}`,
      parameters: parametersOf(conditions),
    },
    signal,
  );
  return {
    high: textOf(row?.high),
    total: Number(row?.total ?? 0),
    emptyCursors: Number(row?.empty_cursors ?? 0),
  };
}

async function readRow(
  warehouse: Warehouse,
  statement: SelectStatement,
  signal: AbortSignal,
): Promise<Row | undefined> {
  const { batches } = await warehouse.readRows(statement, { batchSize: 1, resumeAfter: null, signal });
  for await (const { rows } of batches) return rows[0];
  return undefined;
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

function selectRows(
  input: TableInput,
  conditions: readonly Condition[],
  limit: number | null,
): SelectStatement {
  return {
    sql: `SELECT * FROM ${from(input, conditions)}${limit === null ? '' : ` LIMIT ${limit}`}`,
    parameters: parametersOf(conditions),
  };
}

function from(input: { table: TableName; filter: string | null }, conditions: readonly Condition[]): string {
  const all = [...(input.filter === null ? [] : [`(${input.filter})`]), ...conditions.map(({ sql }) => sql)];
  return `${qualifiedName(input.table)}${all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`}`;
}

function parametersOf(conditions: readonly Condition[]): Record<string, ParameterValue> {
  return Object.assign({}, ...conditions.map(({ parameters }) => parameters));
}

function planned(statement: SelectStatement, totalItems: number, watermark: string | null): PlannedPartition {
  return { plan: { kind: 'STATEMENT', statement, watermark }, totalItems };
}
