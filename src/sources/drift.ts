import { MARKINGS } from '../data-types/marking.ts';
import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import type { DeletePolicy } from '../database/generated/prisma/enums.ts';
import type { CopyMeasure } from '../ingestion/partition-task.ts';
import { type DriftBasis, readDriftBasis } from './synced-contents.ts';

/** How the copy of a source differs from its table. */
export interface Drift {
  /** How many more items the table should give than its copy has; below zero if the copy has more. */
  readonly drift: number;
  /** The same in words; null if there is no difference. */
  readonly driftMessage: string | null;
  readonly driftBasis: DriftBasis;
}

/**
 * Compares the copy of a source with its table, at the end of a sync.
 * @param counts the rows of the sync that shared the id of an earlier one, and those that failed; whether items of the source wait to
 * be deleted.
 * @returns null if something else has changed items of the source meanwhile.
 */
export async function measureDrift(
  transaction: Prisma.TransactionClient,
  dataSourceId: string,
  { tableRows, itemChanges, sharedRows, failedRows: failedBefore }: CopyMeasure,
  counts: { readonly duplicates: number; readonly errors: number; readonly isWaiting: boolean },
): Promise<Drift | null> {
  const [counted] = await transaction.$queryRaw<Counted[]>`
    select s.item_changes as "itemChanges", s.delete_policy::text as "deletePolicy", (select count(*) from blade_item i
      where i.classification_marking = any(${[...MARKINGS]}) and i.data_source_id = ${dataSourceId}::uuid and i.deleted_at is null) as items
    from data_source s where s.id = ${dataSourceId}::uuid`;
  if (counted === undefined || Number(counted.itemChanges) !== itemChanges) return null;
  const shared = sharedRows ?? counts.duplicates;
  const drift = tableRows - shared - Number(counted.items);
  // Whatever is missing after all rows were read has failed. Items that wait hide how many that are.
  const missing = Math.max(drift, counts.isWaiting ? counts.errors : 0);
  const failedRows = sharedRows === null ? missing : failedBefore + counts.errors;
  return {
    drift,
    driftMessage: describeDrift(drift, failedRows, counted.deletePolicy),
    driftBasis: { sharedRows: shared, failedRows, itemChanges },
  };
}

/** Describes the drift of a source anew, once it has another delete policy or its copy has lost items. */
export function describeDriftAnew({
  drift,
  driftBasis,
  deletePolicy,
}: Pick<DataSource, 'drift' | 'driftBasis' | 'deletePolicy'>): Pick<DataSource, 'drift' | 'driftMessage'> {
  if (drift === null) return { drift: null, driftMessage: null };
  const failedRows = readDriftBasis(driftBasis)?.failedRows ?? 0;
  return { drift, driftMessage: describeDrift(Number(drift), failedRows, deletePolicy) };
}

interface Counted {
  readonly itemChanges: bigint;
  readonly deletePolicy: DeletePolicy;
  readonly items: bigint;
}

/** @param failedRows the most rows that can be missing because they failed. */
function describeDrift(drift: number, failedRows: number, deletePolicy: DeletePolicy): string | null {
  const count = Math.abs(drift).toLocaleString('en-US');
  const isOne = Math.abs(drift) === 1;
  if (drift === 0) return null;
  if (drift < 0)
    return `${count} ${isOne ? 'item has' : 'items have'} no row in the table any more; ${WHAT_SYNCS_DO[deletePolicy]}`;
  const rows = `${count} ${isOne ? 'row' : 'rows'} of the table ${isOne ? 'is' : 'are'} not in the copy`;
  return drift > failedRows
    ? `${rows}: run a FULL sync, or wait for the next INCREMENTAL one, which reads all rows`
    : `${rows}, because ${isOne ? 'it' : 'they'} failed: see the errors of the sync that read ${isOne ? 'it' : 'them'}`;
}

const WHAT_SYNCS_DO: Readonly<Record<DeletePolicy, string>> = {
  KEEP: 'syncs of this source delete no items',
  MARK: 'a complete FULL sync deletes those that a sync has brought, or says why it does not',
  REMOVE:
    'a complete FULL sync deletes those that a sync has brought, here and in the catalog, or says why it does not',
};
