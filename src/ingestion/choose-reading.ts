import type { ReadMode, SyncType } from '../database/generated/prisma/enums.ts';
import { type Warehouse, WarehouseError } from '../warehouse/warehouse.ts';
import { describeSchemaChanges, type SchemaChange } from './table-schema.ts';

/** What a source's change feed is read from. */
export interface FeedState {
  /** The version up to which the copy holds the changes of the table. */
  readonly version: string;
  /** Whether rows of that version shared an id: the feed does not tell which of them are left. */
  readonly hasSharedIds: boolean;
  /** Why all rows must be read once more, as a sentence without its full stop; null for nothing. */
  readonly brokenBy: string | null;
  /** Whether the changes after the version cannot be read, which a log has said: all rows must be. */
  readonly isLost?: boolean;
}

/** How a source finds what has changed. */
export interface ReadChoice {
  readonly mode: ReadMode;
  /** Null before the first snapshot of a table with a change feed. */
  readonly state: FeedState | null;
  /** Whether the source deletes the items of rows that are gone. */
  readonly deletesGone: boolean;
}

/** A source to read. */
export interface SourceToRead {
  /** Null for a job that is to read only a part of the table. */
  readonly copy: { readonly missedRows: number } | null;
  /** Null for a job that is to read only a part of the table. */
  readonly choice: ReadChoice | null;
  readonly syncType: SyncType;
  readonly cursorColumn: string | null;
  readonly deletesGone: boolean;
}

/** What knows the source. */
export interface ReadingContext {
  readonly warehouse: Pick<Warehouse, 'history'>;
  /** Whether it has items whose ids are derived from all columns of their rows; left out if nobody knows. */
  readonly hasDerivedIds?: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** How a sync reads a source. */
export type Reading =
  /** The changes after a version. */
  | { readonly kind: 'CHANGES'; readonly from: string }
  | ({
      readonly kind: 'ROWS';
      /** Why these are all rows instead of changes, as a sentence without its full stop; null if nothing else was expected. */
      readonly reason: string | null;
    } & Pick<SourceToRead, 'syncType' | 'cursorColumn' | 'deletesGone'>);

/**
 * Chooses how to read a source: a FULL sync reads all rows, an INCREMENTAL one as the source says.
 * @param version that of the table; null if it has none.
 * @param schemaChanges what has changed in its schema since the last sync.
 * @throws WarehouseError STATEMENT_FAILED for a source that is to read changes, which its warehouse does not keep.
 */
export async function chooseReading(
  { warehouse: { history }, hasDerivedIds, signal }: ReadingContext,
  { choice, copy, syncType, cursorColumn, deletesGone }: SourceToRead,
  version: string | null,
  schemaChanges: readonly SchemaChange[],
): Promise<Reading> {
  const asAsked = { kind: 'ROWS', syncType, cursorColumn, deletesGone, reason: null } as const;
  if (choice === null || syncType === 'FULL') return asAsked;
  const { mode, state } = choice;
  if (mode === 'CURSOR') return asAsked;
  if (mode === 'SNAPSHOT') return { ...asAsked, cursorColumn: null };
  const feed = history?.changes;
  if (history === undefined || feed === undefined) {
    if (mode === 'AUTO') return asAsked;
    throw new WarehouseError(
      'STATEMENT_FAILED',
      'readMode CHANGE_FEED needs a Delta table with a change feed, and this warehouse keeps none: choose AUTO, CURSOR or SNAPSHOT.',
    );
  }
  const isKept = version !== null && feed.isKept(version);
  if (!isKept && mode === 'AUTO' && state === null) return asAsked;
  const snapshot = { ...asAsked, syncType: 'FULL', deletesGone: choice.deletesGone } as const;
  if (!isKept)
    return { ...snapshot, reason: 'The table keeps no change feed: set delta.enableChangeDataFeed' };
  if (state === null || state.isLost === true) return snapshot;
  if (state.hasSharedIds)
    return {
      ...snapshot,
      reason: 'Rows of the table share an id, and its change feed does not tell which are left',
    };
  if (state.brokenBy !== null) return { ...snapshot, reason: state.brokenBy };
  // How many would count rows of every marking.
  if (copy !== null && copy.missedRows > 0)
    return {
      ...snapshot,
      reason: 'The copy lacks rows of the table, such as rows that came to share an id',
    };
  // A new column changes no rows, but the ids that are derived from them. The feed has no rows for the others, though all items have the column.
  const changes = schemaChanges.filter(({ kind }) => kind !== 'ADDED');
  if (changes.length > 0 || (schemaChanges.length > 0 && (await hasDerivedIds?.()) === true))
    return {
      ...snapshot,
      reason: `The schema of the table has changed: ${describeSchemaChanges(schemaChanges)}`,
    };
  const reason = await history.findRewrite(state.version, version, signal);
  return reason === null ? { kind: 'CHANGES', from: state.version } : { ...snapshot, reason };
}
