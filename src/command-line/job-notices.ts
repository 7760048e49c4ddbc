import type { ApiLink } from './api-link.ts';
import { JobNoticesDocument, type JobNoticesQuery } from './generated/graphql.ts';
import { NO_PAGE, readAll } from './page.ts';

type Event = NonNullable<JobNoticesQuery['job']>['events']['nodes'][number];

/** An event of a job that no count and no state tells. */
export type Notice = Event & { readonly __typename: keyof typeof NOTICES };

// Failures are shown with their sources, and what else happens shows in the state and in the counts.
const NOTICES = {
  ...{ DeletesSkippedEvent: true, DeletesWaitingEvent: true },
  ...{ DeletesApprovedEvent: true, DeletesRejectedEvent: true },
  ...{ SchemaChangedEvent: true, SnapshotTakenEvent: true, SourceChangedEvent: true },
} as const;

/** Reads from the log of a job what a person should know about it besides its counts, oldest first. */
export async function readNotices(api: ApiLink, id: string): Promise<Notice[]> {
  const events = await readAll(
    async (after) => (await api.send(JobNoticesDocument, { id, after })).job?.events ?? NO_PAGE,
  );
  return events.filter((event): event is Notice => Object.hasOwn(NOTICES, event.__typename));
}
