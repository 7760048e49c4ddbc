import { formatCount } from '../format/format.ts';

/** What became of rows that are in the catalog; null if it is not known. */
export interface Changes {
  readonly insertedCount: number | null;
  readonly updatedCount: number | null;
  readonly unchangedCount: number | null;
}

/** Such as `1,200 inserted`, `30 updated`; without what there is none of. */
export function listChanges({ insertedCount, updatedCount, unchangedCount }: Changes): string[] {
  const counts = [
    [insertedCount, 'inserted'],
    [updatedCount, 'updated'],
    [unchangedCount, 'unchanged'],
  ] as const;
  return counts.flatMap(([count, kind]) => (count ? `${formatCount(count)} ${kind}` : []));
}
