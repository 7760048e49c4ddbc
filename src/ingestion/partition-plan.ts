import { findDataType } from '../data-types/registry.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { qualifiedName, quoteIdentifier } from '../sql-check/statement.ts';
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
 * Decides what is read and, for a source with a cursor column, up to where: rows that arrive in the warehouse later
 * belong to the next sync. A large table is read in several partitions.
 * @throws WarehouseError where the warehouse cannot be read.
 */
export async function planPartition(asking: Asking, input: TableInput): Promise<readonly PlannedPartition[]> {
  // Asked first, so that a missing table is told as one.
  const columns = await asking.warehouse.describeTable(input.table, asking.signal);
  const partitions = await split(asking, input, columns, await planTable(asking, input, columns));
  const unreadable = await asking.warehouse.countUnreadable(input.table, asking.signal);
  return unreadable === 0 ? partitions : withUnreadable(partitions, unreadable);
}

/**
 * The first partition has the lines that are no rows, whatever it reads of the others; and the watermark stays where it is,
 * as one of them may be below it once it is mended.
 */
function withUnreadable(
  partitions: readonly PlannedPartition[],
  unreadable: number,
): readonly PlannedPartition[] {
  return partitions.map(({ plan, totalItems }, index) => {
    if (plan.kind !== 'STATEMENT') return { plan, totalItems };
    const isFirst = index === 0;
    return {
      plan: { ...plan, statement: { ...plan.statement, withUnreadable: isFirst }, watermark: null },
      totalItems: totalItems + (isFirst ? unreadable : 0),
    };
  });
}

/** What the warehouse is asked with. */
export interface Asking {
  readonly warehouse: Warehouse;
  readonly signal: AbortSignal;
}

async function planTable(
  asking: Asking,
  input: TableInput,
  columns: readonly TableColumn[],
): Promise<PlannedPartition> {
  if (input.cursorColumn === null) return planWithoutCursor(asking, input);

  const wanted = asciiLowerCase(input.cursorColumn);
  const column = columns.find(({ name }) => asciiLowerCase(name) === wanted);
  if (column === undefined) {
    if (input.syncType === 'FULL') return planWithoutCursor(asking, input);
    throw new WarehouseError('STATEMENT_FAILED', `the table has no column ${input.cursorColumn} to sync by`);
  }
  if (!CURSOR_TYPES.test(column.type)) {
    if (input.syncType === 'FULL') return planWithoutCursor(asking, input);
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `column ${column.name} is of type ${column.type}, which has no order to sync by: it takes a number, a date, a timestamp or a string`,
    );
  }
  const cursor = createCursor(quoteIdentifier(column.name), column.type);
  return input.syncType === 'FULL' ? planFull(asking, input, cursor) : planIncremental(asking, input, cursor);
}

async function planWithoutCursor(asking: Asking, input: TableInput) {
  const statement = selectRows(input, [], input.maxItems);
  return planned(statement, await countRows(asking, statement), null);
}

async function planFull(asking: Asking, input: TableInput, cursor: Cursor) {
  const { high, total } = await measure(asking, input, cursor, []);
  const limited = input.maxItems !== null && total > input.maxItems;
  const upToHigh = high === null ? [] : [cursor.orEmpty(cursor.atMost(high, 'high'))];
  return planned(
    selectRows(input, upToHigh, input.maxItems),
    limited && input.maxItems !== null ? input.maxItems : total,
    // What a filter or a limit left out has not been synced, so the watermark must not pass it.
    limited || input.filter !== null ? null : high,
  );
}

async function planIncremental(asking: Asking, input: TableInput, cursor: Cursor) {
  const pastWatermark = input.watermark === null ? [] : [cursor.above(input.watermark, 'low')];
  // A watermark once set passes rows without a cursor by, so they are read before it is.
  const withEmpty = input.watermark === null ? cursor.orEmpty : (condition: Condition) => condition;
  const { high, total, emptyCursors } = await measure(asking, input, cursor, pastWatermark);
  const movesTo = (watermark: string | null) => (input.filter === null ? watermark : null);

  if (input.maxItems === null || total <= input.maxItems) {
    const upToHigh = high === null ? [] : [withEmpty(cursor.atMost(high, 'high'))];
    return planned(selectRows(input, [...pastWatermark, ...upToHigh], null), total, movesTo(high));
  }

  // A limited sync takes the oldest rows, and only whole groups of equal cursor values: the watermark could not
  // tell the rest of a group from what has been read. Rows without a cursor are the oldest of these groups.
  const firstLeftOut = await valueAt(asking, input, cursor, pastWatermark, input.maxItems - emptyCursors);
  if (firstLeftOut !== null) {
    const whole = [...pastWatermark, withEmpty(cursor.below(firstLeftOut, 'high'))];
    const wholeGroups = await measure(asking, input, cursor, whole);
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
  asking: Asking,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
  offset: number,
): Promise<string | null> {
  if (offset < 0) return null;
  const [row] = await readAll(asking, {
    sql: `SELECT ${cursor.asText} AS value FROM ${from(input, [...conditions, cursor.present])} ORDER BY ${cursor.column} LIMIT 1 OFFSET ${offset}`,
    parameters: parametersOf(conditions),
  });
  return textOf(row?.value);
}

/**
 * Splits a large read into partitions that can run side by side, by the hash of a column: each row is in exactly one
 * of them, and they are about the same size whatever the values are. A limited read stays whole.
 */
async function split(
  asking: Asking,
  input: TableInput,
  columns: readonly TableColumn[],
  whole: PlannedPartition,
): Promise<readonly PlannedPartition[]> {
  const column = partitionColumn(input, columns);
  const wanted = Math.min(MAX_PARTITIONS, Math.ceil(whole.totalItems / input.partitionRows));
  if (wanted < 2 || column === null || input.maxItems !== null || whole.plan.kind !== 'STATEMENT')
    return [whole];

  const { statement, watermark } = whole.plan;
  const bucket = `SUBSTRING(MD5(COALESCE(CAST(${quoteIdentifier(column)} AS STRING), '')), 1, 2)`;
  const rows = await readAll(asking, {
    sql: `SELECT ${bucket} AS bucket, COUNT(*) AS total FROM (${statement.sql}) AS whole GROUP BY ${bucket}`,
    parameters: statement.parameters,
  });
  const counted = rows.map(({ bucket: name, total }) => ({ name: String(name), total: Number(total) }));
  const sum = counted.reduce((rowCount, { total }) => rowCount + total, 0);
  if (sum !== whole.totalItems) throw new RowCountError(whole.totalItems, sum);
  return groupBuckets(counted, wanted).map(({ after, last, total }) =>
    planned(
      {
        sql: `SELECT * FROM (${statement.sql}) AS whole WHERE ${bucket} > :after_bucket AND ${bucket} <= :last_bucket`,
        parameters: { ...statement.parameters, after_bucket: after, last_bucket: last },
      },
      total,
      watermark,
    ),
  );
}

/** The most partitions of one source: each scans the table anew, so more of them cost the warehouse more. */
const MAX_PARTITIONS = 16;

function partitionColumn(
  { dataType, cursorColumn }: TableInput,
  columns: readonly TableColumn[],
): string | null {
  const wanted = [
    ...(findDataType(dataType)?.identifyingColumns ?? []),
    ...(cursorColumn === null ? [] : [cursorColumn]),
  ];
  for (const name of wanted) {
    const found = columns.find((column) => asciiLowerCase(column.name) === asciiLowerCase(name));
    if (found !== undefined) return found.name;
  }
  return null;
}

interface BucketGroup {
  /** The group begins past this bucket. */
  readonly after: string;
  readonly last: string;
  readonly total: number;
}

/** Cuts the buckets, in the order of their names, into at most `wanted` groups of about the same total. */
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
    // The last group is open, so that a row that came since the count is in it, too.
    groups.push({ after, last: isLast ? LAST_BUCKET : name, total: groupTotal });
    rest -= groupTotal;
    after = name;
    groupTotal = 0;
  });
  return groups;
}

const LAST_BUCKET = 'ff';

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

const CURSOR_TYPES =
  /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL(\(.*\))?|DATE|TIMESTAMP|TIMESTAMP_NTZ|STRING|(VAR)?CHAR\(\d+\))$/;

function createCursor(name: string, type: string): Cursor {
  const boundType = type.includes('CHAR(') ? 'STRING' : type;
  // A column may hold more digits than the type it is described as: a watermark has only those of the type.
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
  asking: Asking,
  input: TableInput,
  cursor: Cursor,
  conditions: readonly Condition[],
): Promise<{ high: string | null; total: number; emptyCursors: number }> {
  const [row] = await readAll(asking, {
    sql: `SELECT CAST(MAX(${cursor.column}) AS STRING) AS high, COUNT(*) AS total, COUNT(*) - COUNT(${cursor.column}) AS empty_cursors FROM ${from(input, conditions)}`,
    parameters: parametersOf(conditions),
  });
  return {
    high: textOf(row?.high),
    total: Number(row?.total ?? 0),
    emptyCursors: Number(row?.empty_cursors ?? 0),
  };
}

function countRows({ warehouse, signal }: Asking, statement: SelectStatement): Promise<number> {
  return warehouse.countRows(statement, signal);
}

/** The rows of a statement that gives few. */
async function readAll({ warehouse, signal }: Asking, statement: SelectStatement): Promise<Row[]> {
  const options = { batchSize: SMALL_RESULT, resumeAfter: null, signal };
  const all: Row[] = [];
  for await (const { rows } of (await warehouse.readRows(statement, options)).batches) all.push(...rows);
  return all;
}

const SMALL_RESULT = 256;

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

function planned(statement: SelectStatement, rowCount: number, watermark: string | null): PlannedPartition {
  return { plan: { kind: 'STATEMENT', statement, watermark, rowCount }, totalItems: rowCount };
}
