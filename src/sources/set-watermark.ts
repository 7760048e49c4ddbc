import { z } from 'zod';
import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { HIGHEST_MARKING, toLevel } from '../data-types/marking.ts';
import { type DataSource, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { isTextColumn, isValueOfType } from '../ingestion/cursor.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { createIssue, InvalidInputError } from '../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../shared/storable-text.ts';
import { findColumn } from '../warehouse/find-column.ts';
import { breakFeed } from './feed-state.ts';
import { DataSourceNotFoundError, WatermarkChangedError } from './source-errors.ts';
import { sourceTable } from './source-table.ts';
import { refuseWhileInUse } from './source-use.ts';

const watermarkSchema = z
  .string()
  .min(1, { error: 'must not be empty: give null for no watermark' })
  .max(1_000, { error: 'must have at most 1000 characters' })
  .refine(isStorableText, { error: UNSTORABLE_TEXT })
  .nullish()
  .transform((value) => value ?? null);

export const setWatermarkInputSchema = z.object({
  id: z.string(),
  value: watermarkSchema,
  expected: watermarkSchema,
});

export type SetWatermarkInput = z.output<typeof setWatermarkInputSchema>;

/** Why all rows are read although the table has a change feed. */
const UNSET = 'The watermark of the source was set to none, so that everything is read again';

/**
 * Sets the watermark of a source, so that its next INCREMENTAL sync reads from there on, unless it reads a change feed.
 * @param change `value`: null to read everything again; `expected`: the present watermark.
 * @throws DataSourceNotFoundError; DataSourceInUseError while an active job reads the source; WatermarkChangedError if the
 * watermark is not the expected one; InvalidInputError for a value that is not of the watermark's type,
 * or without a cursor column.
 */
export async function setWatermark(
  { prisma, pool }: { readonly prisma: PrismaClient; readonly pool: Pick<ThreadPool, 'describeTable'> },
  principal: Principal,
  sourceId: string,
  { value, expected }: Pick<SetWatermarkInput, 'value' | 'expected'>,
): Promise<DataSource> {
  const found = value === null ? null : await findTypeOfFirst(prisma, pool, sourceId);
  return prisma.$transaction(async (transaction) => {
    await transaction.$executeRaw`select 1 from data_source where id = ${sourceId}::uuid for update`;
    const source = await transaction.dataSource.findUnique({ where: { id: sourceId } });
    if (source === null) throw new DataSourceNotFoundError(sourceId);
    await refuseWhileInUse(transaction, sourceId);
    // Without full clearance the watermark is hidden, so nobody can expect it.
    const isHidden = toLevel(principal.clearance) < toLevel(HIGHEST_MARKING);
    if (source.watermark !== expected || (isHidden && source.watermark !== null))
      throw new WatermarkChangedError(sourceId);
    const watermarkType = source.watermarkType ?? found;
    if (value !== null && watermarkType !== null && !isValueOfType(value, watermarkType))
      throw invalidValue(
        `the watermark of this source is a ${watermarkType}, and ${JSON.stringify(value)} is none`,
      );
    await recordDone(transaction, principal, {
      operation: 'setWatermark',
      dataSourceId: sourceId,
      marking: HIGHEST_MARKING,
      details: { name: source.name, from: source.watermark, to: value },
    });
    if (value === null) await breakFeed(transaction, sourceId, UNSET);
    return transaction.dataSource.update({
      where: { id: sourceId },
      data: {
        ...{ watermark: value, watermarkType: value === null ? null : watermarkType },
        // The next sync reads the table, even if it has not changed.
        synced: Prisma.DbNull,
      },
    });
  });
}

/**
 * Finds the type of a first watermark: that of the cursor column.
 * @returns null if there is a watermark, or the column has texts, which the next sync finds a type for.
 * @throws InvalidInputError if there can be no watermark, or the table cannot be read.
 */
async function findTypeOfFirst(
  prisma: PrismaClient,
  pool: Pick<ThreadPool, 'describeTable'>,
  sourceId: string,
): Promise<string | null> {
  const source = await prisma.dataSource.findUnique({ where: { id: sourceId } });
  if (source === null || source.watermarkType !== null) return null;
  const { cursorColumn, lookback, dataType } = source;
  if (cursorColumn === null)
    throw invalidValue(
      'this source has no cursor column, and without one no watermark: set `cursorColumn` first',
    );
  const described = await pool.describeTable({
    ...{ table: sourceTable(source), dataType, cursorColumn: null, watermark: null, lookback },
  });
  if (!described.ok)
    throw invalidValue(`the value cannot be checked, because the table cannot be read: ${described.message}`);
  const column = findColumn(described.columns, cursorColumn);
  if (column === undefined)
    throw invalidValue(`the table has no column ${cursorColumn}, which is the cursor`);
  return isTextColumn(column) ? null : column.type;
}

function invalidValue(message: string): InvalidInputError {
  return new InvalidInputError([createIssue('input.value', 'INVALID', message)]);
}
