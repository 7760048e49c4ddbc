import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import type { Clock } from '../database/database-clock.ts';
import { type DataSource, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import { checkTables } from './allowed-tables.ts';
import { describeDriftAnew } from './drift.ts';
import { findFirstDueTime, recordDueTimes } from './due-times.ts';
import { NO_SCHEMA } from './found-schema.ts';
import { checkSchedule, findNextDueTime, type Schedule } from './schedule.ts';
import { DataSourceChangedError, DataSourceNotFoundError } from './source-errors.ts';
import type { NewSource, SourceChanges } from './source-input.ts';
import { refuseWhileInUse } from './source-use.ts';
import { forgetProposal, forgetProposed, isOutdated } from './waiting-deletes.ts';

/** What sources are saved with. */
export interface SavingParts {
  readonly prisma: PrismaClient;
  /** Tells when schedules come due. */
  readonly clock: Clock;
  /** The warehouse schemas that sources may read. */
  readonly allowedSchemas: readonly SchemaPattern[];
}

/** @throws InvalidInputError for a table that is not allowed, a name that is taken or an invalid schedule. */
export async function createDataSource(
  { prisma, clock, allowedSchemas }: SavingParts,
  principal: Principal,
  { schedule, ...settings }: NewSource,
): Promise<DataSource> {
  checkTable(settings, allowedSchemas);
  return refuseTakenName(settings.name, () =>
    prisma.$transaction(async (transaction) => {
      const now = await clock(transaction);
      const columns = toColumns(schedule, now);
      const nextDueAt = schedule !== null && settings.enabled ? findNextDueTime(schedule, now) : null;
      const created = await transaction.dataSource.create({ data: { ...settings, ...columns, nextDueAt } });
      await recordDone(transaction, principal, {
        operation: 'createDataSource',
        dataSourceId: created.id,
        details: { ...settings, schedule: schedule && { ...schedule } },
      });
      return created;
    }),
  );
}

/**
 * Changes a source. A new table, cursor column or data type resets its watermark.
 * @throws DataSourceNotFoundError; DataSourceChangedError if it has another revision than the expected one;
 * DataSourceInUseError when a change affects what an active job reads; InvalidInputError as for a new source.
 */
export async function updateDataSource(
  { prisma, clock, allowedSchemas }: SavingParts,
  principal: Principal,
  sourceId: string,
  { expectedRevision, schedule, ...given }: SourceChanges,
): Promise<DataSource> {
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return refuseTakenName(given.name, () =>
    prisma.$transaction(async (transaction) => {
      // Locked, so that of two changes with the same expectation only one is made.
      await transaction.$queryRaw`select 1 from data_source where id = ${sourceId}::uuid for update`;
      const before = await transaction.dataSource.findUnique({ where: { id: sourceId } });
      if (before === null) throw new DataSourceNotFoundError(sourceId);
      if (expectedRevision != null && expectedRevision !== before.revision)
        throw new DataSourceChangedError(sourceId, before.revision);
      const now = await clock(transaction);
      const changes: Omit<
        Partial<DataSource>,
        'synced' | 'driftBasis' | 'feedState' | keyof typeof NO_SCHEMA
      > = {
        ...settings,
        ...toColumns(schedule, now),
      };
      const after = { ...before, ...changes };
      if (TABLE_COLUMNS.some((column) => before[column] !== after[column])) checkTable(after, allowedSchemas);
      const saved = await transaction.dataSource.update({
        where: { id: sourceId },
        data: {
          ...changes,
          ...(await findFurtherChanges(transaction, before, after)),
          ...(await moveDueTime(transaction, before, after, now)),
          revision: { increment: 1 },
        },
      });
      await recordDone(transaction, principal, {
        operation: 'updateDataSource',
        dataSourceId: sourceId,
        details: {
          ...settings,
          ...(schedule === undefined ? {} : { schedule: schedule && { ...schedule } }),
        },
      });
      return saved;
    }),
  );
}

const TABLE_COLUMNS = ['catalogName', 'schemaName', 'tableName'] as const;

function checkTable(
  { catalogName, schemaName, tableName }: Pick<DataSource, (typeof TABLE_COLUMNS)[number]>,
  allowedSchemas: readonly SchemaPattern[],
): void {
  const table = { catalog: catalogName, schema: schemaName, table: tableName };
  checkTables([table], allowedSchemas, 'input.schemaName');
}

/** @throws InvalidInputError for an invalid schedule. */
function toColumns(
  schedule: Schedule | null | undefined,
  now: Date,
): Partial<Pick<DataSource, 'scheduleCron' | 'scheduleTimeZone'>> {
  if (schedule === undefined) return {};
  if (schedule !== null) checkSchedule(schedule, now);
  return { scheduleCron: schedule?.cron ?? null, scheduleTimeZone: schedule?.timeZone ?? 'UTC' };
}

async function refuseTakenName<Result>(
  name: string | undefined,
  save: () => Promise<Result>,
): Promise<Result> {
  try {
    return await save();
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') {
      throw new InvalidInputError([
        createIssue('input.name', 'DUPLICATE', `another data source is called ${JSON.stringify(name)}`),
      ]);
    }
    throw error;
  }
}

/**
 * Finds what else changes with a source: a rename keeps its first name, reading something else resets its watermark, and
 * another delete policy has the next sync read all rows.
 * @throws DataSourceInUseError while an active job reads the source, whose watermark would otherwise be applied to the new
 * table, and whose deletes are planned.
 */
async function findFurtherChanges(
  transaction: Prisma.TransactionClient,
  before: DataSource,
  after: DataSource,
): Promise<
  Pick<
    Prisma.DataSourceUpdateInput,
    | 'firstName'
    | 'watermark'
    | 'watermarkType'
    | 'watermarkVersion'
    | 'lastSyncMessage'
    | 'lastSyncMarking'
    | 'drift'
    | 'driftMessage'
    | 'driftBasis'
    | 'synced'
    | 'deletesSettledAt'
    | 'feedState'
    | keyof typeof NO_SCHEMA
  >
> {
  const renamed = before.name === after.name ? {} : { firstName: before.firstName ?? before.name };
  const readsOther = READ_COLUMNS.some((column) => before[column] !== after[column]);
  const findsOther = before.deletePolicy !== after.deletePolicy || before.readMode !== after.readMode;
  if (!readsOther && !findsOther) return renamed;
  await refuseWhileInUse(transaction, before.id);
  const withdrawn = await withdrawProposal(transaction, before, after);
  const resettled =
    before.deletePolicy === after.deletePolicy
      ? {}
      : { deletesSettledAt: null, feedState: Prisma.DbNull, ...describeDriftAnew(after) };
  if (!readsOther) return { ...renamed, ...withdrawn, ...resettled, synced: Prisma.DbNull };
  return {
    ...{ ...renamed, ...withdrawn, ...resettled },
    ...{ watermark: null, watermarkType: null, watermarkVersion: null },
    ...{ drift: null, driftMessage: null, driftBasis: Prisma.DbNull },
    feedState: Prisma.DbNull,
    // Of the columns, another cursor says nothing.
    ...(SCHEMA_COLUMNS.every((column) => before[column] === after[column]) ? {} : NO_SCHEMA),
  };
}

/** Forgets deletes of a source that wait, if they say nothing about what it is from now on. @returns its message without them. */
async function withdrawProposal(
  transaction: Prisma.TransactionClient,
  before: DataSource,
  after: DataSource,
): Promise<ReturnType<typeof forgetProposed>> {
  const proposal = await transaction.deleteApproval.findUnique({ where: { dataSourceId: before.id } });
  if (proposal === null || !isOutdated(after, proposal)) return {};
  await forgetProposal(transaction, before.id);
  return forgetProposed(before, proposal);
}

const SCHEMA_COLUMNS = ['dataType', ...TABLE_COLUMNS] as const;

const READ_COLUMNS = ['cursorColumn', ...SCHEMA_COLUMNS] as const;

/** Finds when a source comes due after a change of its schedule, once what was due before it is recorded. */
async function moveDueTime(
  transaction: Prisma.TransactionClient,
  before: DataSource,
  after: DataSource,
  now: Date,
): Promise<{ nextDueAt?: Date | null }> {
  if (SCHEDULE_COLUMNS.every((column) => before[column] === after[column])) return {};
  await recordDueTimes(transaction, before, now);
  return { nextDueAt: await findFirstDueTime(transaction, after, now) };
}

const SCHEDULE_COLUMNS = ['enabled', 'scheduleCron', 'scheduleTimeZone'] as const;
