import type { ApiClient } from './api-client.ts';

/** An event of a job's log, as the API shows it. */
export interface LoggedEvent {
  readonly cursor: string;
  readonly __typename: string;
  readonly message: string;
}

/** The fields of an event that tests compare, with those of some kinds. */
export const EVENT_FIELDS = `__typename id message time
  ... on JobQueuedEvent { by { name } } ... on JobPauseRequestedEvent { by { name } }
  ... on JobResumedEvent { by { name } } ... on JobCancelRequestedEvent { by { name } }
  ... on SourcePlannedEvent { sourceName totalItems partitionCount isUnchanged }
  ... on SourceStartedEvent { sourceName } ... on SourceFailedEvent { sourceName sourceReason: reason }
  ... on BatchRetriedEvent { sourceName attempt retryReason: reason } ... on AttemptStartedEvent { attempt } ... on JobWaitingEvent { waitsFor: reason }
  ... on JobCheckpointEvent { successCount errorCount elapsedSeconds }
  ... on JobEndedEvent { state outcome failureReason successCount errorCount duplicateCount }`;

const LOG = `query Log($id: ID!, $after: String) { job(id: $id) { events(first: 200, after: $after) {
  pageInfo { hasNextPage endCursor } edges { cursor node { ${EVENT_FIELDS} } } } } }`;

interface Page {
  readonly events: {
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
    readonly edges: readonly { readonly cursor: string; readonly node: Omit<LoggedEvent, 'cursor'> }[];
  };
}

/** Reads the whole log of a job. */
export async function readLog(client: ApiClient, id: string): Promise<LoggedEvent[]> {
  const log: LoggedEvent[] = [];
  for (let after: string | null = null; ; ) {
    const { data, errors } = await client.sendRaw(LOG, { id, after });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    const job = data?.job as Page | null | undefined;
    if (job == null) throw new Error(`there is no job ${id}`);
    const { edges, pageInfo } = job.events;
    log.push(...edges.map(({ cursor, node }) => ({ ...node, cursor })));
    if (!pageInfo.hasNextPage) return log;
    after = pageInfo.endCursor;
  }
}
