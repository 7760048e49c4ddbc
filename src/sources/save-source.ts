import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { type DataSource, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { InvalidInputError } from '../shared/invalid-input.ts';
import type { SourceSchedules } from './schedule.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import type { SaveDataSourceInput } from './source-input.ts';
import { refuseWhileInUse } from './source-use.ts';

/**
 * Makes a source, or changes the one whose id is given. Its watermark starts anew when it is another table, cursor
 * column or data type that it is synced by.
 * @param sourceId the source to change, or null to make one.
 * @throws DataSourceNotFoundError, DataSourceInUseError where it is to read something else while an active job reads it,
 * or InvalidInputError for a name that another source has and for a schedule that cannot be used.
 */
export async function saveDataSource(
  prisma: PrismaClient,
  schedules: SourceSchedules,
  principal: Principal,
  sourceId: string | null,
  { schedule, ...input }: Omit<SaveDataSourceInput, 'id'>,
): Promise<DataSource> {
  if (schedule !== null) schedules.nextRuns(schedule, 1);
  const data = {
    ...input,
    scheduleCron: schedule?.cron ?? null,
    scheduleTimeZone: schedule?.timeZone ?? 'UTC',
  };
  try {
    return await prisma.$transaction(async (transaction) => {
      const saved =
        sourceId === null
          ? await transaction.dataSource.create({ data })
          : await transaction.dataSource.update({
              where: { id: sourceId },
              data: { ...data, ...(await changedReading(transaction, sourceId, input)) },
            });
      await schedules.apply(transaction, saved);
      await recordDone(transaction, principal, {
        operation: 'saveDataSource',
        dataSourceId: saved.id,
        details: { ...input, schedule: schedule === null ? null : { ...schedule } },
      });
      return saved;
    });
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') {
      throw new InvalidInputError([
        { field: 'input.name', message: `another data source is called ${JSON.stringify(input.name)}` },
      ]);
    }
    throw error;
  }
}

/**
 * What else changes when a source is to read something else: its watermark starts anew.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads what it reads now: the watermark
 * that the job comes to would be taken for that of the new table.
 */
async function changedReading(
  transaction: Prisma.TransactionClient,
  sourceId: string,
  input: Pick<DataSource, (typeof READ_BY)[number]>,
): Promise<{ watermark?: null }> {
  const existing = await transaction.dataSource.findUnique({ where: { id: sourceId } });
  if (existing === null) throw new DataSourceNotFoundError(sourceId);
  if (READ_BY.every((column) => existing[column] === input[column])) return {};
  await refuseWhileInUse(transaction, sourceId);
  return { watermark: null };
}

const READ_BY = ['dataType', 'catalogName', 'schemaName', 'tableName', 'cursorColumn'] as const;
