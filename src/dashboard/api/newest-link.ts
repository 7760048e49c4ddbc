import { ApolloLink } from '@apollo/client';
import { concatMap, EMPTY, type Observable, of } from 'rxjs';

/** How often an answer that is older than what is known is asked for again. */
const MOST_REPEATS = 3;

/**
 * Keeps old states of a job away from the cache. Answers over HTTP and over the WebSocket can overtake one another: an
 * answer that has a job at an older revision than one seen before is asked for again, and as a subscription's event it
 * is dropped. Without it a job that ended while its page was being loaded could be shown as running for ever.
 */
export function createNewestLink(): ApolloLink {
  const revisions = new Map<string, number>();

  return new ApolloLink((operation, forward) => {
    const isSubscription = operation.operationType === 'subscription';
    const ask = (repeats: number): Observable<ApolloLink.Result> =>
      forward(operation).pipe(
        concatMap((result) => {
          const jobs = jobsOf(result.data);
          const isOld = jobs.some(({ id, revision }) => revision < (revisions.get(id) ?? 0));
          if (isOld && isSubscription) return EMPTY;
          if (isOld && repeats < MOST_REPEATS) return ask(repeats + 1);
          for (const { id, revision } of jobs) {
            revisions.set(id, Math.max(revision, revisions.get(id) ?? 0));
          }
          return of(result);
        }),
      );
    return ask(0);
  });
}

interface JobRevision {
  readonly id: string;
  readonly revision: number;
}

/** Every job in an answer that comes with its revision. */
function jobsOf(value: unknown): JobRevision[] {
  if (Array.isArray(value)) return value.flatMap(jobsOf);
  if (typeof value !== 'object' || value === null) return [];
  const inside = Object.values(value).flatMap((part) => (typeof part === 'object' ? jobsOf(part) : []));
  if (!('__typename' in value) || value.__typename !== 'Job') return inside;
  if (!('id' in value) || typeof value.id !== 'string') return inside;
  if (!('revision' in value) || typeof value.revision !== 'number') return inside;
  return [...inside, { id: value.id, revision: value.revision }];
}
