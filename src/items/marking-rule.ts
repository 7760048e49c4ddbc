import type { Marking } from '../data-types/marking.ts';

/** What rows that are brought in do to the markings that their items have already. */
export type MarkingRule =
  /** Rows of a source as they are now: they may lower what the source stated before, and nothing else. */
  | { readonly kind: 'SOURCE' }
  /** Rows that failed in an earlier job and were kept: they may be older than what is stored, so they only raise. */
  | { readonly kind: 'KEPT_ROWS' }
  /** Rows of a query job: they raise the floor of their items, and add metadata beside that of the sources. */
  | QueryJobRule;

export interface QueryJobRule {
  readonly kind: 'QUERY_JOB';
  /** That of the job, which its items' metadata names: no item of it is marked lower. */
  readonly marking: Marking;
  /** What the job adds to the metadata of its items, as JSON text. */
  readonly metadata: string;
  /** Who started the job; null for one from before principals were known. */
  readonly raisedBy: { readonly id: string; readonly name: string } | null;
  /** Why its items are marked so. */
  readonly reason: string;
}
