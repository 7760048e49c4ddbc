import { type Marking, toLevel } from '../data-types/marking.ts';
import type { DataSource, PrismaClient } from '../database/generated/prisma/client.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { addCounts, type LevelCounts, NO_COUNTS, sumLevels } from '../items/level-counts.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import { describeOrigin } from './source-origin.ts';
import { sourceTable } from './source-table.ts';

/** What a FULL sync of a source would do now. Counts are of rows and items that the clearance of the caller covers. */
export type SyncPreview =
  | {
      readonly isReadable: true;
      readonly source: DataSource;
      readonly insertedCount: number;
      readonly updatedCount: number;
      readonly unchangedCount: number;
      readonly failedCount: number;
      readonly deletedCount: number;
      /** Why items without a row would not be deleted; null if they would, or there are none that the caller may count. */
      readonly keptBecause: string | null;
    }
  | { readonly isReadable: false; readonly source: DataSource; readonly message: string };

/** @throws DataSourceNotFoundError. */
export async function previewSync(
  { prisma, pool }: { readonly prisma: PrismaClient; readonly pool: Pick<ThreadPool, 'previewSource'> },
  clearance: Marking,
  sourceId: string,
): Promise<SyncPreview> {
  const source = await prisma.dataSource.findUnique({ where: { id: sourceId } });
  if (source === null) throw new DataSourceNotFoundError(sourceId);
  const { dataType, cursorColumn, name, firstName } = source;
  const preview = await pool.previewSource({
    ...{ dataSourceId: sourceId, table: sourceTable(source), dataType, cursorColumn },
    sourceMetadata: describeOrigin(name, source),
    hashedMetadata: describeOrigin(firstName ?? name, source),
  });
  if (!preview.ok) return { isReadable: false, source, message: preview.message };
  const { counts } = preview;
  const sum = (levels: LevelCounts) => sumLevels(levels.slice(0, toLevel(clearance) + 1));
  const keptBecause = findObstacle(source, counts);
  return {
    isReadable: true,
    source,
    insertedCount: sum(counts.inserted),
    updatedCount: sum(counts.updated),
    unchangedCount: sum(counts.unchanged),
    failedCount: sum(counts.failed),
    deletedCount: keptBecause === null ? sum(counts.gone) : 0,
    keptBecause: sum(counts.gone) === 0 ? null : keptBecause,
  };
}

interface JudgedCounts {
  readonly gone: LevelCounts;
  readonly brought: LevelCounts;
  readonly unprovenBecause: string | null;
}

/** Finds why a sync would delete none of the items without a row. The reasons count no rows. */
function findObstacle(source: DataSource, { gone, brought, unprovenBecause }: JudgedCounts): string | null {
  const { deletePolicy, maxDeletePercent } = source;
  if (deletePolicy === 'KEEP') return 'the source keeps items whose rows are gone';
  if (unprovenBecause !== null) return unprovenBecause;
  const isTooMany = sumLevels(gone) * 100 > sumLevels(addCounts(NO_COUNTS, brought)) * maxDeletePercent;
  return maxDeletePercent < 100 && isTooMany
    ? `they are more than ${maxDeletePercent} percent of its items, and would wait for an admin`
    : null;
}
