import type { DataTypes } from '../data-types/data-types.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import {
  allowTable,
  bindParameter,
  compose,
  composeName,
  composeStatement,
  composeType,
  includeUnreadable,
  parseFilter,
} from '../sql-check/checked-statement.ts';
import {
  type AllowedTable,
  type CheckedSql,
  type CheckedStatement,
  type Row,
  type TableColumn,
  type Warehouse,
  WarehouseError,
} from '../warehouse/warehouse.ts';
import { RowCountError } from './counted-read.ts';
import type { CheckedPlan, PartitionInput, PlannedPartition } from './partition-task.ts';

export type TableInput = Extract<PartitionInput, { kind: 'TABLE' }>;

/** What to read, whose table and filter were checked. */
type CheckedInput = Omit<TableInput, 'table' | 'filter'> & {
  readonly table: AllowedTable;
  readonly filter: CheckedSql | null;
};

type CheckedPartition = PlannedPartition<CheckedPlan>;

/**
 * Plans what to read and, for a source with a cursor column, up to which value: later rows belong to the next sync. A large
 * table is split into several partitions, which all read the version that was planned.
 * @throws WarehouseError if the warehouse cannot be read, CHANGED if it was written meanwhile.
 */
export async function planPartition(
  context: PlanContext,
  unchecked: TableInput,
): Promise<readonly CheckedPartition[]> {
  const input: CheckedInput = {
    ...unchecked,
    table: allowTable(unchecked.table, context.allowedSchemas),
    filter: unchecked.filter === null ? null : parseFilter(unchecked.filter),
  };
  const findVersion = () => context.warehouse.findVersion([input.table], context.signal);
  const version = await findVersion();
  const partitions = await planCurrent(context, input);
  if ((await findVersion()) !== version)
    throw new WarehouseError('CHANGED', 'the table was changed while its rows were counted.');
  return partitions.map(({ plan, totalItems }) => ({
    plan: plan.kind === 'STATEMENT' ? { ...plan, version } : plan,
    totalItems,
  }));
}

async function planCurrent(context: PlanContext, input: CheckedInput): Promise<readonly CheckedPartition[]> {
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
  partitions: readonly CheckedPartition[],
  unreadable: number,
): readonly CheckedPartition[] {
  return partitions.map(({ plan, totalItems }, index) => {
    if (plan.kind !== 'STATEMENT') return { plan, totalItems };
    return index === 0
      ? toPlannedPartition(includeUnreadable(plan.statement), totalItems + unreadable, null)
      : toPlannedPartition(plan.statement, totalItems, null);
  });
}

/** The warehouse to plan with, and the signal that interrupts its statements. */
export interface PlanContext {
  readonly warehouse: Warehouse;
  readonly allowedSchemas: readonly SchemaPattern[];
  readonly dataTypes: DataTypes;
  readonly signal: AbortSignal;
}

async function planTable(
  context: PlanContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
): Promise<CheckedPartition> {
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
  const cursor = createCursor(composeName(column.name), column.type);
  return input.syncType === 'FULL'
    ? planFull(context, input, cursor)
    : planIncremental(context, input, cursor);
}

async function planWithoutCursor(context: PlanContext, input: CheckedInput) {
  const statement = selectRows(input, [], input.maxItems);
  return toPlannedPartition(statement, await context.warehouse.countRows(statement, context.signal), null);
}

async function planFull(context: PlanContext, input: CheckedInput, cursor: Cursor) {
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

async function planIncremental(context: PlanContext, input: CheckedInput, cursor: Cursor) {
  const pastWatermark = input.watermark === null ? [] : [cursor.above(input.watermark, 'low')];
  // Once a watermark is set, rows without a cursor are skipped, so they are read before.
  const withEmpty = input.watermark === null ? cursor.orEmpty : (condition: CheckedSql) => condition;
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
  input: CheckedInput,
  cursor: Cursor,
  conditions: readonly CheckedSql[],
  offset: number,
): Promise<string | null> {
  if (offset < 0) return null;
  const source = composeSource(input, [...conditions, cursor.present]);
  const [row] = await readAll(
    context,
    composeStatement`SELECT ${cursor.asText} AS value FROM ${source} ORDER BY ${cursor.column} LIMIT 1 OFFSET ${offset}`,
  );
  return toText(row?.value);
}

/**
 * Splits a large read into partitions that can run in parallel, by the hash of a column: each row is in exactly one of
 * them, and their sizes are about equal whatever the values are. A limited read is not split.
 */
async function splitPartition(
  context: PlanContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
  whole: CheckedPartition,
): Promise<readonly CheckedPartition[]> {
  const column = findPartitionColumn(context, input, columns);
  const wanted = Math.min(MAX_PARTITIONS, Math.ceil(whole.totalItems / input.partitionRows));
  if (wanted < 2 || column === null || input.maxItems !== null || whole.plan.kind !== 'STATEMENT')
    return [whole];

  const { statement, watermark } = whole.plan;
  const bucket = compose`SUBSTRING(MD5(COALESCE(CAST(${composeName(column)} AS STRING), '')), 1, 2)`;
  const rows = await readAll(
    context,
    composeStatement`SELECT ${bucket} AS bucket, COUNT(*) AS total FROM (${statement}) GROUP BY ${bucket}`,
  );
  const counted = rows.map(({ bucket: name, total }) => ({ name: String(name), total: Number(total) }));
  const sum = counted.reduce((rowCount, { total }) => rowCount + total, 0);
  if (sum !== whole.totalItems) throw new RowCountError(whole.totalItems, sum);
  return groupBuckets(counted, wanted).map(({ after, last, total }) =>
    toPlannedPartition(
      composeStatement`SELECT * FROM (${statement}) WHERE ${bucket} > ${bindParameter('after_bucket', after)} AND ${bucket} <= ${bindParameter('last_bucket', last)}`,
      total,
      watermark,
    ),
  );
}

/** The most partitions of a source. Each scans the whole table, so more of them cost the warehouse more. */
const MAX_PARTITIONS = 16;

function findPartitionColumn(
  { dataTypes }: PlanContext,
  { dataType, cursorColumn }: CheckedInput,
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

interface Cursor {
  readonly column: CheckedSql;
  /** The column as text with every digit, which CAST can read back. */
  readonly asText: CheckedSql;
  readonly present: CheckedSql;
  above(value: string, parameter: BoundParameter): CheckedSql;
  below(value: string, parameter: BoundParameter): CheckedSql;
  atMost(value: string, parameter: BoundParameter): CheckedSql;
  /** Widens a condition to rows without a cursor value. */
  orEmpty(condition: CheckedSql): CheckedSql;
}

type BoundParameter = Parameters<typeof bindParameter>[0];

const CURSOR_TYPES =
  /^(TINYINT|SMALLINT|INT|BIGINT|DECIMAL(\(\d+(, ?\d+)?\))?|DATE|TIMESTAMP|TIMESTAMP_NTZ|STRING|(VAR)?CHAR\(\d+\))$/;

function createCursor(name: CheckedSql, describedType: string): Cursor {
  const type = composeType(describedType.includes('CHAR(') ? 'STRING' : describedType);
  // A column may hold more digits than its described type, but a watermark has only those of the type.
  const column = compose`CAST(${name} AS ${type})`;
  const compare = (operator: CheckedSql) => (value: string, parameter: BoundParameter) =>
    compose`${column} ${operator} CAST(${bindParameter(parameter, value)} AS ${type})`;
  return {
    column,
    asText: compose`CAST(${column} AS STRING)`,
    present: compose`${name} IS NOT NULL`,
    above: compare(compose`>`),
    below: compare(compose`<`),
    atMost: compare(compose`<=`),
    orEmpty: (condition) => compose`(${condition} OR ${name} IS NULL)`,
  };
}

async function measure(
  context: PlanContext,
  input: CheckedInput,
  cursor: Cursor,
  conditions: readonly CheckedSql[],
): Promise<{ high: string | null; total: number; emptyCursors: number }> {
  const { column } = cursor;
  const [row] = await readAll(
    context,
    composeStatement`SELECT CAST(MAX(${column}) AS STRING) AS high, COUNT(*) AS total, COUNT(*) - COUNT(${column}) AS empty_cursors FROM ${composeSource(input, conditions)}`,
  );
  return {
    high: toText(row?.high),
    total: Number(row?.total ?? 0),
    emptyCursors: Number(row?.empty_cursors ?? 0),
  };
}

/** Reads all rows of a statement that returns few. */
async function readAll({ warehouse, signal }: PlanContext, statement: CheckedStatement): Promise<Row[]> {
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
  input: CheckedInput,
  conditions: readonly CheckedSql[],
  limit: number | null,
): CheckedStatement {
  const limited = limit === null ? compose`` : compose` LIMIT ${limit}`;
  return composeStatement`SELECT * FROM ${composeSource(input, conditions)}${limited}`;
}

function composeSource({ table, filter }: CheckedInput, conditions: readonly CheckedSql[]): CheckedSql {
  const [first, ...others] = filter === null ? conditions : [filter, ...conditions];
  if (first === undefined) return compose`${table}`;
  return others.reduce((left, right) => compose`${left} AND ${right}`, compose`${table} WHERE ${first}`);
}

function toPlannedPartition(
  statement: CheckedStatement,
  rowCount: number,
  watermark: string | null,
): CheckedPartition {
  const plan = { kind: 'STATEMENT', statement, watermark, rowCount, version: null } as const;
  return { plan, totalItems: rowCount };
}
