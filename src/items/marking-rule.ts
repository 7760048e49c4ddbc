import type { Marking } from '../data-types/marking.ts';

/** How incoming rows change the markings of stored items. */
export type MarkingRule =
  /** Current rows of a source: they may lower what the source stated before, and nothing else. */
  | { readonly kind: 'SOURCE' }
  /** Kept rows that failed in an earlier job: they may be older than the stored items, so they only raise. */
  | { readonly kind: 'KEPT_ROWS' }
  /** Rows of a query job: they raise the floor of their items, and add metadata to that of the sources. */
  | QueryJobRule;

export interface QueryJobRule {
  readonly kind: 'QUERY_JOB';
  /** The marking of the job. Its items are marked at least as high, because their metadata names the job. */
  readonly marking: Marking;
  /** Metadata that the job adds to its items, as JSON text. */
  readonly metadata: string;
  /** Who started the job; null for a job from before principals were recorded. */
  readonly raisedBy: { readonly id: string; readonly name: string } | null;
  /** Why its items have this marking. */
  readonly reason: string;
}
