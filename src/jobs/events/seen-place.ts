import { NOTHING_SEEN, type Snapshot } from '../../database/snapshot.ts';

/** What of a feed a subscriber has got: all that a snapshot has seen, and a part of what a later one has. */
export interface SeenPlace {
  readonly seen: Snapshot;
  /** The last entry of a read that it has got only in part; null if it has got all of it. */
  readonly within: { readonly seen: Snapshot; readonly writtenIn: string; readonly id: string } | null;
}

export const BEGINNING: SeenPlace = { seen: NOTHING_SEEN, within: null };
