import type { DataTypes } from '../data-types/data-types.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { quoteIdentifier, quoteTable } from '../sql-check/statement.ts';
import {
  type ParameterValue,
  type Row,
  type SelectStatement,
  type TableColumn,
  type TableName,
  type Warehouse,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import { RowCountError } from './counted-read.ts';
import type { PartitionInput, PlannedPartition } from './partition-task.ts';

export type TableInput = Extract<PartitionInput, { kind: 'TABLE' }>;

/**
 * Plans what to read and, for a source with a cursor column, up to which value: later rows belong to the next sync. A large
 * table is split into several partitions.
 * @throws WarehouseError if the warehouse cannot be read.
 */
export async function planPartition(
  context: PlanContext,
  input: TableInput,
): Promise<readonly PlannedPartition[]> {
  // First, so that a missing table is reported as such.
  const columns = await context.warehouse.describeTable(input.table, context.signal);
  const partitions = await splitPartition(context, input, columns, await planTable(context, input, columns));
  const unreadable = await context.warehouse.countUnreadable(input.table, context.signal);
  return unreadable === 0 ? partitions : addUnreadable(partitions, unreadable);
}

/**
 * Adds unreadable lines to the first partition. The watermark does not move, because a line may be below it once it is
 * repaired.
 */
function addUnreadable(
  partitions: readonly PlannedPartition[],
  unreadable: number,
): readonly PlannedPartition[] {
  return partitions.map(({ plan, totalItems }, index) => {
    if (plan.kind !== 'STATEMENT') return { plan, totalItems };
    const isFirst = index === 0;
    const statement = { ...plan.statement, withUnreadable: isFirst };
    return toPlannedPartition(statement, totalItems + (isFirst ? unreadable : 0), null);
  });
}

/** The warehouse to plan with, and the signal that interrupts its statements. */
export interface PlanContext {
  readonly warehouse: Warehouse;
  readonly dataTypes: DataTypes;
  readonly signal: AbortSignal;
}

async function planTable(
  context: PlanContext,
  input: TableInput,
  columns: readonly TableColumn[],
): Promise<PlannedPartition> {
  if (input.cursorColumn === null) return planWithoutCursor(context, input);

  const wanted = asciiLowerCase(input.cursorColumn);
  const column = columns.find(({ name }) => asciiLowerCase(name) === wanted);
  if (column === undefined) {
    if (input.syncType === 'FULL') return planWithoutCursor(context, input);
    throw new WarehouseError('STATEMENT_FAILED', `the table has no column ${input.cursorColumn} to sync by`);
  }
  if (!CURSOR_TYPES.test(column.type)) {
    if (input.syncType === 'FULL') return planWithoutCursor(context, input);
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `column ${column.name} is of type ${column.type}, which has no order to sync by: use a number, a date, a timestamp or a string`,
    );
  }
  const cursor = createCursor(quoteIdentifier(column.name), column.type);
  return input.syncType === 'FULL'
    ? planFull(context, input, cursor)
    : planIncremental(context, input, cursor);
}

async function planWithoutCursor(context: PlanContext, input: TableInput) {
  const statement = selectRows(input, [], input.maxItems);
  return toPlannedPartition(statement, await countRows(context, statement), null);
}

async function planFull(context: PlanContext, input: TableInput, cursor: Cursor) {
  const { high, total } = await measure(context, input, cursor, []);
  const limited = input.maxItems !== null && total > input.maxItems;
  const upToHigh = high === null ? [] : [cursor.orEmpty(cursor.atMost(high, 'high'))];
  return toPlannedPartition(
    selectRows(input, upToHigh, input.maxItems),
    limited && input.maxItems !== null ? input.maxItems : total,
    // The watermark must not pass rows that a filter or a limit left out.
    limited || input.filter !== null ? null : high,
  );
}

async function planIncremental(context: PlanContext, input: TableInput, cursor: Cursor) {
  const pastWatermark = input.watermark === null ? [] : [cursor.above(input.watermark, 'low')];
  // Once a watermark is set, rows without a cursor are skipped, so they are read before.
  const withEmpty = input.watermark === null ? cursor.orEmpty : (condition: Condition) => condition;
  const { high, total, emptyCursors } = await measure(context, input, cursor, pastWatermark);
  const toWatermark = (watermark: string | null) => (input.filter === null ? watermark : null);

  if (input.maxItems === null || total <= input.maxItems) {
    const upToHigh = high === null ? [] : [withEmpty(cursor.atMost(high, 'high'))];
    return toPlannedPartition(
      selectRows(input, [...pastWatermark, ...upToHigh], null),
      total,
      toWatermark(high),
    );
  }

  // A limited sync reads the oldest rows, in whole groups of equal cursor values, because the watermark cannot split a group.
  // Rows without a cursor are the oldest group.
  const firstLeftOut = await findValueAt(
    context,
    input,
    cursor,
    pastWatermark,
    input.maxItems - emptyCursors,
  );
  if (firstLeftOut !== null) {
    const whole = [...pastWatermark, withEmpty(cursor.below(firstLeftOut, 'high'))];
    const wholeGroups = await measure(context, input, cursor, whole);
    if (wholeGroups.total > 0) {
      return toPlannedPartition(
        selectRows(input, whole, null),
        wholeGroups.total,
        toWatermark(wholeGroups.high),
      );
    }
  }
  const oldestGroup =
    firstLeftOut === null ? pastWatermark : [...pastWatermark, cursor.atMost(firstLeftOut, 'high')];
  return toPlannedPartition(selectRows(input, oldestGroup, input.maxItems), input.maxItems, null);
}

/** Finds the cursor value of the row at an offset in cursor order; null if there is none. */
async function findValueAt(
  context: PlanContext,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
  offset: number,
): Promise<string | null> {
  if (offset < 0) return null;
  const [row] = await readAll(context, {
    sql: `SELECT ${cursor.asText} AS value FROM ${formatSource(input, [...conditions, cursor.present])} ORDER BY ${cursor.column} LIMIT 1 OFFSET ${offset}`,
    parameters: mergeParameters(conditions),
  });
  return toText(row?.value);
}

/**
 * Splits a large read into partitions that can run in parallel, by the hash of a column: each row is in exactly one of
 * them, and their sizes are about equal whatever the values are. A limited read is not split.
 */
async function splitPartition(
  context: PlanContext,
  input: TableInput,
  columns: readonly TableColumn[],
  whole: PlannedPartition,
): Promise<readonly PlannedPartition[]> {
  const column = findPartitionColumn(context, input, columns);
  const wanted = Math.min(MAX_PARTITIONS, Math.ceil(whole.totalItems / input.partitionRows));
  if (wanted < 2 || column === null || input.maxItems !== null || whole.plan.kind !== 'STATEMENT')
    return [whole];

  const { statement, watermark } = whole.plan;
  const bucket = `SUBSTRING(MD5(COALESCE(CAST(${quoteIdentifier(column)} AS STRING), '')), 1, 2)`;
  const rows = await readAll(context, {
    sql: `SELECT ${bucket} AS bucket, COUNT(*) AS total FROM (${statement.sql}) AS whole GROUP BY ${bucket}`,
    parameters: statement.parameters,
  });
  const counted = rows.map(({ bucket: name, total }) => ({ name: String(name), total: Number(total) }));
  const sum = counted.reduce((rowCount, { total }) => rowCount + total, 0);
  if (sum !== whole.totalItems) throw new RowCountError(whole.totalItems, sum);
  return groupBuckets(counted, wanted).map(({ after, last, total }) =>
    toPlannedPartition(
      {
        sql: `SELECT * FROM (${statement.sql}) AS whole WHERE ${bucket} > :after_bucket AND ${bucket} <= :last_bucket`,
        parameters: { ...statement.parameters, after_bucket: after, last_bucket: last },
      },
      total,
      watermark,
    ),
  );
}

/** The most partitions of a source. Each scans the whole table, so more of them cost the warehouse more. */
const MAX_PARTITIONS = 16;

function findPartitionColumn(
  { dataTypes }: PlanContext,
  { dataType, cursorColumn }: TableInput,
  columns: readonly TableColumn[],
): string | null {
  const wanted = [
    ...(dataTypes.find(dataType)?.identifyingColumns ?? []),
    ...(cursorColumn === null ? [] : [cursorColumn]),
  ];
  for (const name of wanted) {
    const found = columns.find((column) => asciiLowerCase(column.name) === asciiLowerCase(name));
    if (found !== undefined) return found.name;
  }
  return null;
}

interface BucketGroup {
  /** The group starts after this bucket. */
  readonly after: string;
  readonly last: string;
  readonly total: number;
}

/** Groups the buckets, in the order of their names, into at most `wanted` groups of about equal totals. */
export function groupBuckets(
  buckets: readonly { readonly name: string; readonly total: number }[],
  wanted: number,
): readonly BucketGroup[] {
  const sorted = buckets.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const groups: BucketGroup[] = [];
  let rest = sorted.reduce((sum, { total }) => sum + total, 0);
  let after = '';
  let groupTotal = 0;
  sorted.forEach(({ name, total }, index) => {
    groupTotal += total;
    const isLast = index === sorted.length - 1;
    if (!isLast && groupTotal < rest / (wanted - groups.length)) return;
    // The last group is open, so that it includes rows that were added since the count.
    groups.push({ after, last: isLast ? LAST_BUCKET : name, total: groupTotal });
    rest -= groupTotal;
    after = name;
    groupTotal = 0;
  });
  return groups;
}

const LAST_BUCKET = 'ff';

/** A condition of a WHERE clause and its parameters. */
interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}

interface Cursor {
  readonly column: string;
  /** The column as text with every digit, which CAST can read back. */
  readonly asText: string;
  readonly present: Condition;
  above(value: string, parameter: string): Condition;
  below(value: string, parameter: string): Condition;
  atMost(value: string, parameter: string): Condition;
  /** Widens a condition to rows without a cursor value. */
  orEmpty(condition: Condition): Condition;
}

const CURSOR_TYPES =
  /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL(\(.*\))?|DATE|TIMESTAMP|TIMESTAMP_NTZ|STRING|(VAR)?CHAR\(\d+\))$/;

function createCursor(name: string, type: string): Cursor {
  const boundType = type.includes('CHAR(') ? 'STRING' : type;
  // A column may hold more digits than its described type, but a watermark has only those of the type.
  const column = `CAST(${name} AS ${boundType})`;
  const compare = (operator: string) => (value: string, parameter: string) => ({
    sql: `${column} ${operator} CAST(:${parameter} AS ${boundType})`,
    parameters: { [parameter]: value },
  });
  return {
    column,
    asText: `CAST(${column} AS STRING)`,
    present: { sql: `${name} IS NOT NULL`, parameters: {} },
    above: compare('>'),
    below: compare('<'),
    atMost: compare('<='),
    orEmpty: ({ sql, parameters }) => ({ sql: `(${sql} OR ${name} IS NULL)`, parameters }),
  };
}

async function measure(
  context: PlanContext,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
): Promise<{ high: string | null; total: number; emptyCursors: number }> {
  const [row] = await readAll(context, {
    sql: `SELECT CAST(MAX(${cursor.column}) AS STRING) AS high, COUNT(*) AS total, COUNT(*) - COUNT(${cursor.column}) AS empty_cursors FROM ${formatSource(input, conditions)}`,
    parameters: mergeParameters(conditions),
  });
  return {
    high: toText(row?.high),
    total: Number(row?.total ?? 0),
    emptyCursors: Number(row?.empty_cursors ?? 0),
  };
}

function countRows({ warehouse, signal }: PlanContext, statement: SelectStatement): Promise<number> {
  return warehouse.countRows(statement, signal);
}

/** Reads all rows of a statement that returns few. */
async function readAll({ warehouse, signal }: PlanContext, statement: SelectStatement): Promise<Row[]> {
  const options = { batchSize: SMALL_RESULT, resumeAfter: null, signal };
  const all: Row[] = [];
  for await (const { rows } of (await warehouse.readRows(statement, options)).batches) all.push(...rows);
  return all;
}

const SMALL_RESULT = 256;

function toText(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

function selectRows(
  input: TableInput,
  conditions: readonly Condition[],
  limit: number | null,
): SelectStatement {
  return {
    sql: `SELECT * FROM ${formatSource(input, conditions)}${limit === null ? '' : ` LIMIT ${limit}`}`,
    parameters: mergeParameters(conditions),
  };
}

function formatSource(
  input: { table: TableName; filter: string | null },
  conditions: readonly Condition[],
): string {
  const all = [...(input.filter === null ? [] : [`(${input.filter})`]), ...conditions.map(({ sql }) => sql)];
  return `${quoteTable(input.table)}${all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`}`;
}

function mergeParameters(conditions: readonly Condition[]): Record<string, ParameterValue> {
  return Object.assign({}, ...conditions.map(({ parameters }) => parameters));
}

function toPlannedPartition(
  statement: SelectStatement,
  rowCount: number,
  watermark: string | null,
): PlannedPartition {
  return { plan: { kind: 'STATEMENT', statement, watermark, rowCount }, totalItems: rowCount };
}
