import { z } from 'zod';
import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { findDataType } from '../data-types/registry.ts';
import { type DataSource, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { TableName } from '../warehouse/warehouse.ts';
import { DataSourceInUseError, DataSourceNotFoundError, InvalidInputError } from './job-errors.ts';
import { dataTypeSchema } from './job-input.ts';
import type { Schedules } from './schedules.ts';
import { isStorableText, UNSTORABLE_TEXT } from './storable-text.ts';

const nameSchema = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1, { error: 'must not be empty' })
    .refine(isStorableText, { error: UNSTORABLE_TEXT })
    .max(maximum, { error: `must have at most ${maximum} characters` });

export const saveDataSourceInputSchema = z.object({
  id: z.string().nullish(),
  name: nameSchema(200),
  dataType: dataTypeSchema,
  catalogName: nameSchema(255),
  schemaName: nameSchema(255),
  tableName: nameSchema(255),
  enabled: z
    .boolean()
    .nullish()
    .transform((enabled) => enabled ?? true),
  cursorColumn: nameSchema(255)
    .nullish()
    .transform((column) => column ?? null),
  schedule: z
    .object({
      cron: nameSchema(100),
      timeZone: nameSchema(100)
        .nullish()
        .transform((name) => name ?? 'UTC'),
    })
    .nullish()
    .transform((schedule) => schedule ?? null),
});

export type SaveDataSourceInput = z.output<typeof saveDataSourceInputSchema>;

/**
 * Makes a source, or changes the one whose id is given. Its watermark starts anew when it is another table, cursor
 * column or data type that it is synced by.
 * @param sourceId the source to change, or null to make one.
 * @throws DataSourceNotFoundError, DataSourceInUseError where it is to read something else while an active job reads it,
 * or InvalidInputError for a name that another source has and for a schedule that cannot be used.
 */
export async function saveDataSource(
  prisma: PrismaClient,
  schedules: Schedules,
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
              data: { ...data, ...(await furtherChanges(transaction, sourceId, input)) },
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
 * What else changes with a source: its first name is kept when it is renamed, and its watermark starts anew when it is to
 * read something else.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads what it reads now: the watermark
 * that the job comes to would be taken for that of the new table.
 */
async function furtherChanges(
  transaction: Prisma.TransactionClient,
  sourceId: string,
  input: Pick<DataSource, 'name' | (typeof READ_BY)[number]>,
): Promise<{ firstName?: string; watermark?: null }> {
  const existing = await transaction.dataSource.findUnique({ where: { id: sourceId } });
  if (existing === null) throw new DataSourceNotFoundError(sourceId);
  const renamed = existing.name === input.name ? {} : { firstName: existing.firstName ?? existing.name };
  if (READ_BY.every((column) => existing[column] === input[column])) return renamed;
  await refuseWhileInUse(transaction, sourceId);
  return { ...renamed, watermark: null };
}

/** @throws DataSourceInUseError while an active job reads the source. */
async function refuseWhileInUse(transaction: Prisma.TransactionClient, sourceId: string): Promise<void> {
  // A query job reads tables of its own, and may be one that not everybody knows of.
  const active = await transaction.jobPartition.count({
    where: { dataSourceId: sourceId, state: { in: ['PENDING', 'RUNNING'] }, job: { kind: 'SYNC' } },
  });
  if (active > 0) throw new DataSourceInUseError(sourceId);
}

const READ_BY = ['dataType', 'catalogName', 'schemaName', 'tableName', 'cursorColumn'] as const;

/**
 * Deletes a source; its items and the history of its jobs stay.
 * @throws DataSourceNotFoundError, or DataSourceInUseError while an active job reads it.
 */
export async function deleteDataSource(
  prisma: PrismaClient,
  schedules: Schedules,
  principal: Principal,
  sourceId: string,
): Promise<DataSource> {
  return prisma.$transaction(async (transaction) => {
    const source = await transaction.dataSource.findUnique({ where: { id: sourceId } });
    if (source === null) throw new DataSourceNotFoundError(sourceId);
    await refuseWhileInUse(transaction, sourceId);
    await schedules.apply(transaction, { ...source, enabled: false });
    await recordDone(transaction, principal, {
      operation: 'deleteDataSource',
      dataSourceId: sourceId,
      details: { name: source.name },
    });
    return transaction.dataSource.delete({ where: { id: sourceId } });
  });
}

/** What a look at a source's table found. */
export type DataSourceTest =
  | {
      readonly isReadable: true;
      readonly source: DataSource;
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      /** Known columns of the data type that the table lacks. */
      readonly missingColumns: readonly string[];
      /** Columns of the table that the data type does not know: they are kept as they are. */
      readonly surplusColumns: readonly string[];
      /** Null where not all of them may be counted. */
      readonly rowCount: number | null;
      /** What would keep a sync from working well, in the order of its weight. */
      readonly warnings: readonly string[];
    }
  | { readonly isReadable: false; readonly source: DataSource; readonly message: string };

/**
 * Looks whether a source can be read, and whether its table fits its data type.
 * @throws DataSourceNotFoundError.
 */
export async function testDataSource(
  prisma: PrismaClient,
  pool: ThreadPool,
  sourceId: string,
): Promise<DataSourceTest> {
  const source = await prisma.dataSource.findUnique({ where: { id: sourceId } });
  if (source === null) throw new DataSourceNotFoundError(sourceId);
  const described = await pool.describeTable(tableOf(source));
  if (!described.ok) return { isReadable: false, source, message: described.message };

  const { columns, rowCount } = described;
  const dataType = findDataType(source.dataType);
  const known = new Set(dataType?.columns.map(({ name }) => name));
  const found = new Set(columns.map(({ name }) => asciiLowerCase(name)));
  const warnings: string[] = [];
  if (dataType !== undefined && !dataType.identifyingColumns.some((name) => found.has(name))) {
    warnings.push(
      `the table has none of the columns that identify an item (${dataType.identifyingColumns.join(', ')}): every row would fail`,
    );
  }
  if (source.cursorColumn !== null && !found.has(asciiLowerCase(source.cursorColumn))) {
    warnings.push(`the table has no column ${source.cursorColumn}: an INCREMENTAL sync would fail`);
  }
  return {
    isReadable: true,
    source,
    columns,
    missingColumns: [...known].filter((name) => !found.has(name)),
    surplusColumns: columns.map(({ name }) => name).filter((name) => !known.has(asciiLowerCase(name))),
    rowCount,
    warnings,
  };
}

/** The table that a source reads. */
export function tableOf({ catalogName, schemaName, tableName }: DataSource): TableName {
  return { catalog: catalogName, schema: schemaName, table: tableName };
}
