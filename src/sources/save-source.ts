import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { type DataSource, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { InvalidInputError } from '../shared/invalid-input.ts';
import type { SourceSchedules } from './schedule.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import type { SaveDataSourceInput } from './source-input.ts';
import { refuseWhileInUse } from './source-use.ts';

/**
 * Creates a source, or changes an existing one. A new table, cursor column or data type resets its watermark.
 * @param sourceId the source to change, or null to create one.
 * @throws DataSourceNotFoundError; DataSourceInUseError when a change affects what an active job reads; InvalidInputError
 * for a name that is taken or an invalid schedule.
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
              data: { ...data, ...(await findFurtherChanges(transaction, sourceId, input)) },
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
 * Finds what else changes with a source: a rename keeps its first name, and reading something else resets its watermark.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads the source, whose watermark would
 * otherwise be applied to the new table.
 */
async function findFurtherChanges(
  transaction: Prisma.TransactionClient,
  sourceId: string,
  input: Pick<DataSource, 'name' | (typeof READ_COLUMNS)[number]>,
): Promise<{ firstName?: string; watermark?: null }> {
  const existing = await transaction.dataSource.findUnique({ where: { id: sourceId } });
  if (existing === null) throw new DataSourceNotFoundError(sourceId);
  const renamed = existing.name === input.name ? {} : { firstName: existing.firstName ?? existing.name };
  if (READ_COLUMNS.every((column) => existing[column] === input[column])) return renamed;
  await refuseWhileInUse(transaction, sourceId);
  return { ...renamed, watermark: null };
}

const READ_COLUMNS = ['dataType', 'catalogName', 'schemaName', 'tableName', 'cursorColumn'] as const;
