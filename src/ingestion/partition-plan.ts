import {
  allowTable,
  bindParameter,
  compose,
  composeName,
  composeStatement,
  composeType,
  includeUnreadable,
} from '../sql-check/checked-statement.ts';
import { findColumn } from '../warehouse/find-column.ts';
import { type CheckedSql, type TableColumn, WarehouseError } from '../warehouse/warehouse.ts';
import { planChanges } from './change-plan.ts';
import { checkSchema } from './check-schema.ts';
import { chooseReading } from './choose-reading.ts';
import {
  CURSOR_TYPES,
  type Cursor,
  createCursor,
  haveOneOrder,
  isTextColumn,
  stepBack,
  TEXT_CURSORS,
  toLatest,
  type Watermark,
} from './cursor.ts';
import { findMeasure, measureChanges } from './measured-copy.ts';
import type { CheckedPlan, DeletePlan, FeedOutcome, PlannedPartition } from './partition-task.ts';
import {
  type CheckedInput,
  type CheckedPartition,
  type CursorFacts,
  composeSource,
  NO_CURSOR,
  type PlanContext,
  type ReadContext,
  readAll,
  selectRows,
  type TableInput,
  toPlannedPartition,
  toText,
} from './plan-parts.ts';
import { splitPartition } from './split-partition.ts';

/**
 * Plans what to read and, for a source with a cursor column, up to which value: later rows belong to the next sync. A large
 * table is split into several partitions, which all read the version that was planned.
 * @throws WarehouseError if the warehouse cannot be read, CHANGED if it was written meanwhile; SchemaChangedError if the
 * source must not go on with the columns of its table.
 */
export async function planPartition(
  context: PlanContext,
  unchecked: TableInput,
): Promise<readonly PlannedPartition<CheckedPlan>[]> {
  const table = allowTable(unchecked.table, context.allowedSchemas);
  const input: CheckedInput = { ...unchecked, table, filter: await checkFilter(unchecked.filter) };
  const { warehouse, signal } = context;
  const version = await warehouse.findVersion([input.table], signal);
  const { history } = warehouse;
  const reader = version === null ? warehouse : (history?.readAt(version) ?? warehouse);
  // First, so that a missing table is reported as such.
  const columns = await reader.describeTable(input.table, signal);
  const schema = await checkSchema(context, input, columns, version);
  const reading = await chooseReading(context, input, version, schema?.changes ?? []);
  if (reading.kind === 'CHANGES') {
    const { identifyingColumns = [] } = context.dataTypes.find(input.dataType) ?? {};
    const deletesGone = input.choice?.deletesGone === true;
    const { plan, totalItems } = planChanges(
      input.table,
      columns,
      identifyingColumns,
      reading.from,
      deletesGone,
    );
    const tableVersion = version === null ? null : (history?.describe(version) ?? null);
    const measure = await measureChanges({ ...context, reader, version }, input);
    return [{ plan: { ...plan, version, tableVersion, measure, feed: 'SET' }, totalItems, schema }];
  }
  const { kind: _, reason: snapshotReason, ...chosen } = reading;
  return planRows({ ...context, reader, version }, { ...input, ...chosen }, columns, {
    schema,
    snapshotReason,
  });
}

type SourceFacts = Pick<CheckedPartition, 'schema' | 'snapshotReason'>;

async function planRows(
  context: ReadContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
  facts: SourceFacts,
): Promise<readonly CheckedPartition[]> {
  const { warehouse, version, signal } = context;
  const { history } = warehouse;
  const partitions = await planVersion(context, input, columns);
  if (history === undefined && (await warehouse.findVersion([input.table], signal)) !== version)
    throw new WarehouseError('CHANGED', 'the table was changed while its rows were counted.');
  const tableVersion = version === null ? null : (history?.describe(version) ?? null);
  const isAtOneMoment = version !== null || partitions.length === 1;
  const deletes = planDeletes(input, isAtOneMoment);
  const feed = isAtOneMoment ? findFeed(context, input) : null;
  return partitions.map((partition) => {
    const { plan, totalItems } = isAtOneMoment ? partition : addWarning(partition, MOMENTS);
    return {
      plan:
        plan.kind === 'STATEMENT' ? { ...plan, version, tableVersion, deletes, ...(feed && { feed }) } : plan,
      ...{ totalItems, ...facts },
    };
  });
}

/**
 * Finds what reading rows says about the change feed of their table; null if it says nothing, because they are not all, or because
 * items of rows that are gone stay, whose deletes are then still to be read.
 */
function findFeed(
  { warehouse: { history }, version }: ReadContext,
  { choice, syncType, cursorColumn, deletesGone }: CheckedInput,
): FeedOutcome | null {
  if (choice === null || (syncType !== 'FULL' && cursorColumn !== null)) return null;
  if (choice.deletesGone && !deletesGone) return null;
  return version !== null && history?.changes?.isKept(version) === true ? 'SET' : 'FORGET';
}

async function checkFilter(filter: string | null): Promise<CheckedSql | null> {
  if (filter === null) return null;
  const { parseFilter } = await import('../sql-check/parse-statement.ts');
  return parseFilter(filter);
}

/** Decides whether the rows that are read prove that others are gone. */
function planDeletes(
  { deletesGone, filter, maxItems }: CheckedInput,
  isAtOneMoment: boolean,
): DeletePlan | null {
  if (!deletesGone) return null;
  if (filter !== null) return { isAllowed: false, reason: 'the filter of the sync leaves rows out' };
  if (maxItems !== null) return { isAllowed: false, reason: 'the limit of the sync can leave rows out' };
  if (!isAtOneMoment)
    return { isAllowed: false, reason: 'the partitions read the table at different moments' };
  return { isAllowed: true };
}

async function planVersion(
  context: ReadContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
): Promise<readonly CheckedPartition[]> {
  const whole = await planTable(context, input, columns);
  const split = await splitPartition(context, input, columns, whole);
  const measure = await findMeasure(context, input, columns, {
    rowCount: whole.totalItems,
    parts: split.length,
  });
  const partitions = split.map(({ plan, totalItems }) => ({
    plan: plan.kind === 'STATEMENT' ? { ...plan, measure } : plan,
    totalItems,
  }));
  const unreadable = await context.warehouse.countUnreadable(input.table, context.signal);
  if (unreadable === 0) return partitions;
  const isHeldBack = input.maxItems !== null && input.syncType === 'INCREMENTAL';
  const moves = partitions.some(({ plan }) => plan.kind === 'STATEMENT' && plan.watermark !== null);
  const warned = isHeldBack && moves ? partitions.map((each) => addWarning(each, UNREADABLE)) : partitions;
  return addUnreadable(context, warned, unreadable);
}

/** Why a limited sync does not get on, which its errors alone would not say. */
const UNREADABLE =
  'Lines of the table cannot be read, so the watermark did not move, and the next sync with a limit reads the same rows: repair the lines, or sync without a limit';

/**
 * Adds unreadable lines to the partitions of their files, or else to the first. The watermark does not move, because a line
 * may be below it once it is repaired.
 */
async function addUnreadable(
  { reader, signal }: ReadContext,
  partitions: readonly CheckedPartition[],
  unreadable: number,
): Promise<readonly CheckedPartition[]> {
  return Promise.all(
    partitions.map(async ({ plan, totalItems }, index) => {
      if (plan.kind !== 'STATEMENT') return { plan, totalItems };
      const unmoved = { ...plan, watermark: null };
      if (index > 0 && plan.statement.parts === null) return { plan: unmoved, totalItems };
      const statement = includeUnreadable(plan.statement);
      const rowCount =
        plan.statement.parts === null ? totalItems + unreadable : await reader.countRows(statement, signal);
      return { plan: { ...unmoved, statement, rowCount }, totalItems: rowCount };
    }),
  );
}

async function planTable(
  context: ReadContext,
  input: CheckedInput,
  columns: readonly TableColumn[],
): Promise<CheckedPartition> {
  if (input.cursorColumn === null) return planWithoutCursor(context, input);

  const column = findColumn(columns, input.cursorColumn);
  if (column === undefined) {
    if (input.syncType === 'FULL') return planWithoutCursor(context, input);
    const { totalItems } = await planWithoutCursor(context, input);
    throw new WarehouseError(
      'STATEMENT_FAILED',
      totalItems === 0 && columns.length <= 1
        ? `the table is empty: it has no rows, and no column ${input.cursorColumn} to sync by`
        : `the table has no column ${input.cursorColumn} to sync by`,
    );
  }
  if (!CURSOR_TYPES.test(column.type)) {
    if (input.syncType === 'FULL') return planWithoutCursor(context, input);
    throw new WarehouseError(
      'STATEMENT_FAILED',
      `column ${column.name} is of type ${column.type}, which has no order to sync by: use a number, a date, a timestamp or a string`,
    );
  }
  const cursor = await openCursor(context, input, column);
  return input.syncType === 'FULL'
    ? planFull(context, input, cursor)
    : planIncremental(context, input, cursor);
}

async function planWithoutCursor(context: ReadContext, input: CheckedInput) {
  const statement = selectRows(input, [], input.maxItems);
  return toPlannedPartition(statement, await context.reader.countRows(statement, context.signal), NO_CURSOR);
}

/** Finds out how to compare a column: texts of numbers or times are compared as such if most of its cells are. */
async function openCursor(context: ReadContext, input: CheckedInput, column: TableColumn): Promise<Cursor> {
  if (!isTextColumn(column)) return createCursor(column, column.type);
  const cursors = TEXT_CURSORS.map(({ type }) => createCursor(column, type));
  const [first = compose``, ...others] = cursors.map(
    ({ column: value }, index) => compose`COUNT(${value}) AS ${composeName(`fits_${index}`)}`,
  );
  const fits = others.reduce((left, right) => compose`${left}, ${right}`, first);
  const name = composeName(column.name);
  const filled = compose`COUNT(NULLIF(TRIM(CAST(${name} AS STRING)), '')) AS filled`;
  const [row] = await readAll(
    context,
    composeStatement`SELECT ${filled}, ${fits} FROM ${composeSource({ ...input, filter: null }, [])}`,
  );
  const counted = cursors.map((cursor, index) => ({ cursor, count: Number(row?.[`fits_${index}`] ?? 0) }));
  const most = Math.max(...counted.map(({ count }) => count));
  const fitting = counted.filter(({ count }) => count === most && count * 2 > Number(row?.filled ?? 0));
  const stored = fitting.find(({ cursor }) => cursor.type === input.watermark?.type);
  return (stored ?? fitting[0])?.cursor ?? createCursor(column, 'STRING');
}

async function planFull(context: ReadContext, input: CheckedInput, cursor: Cursor) {
  const measured = await measure(context, input, cursor, []);
  const { high, total } = measured;
  const limited = input.maxItems !== null && total > input.maxItems;
  const upToHigh = high === null ? [] : [orUntyped(cursor, cursor.atMost(high, 'high'))];
  return toPlannedPartition(
    selectRows(input, upToHigh, input.maxItems),
    limited && input.maxItems !== null ? input.maxItems : total,
    // The watermark must not pass rows that a filter or a limit left out.
    limited || input.filter !== null
      ? describeBad(cursor, measured)
      : describeCursor(context, cursor, measured),
  );
}

async function planIncremental(
  context: ReadContext,
  input: CheckedInput,
  cursor: Cursor,
): Promise<CheckedPartition> {
  const { mark, reason } = await findMark(context, input, cursor);
  const planned = await planFrom(context, input, cursor, mark);
  return reason === null ? planned : addReadAgain(planned, reason);
}

/** Plans an INCREMENTAL read. @param mark the watermark; null to read everything. */
async function planFrom(
  context: ReadContext,
  input: CheckedInput,
  cursor: Cursor,
  mark: string | null,
): Promise<CheckedPartition> {
  const low = mark === null ? null : stepBack(mark, cursor.type, input.lookback);
  // Rows at the watermark are read again, because others with its value may have come since.
  const fromWatermark = low === null ? [] : [cursor.from(low, 'low')];
  // Once a watermark is set, rows without a cursor are skipped, so they are read before. Bad ones may get any value.
  const withOthers = low === null ? orUntyped : orBad;
  const all = fromWatermark.map((condition) => orBad(cursor, condition));
  const measured = await measure(context, input, cursor, all, mark);
  const { high, total, untyped } = measured;
  // The row that the watermark is from was there, so this is not the table that it was.
  if (mark !== null && input.filter === null && measured.reached === null && !measured.isAhead)
    return addReadAgain(
      await planFrom(context, input, cursor, null),
      `No row of the table is at or after the watermark any more`,
    );
  const toFacts = (found: Measured) =>
    input.filter === null ? describeCursor(context, cursor, found) : describeBad(cursor, found);

  // Rows up to the watermark do not count, or a limit could not get past them.
  const known =
    mark === null || input.maxItems === null
      ? 0
      : (await measure(context, input, cursor, [...fromWatermark, cursor.atMost(mark, 'high')])).total;
  const maxItems = input.maxItems === null ? null : input.maxItems + known;
  if (maxItems === null || total <= maxItems) {
    if (high === null) return toPlannedPartition(selectRows(input, all, null), total, toFacts(measured));
    const upToHigh = cursor.atMost(high, 'high');
    const between = low === null ? upToHigh : compose`${cursor.from(low, 'low')} AND ${upToHigh}`;
    return toPlannedPartition(
      selectRows(input, [withOthers(cursor, between)], null),
      total,
      toFacts(measured),
    );
  }

  // A limited sync reads the oldest rows, in whole groups of equal cursor values, because the watermark cannot split a group.
  // Rows without a cursor are the oldest group; bad ones are left to the first sync and to those without a limit.
  const rest = low === null ? maxItems - untyped : maxItems;
  const firstLeftOut = await findValueAt(context, input, cursor, fromWatermark, rest);
  const withEmpty = (condition: CheckedSql) => (low === null ? orUntyped(cursor, condition) : condition);
  if (firstLeftOut !== null || low !== null) {
    const below = firstLeftOut === null ? [] : [withEmpty(cursor.below(firstLeftOut, 'high'))];
    const whole = [...fromWatermark, ...below];
    const wholeGroups = await measure(context, input, cursor, whole, mark);
    if (wholeGroups.total > known) {
      return toPlannedPartition(selectRows(input, whole, null), wholeGroups.total, toFacts(wholeGroups));
    }
  }
  const pastWatermark = mark === null ? [] : [cursor.above(mark, 'low')];
  const oldestGroup =
    firstLeftOut === null ? pastWatermark : [...pastWatermark, cursor.atMost(firstLeftOut, 'high')];
  const limit = input.maxItems ?? 0;
  const { total: available } = await measure(context, input, cursor, oldestGroup);
  const planned = toPlannedPartition(
    selectRows(input, oldestGroup, limit),
    Math.min(limit, available),
    describeBad(cursor, measured),
  );
  return available > limit && input.filter === null
    ? addWarning(
        planned,
        `More rows than the limit of the sync come next with one value of ${cursor.name}, or none, so the watermark did not move, and the next sync with this limit reads the same rows: raise the limit`,
      )
    : planned;
}

/** Widens a condition to rows without a value of the cursor's type. */
function orUntyped({ column }: Cursor, condition: CheckedSql): CheckedSql {
  return compose`(${condition} OR ${column} IS NULL)`;
}

/** Widens a condition to rows whose cells have no value of the cursor's type. */
function orBad({ isBad }: Cursor, condition: CheckedSql): CheckedSql {
  return isBad === null ? condition : compose`(${condition} OR ${isBad})`;
}

/** The value to read from; null for everything, with the reason if the source has a watermark that does not count. */
interface Mark {
  readonly mark: string | null;
  readonly reason: string | null;
}

/** Finds the watermark of a source, unless it belongs to another table or to a cursor of another kind. */
async function findMark(context: ReadContext, input: CheckedInput, cursor: Cursor): Promise<Mark> {
  const { watermark, watermarkVersion, copy } = input;
  if (watermark === null) return { mark: null, reason: null };
  const missed = copy?.missedRows ?? 0;
  if (missed > 0)
    return {
      mark: null,
      reason: `The copy lacked ${missed} ${missed === 1 ? 'row' : 'rows'} of the table, such as rows that were committed late`,
    };
  const { version, signal } = context;
  const { history } = context.warehouse;
  if (!haveOneOrder(watermark.type, cursor.type))
    return {
      mark: null,
      reason: `The watermark is a ${watermark.type}, and ${cursor.name} is now a ${cursor.type}`,
    };
  if (version !== null && watermarkVersion !== null && history !== undefined) {
    const reason = await history.findRewrite(watermarkVersion, version, signal);
    if (reason !== null) return { mark: null, reason };
  }
  const mark = await readWatermark(context, watermark, cursor);
  return { mark, reason: mark === null ? `The watermark is too far ahead, or no ${cursor.type}` : null };
}

/**
 * Reads the watermark as a value of the cursor's type.
 * @returns null if there is none that the column can be compared with, or one that is too far ahead: everything is then
 * read again.
 */
async function readWatermark(
  context: ReadContext,
  watermark: Watermark,
  { type }: Cursor,
): Promise<string | null> {
  const latest = context.latestWatermark && toLatest(context.latestWatermark, type);
  if (watermark.type === type && latest === null) return watermark.value;
  const valueType = composeType(type);
  const value = compose`TRY_CAST(${bindParameter('low', watermark.value)} AS ${valueType})`;
  const timely =
    latest === null
      ? value
      : compose`CASE WHEN ${value} <= CAST(${bindParameter('latest', latest)} AS ${valueType}) THEN ${value} END`;
  const [row] = await readAll(context, composeStatement`SELECT CAST(${timely} AS STRING) AS value`);
  return toText(row?.value);
}

/** Tells people that an INCREMENTAL sync had to read everything. */
function addReadAgain(partition: CheckedPartition, reason: string): CheckedPartition {
  return addWarning(partition, `${reason}: all rows were read, and the watermark is theirs`);
}

/** Why the copy of a table can be a mixture. */
const MOMENTS =
  'The table has no versions that can be read, so its partitions were read at different moments: leave out partitionRows to read it with one statement';

function addWarning({ plan, totalItems }: CheckedPartition, text: string): CheckedPartition {
  if (plan.kind !== 'STATEMENT') return { plan, totalItems };
  const warning = [text, plan.warning];
  return { plan: { ...plan, warning: warning.filter((text) => text !== undefined).join('; ') }, totalItems };
}

/** What follows from the values of a cursor: the next watermark, and what is wrong with some of them. */
function describeCursor({ latestWatermark }: PlanContext, cursor: Cursor, measured: Measured): CursorFacts {
  const { reached, isAhead } = measured;
  const latest = latestWatermark && toLatest(latestWatermark, cursor.type);
  const warning = isAhead
    ? {
        warning: `${cursor.name} has times after ${latest} UTC, which is too far ahead: the watermark stays before them`,
      }
    : {};
  return {
    ...describeBad(cursor, measured),
    watermark: reached === null ? null : { value: reached, type: cursor.type },
    ...warning,
  };
}

function describeBad({ name, type }: Cursor, { bad }: Measured): CursorFacts {
  return { watermark: null, ...(bad === 0 ? {} : { cursor: { column: name, type } }) };
}

/** Finds the cursor value of the row at an offset in cursor order; null if there is none. */
async function findValueAt(
  context: ReadContext,
  input: CheckedInput,
  cursor: Cursor,
  conditions: readonly CheckedSql[],
  offset: number,
): Promise<string | null> {
  if (offset < 0) return null;
  const source = composeSource(input, [...conditions, compose`${cursor.column} IS NOT NULL`]);
  const [row] = await readAll(
    context,
    composeStatement`SELECT CAST(${cursor.column} AS STRING) AS value FROM ${source} ORDER BY ${cursor.column} LIMIT 1 OFFSET ${offset}`,
  );
  return toText(row?.value);
}

interface Measured {
  /** The greatest value. */
  readonly high: string | null;
  /** The greatest value that is not too far ahead, and not below the watermark. */
  readonly reached: string | null;
  /** Whether values are too far ahead. */
  readonly isAhead: boolean;
  readonly total: number;
  /** The rows without a value. */
  readonly untyped: number;
  /** Those of them whose cells are not empty. */
  readonly bad: number;
}

async function measure(
  context: ReadContext,
  input: CheckedInput,
  cursor: Cursor,
  conditions: readonly CheckedSql[],
  mark: string | null = null,
): Promise<Measured> {
  const { column, isBad, type } = cursor;
  const latest = context.latestWatermark && toLatest(context.latestWatermark, type);
  const bad = isBad === null ? compose`0` : compose`COUNT(CASE WHEN ${isBad} THEN 1 END)`;
  const isTimely = [
    ...(latest ? [cursor.atMost(latest, 'latest')] : []),
    // With a lookback, rows before the watermark are read as well.
    ...(mark === null ? [] : [cursor.from(mark, 'mark')]),
  ];
  const [first, ...others] = isTimely;
  const timely =
    first === undefined
      ? column
      : compose`CASE WHEN ${others.reduce((left, right) => compose`${left} AND ${right}`, first)} THEN ${column} END`;
  const ahead = latest ? compose`COUNT(CASE WHEN ${cursor.above(latest, 'latest')} THEN 1 END)` : compose`0`;
  const [row] = await readAll(
    context,
    composeStatement`SELECT CAST(MAX(${column}) AS STRING) AS high, CAST(MAX(${timely}) AS STRING) AS reached, ${ahead} AS ahead, COUNT(*) AS total, COUNT(*) - COUNT(${column}) AS untyped, ${bad} AS bad FROM ${composeSource(input, conditions)}`,
  );
  return {
    high: toText(row?.high),
    reached: toText(row?.reached),
    isAhead: Number(row?.ahead ?? 0) > 0,
    total: Number(row?.total ?? 0),
    untyped: Number(row?.untyped ?? 0),
    bad: Number(row?.bad ?? 0),
  };
}
