import { ApolloLink } from '@apollo/client';
import { concatMap, EMPTY, type Observable, of } from 'rxjs';

/** How often a stale answer is requested again. */
const MAX_REPEATS = 3;

/**
 * Keeps stale jobs out of the cache. Answers over HTTP and events over the WebSocket can overtake one another: an answer
 * with an older revision of a job than one seen before is requested again, and such an event is dropped. Without this, a
 * job that ended while its page was loading could stay "Running" forever.
 */
export function createRevisionLink(): ApolloLink {
  const revisions = new Map<string, number>();

  return new ApolloLink((operation, forward) => {
    const isSubscription = operation.operationType === 'subscription';
    const request = (repeats: number): Observable<ApolloLink.Result> =>
      forward(operation).pipe(
        concatMap((result) => {
          const jobs = findJobs(result.data);
          const isStale = jobs.some(({ id, revision }) => revision < (revisions.get(id) ?? 0));
          if (isStale && isSubscription) return EMPTY;
          if (isStale && repeats < MAX_REPEATS) return request(repeats + 1);
          for (const { id, revision } of jobs) {
            revisions.set(id, Math.max(revision, revisions.get(id) ?? 0));
          }
          return of(result);
        }),
      );
    return request(0);
  });
}

interface JobRevision {
  readonly id: string;
  readonly revision: number;
}

/** Finds every job in an answer that has its revision. */
function findJobs(value: unknown): JobRevision[] {
  if (Array.isArray(value)) return value.flatMap(findJobs);
  if (typeof value !== 'object' || value === null) return [];
  const nested = Object.values(value).flatMap(findJobs);
  if (!('__typename' in value) || value.__typename !== 'Job') return nested;
  if (!('id' in value) || typeof value.id !== 'string') return nested;
  if (!('revision' in value) || typeof value.revision !== 'number') return nested;
  return [...nested, { id: value.id, revision: value.revision }];
}
