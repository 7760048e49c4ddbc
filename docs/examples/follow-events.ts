/** What graphql-ws and graphql-sse have in common. */
interface SubscriptionClient {
  subscribe<Data>(
    operation: { query: string; variables: Record<string, unknown> },
    sink: {
      next(result: { data?: Data | null | undefined; errors?: readonly unknown[] | undefined }): void;
      error(error: unknown): void;
      complete(): void;
    },
  ): () => void;
}

/** A message of the feed: an event, or a gap before the next one. */
export interface JobEventMessage {
  readonly cursor: string;
  readonly event: { readonly __typename: string; readonly time: string; readonly message: string } | null;
  readonly gap: { readonly message: string } | null;
}

export const JOB_EVENTS = `subscription JobEvents($id: ID!, $after: String) {
  jobEvents(id: $id, after: $after) { cursor event { __typename time message } gap { message } }
}`;

/**
 * Follows the events of a job to its end, each once, however often the connection breaks. Both packages connect again by
 * themselves, and send the variables as they are then.
 * @param client of graphql-ws or graphql-sse, with `retryAttempts` as you like.
 */
export function followEvents(
  client: SubscriptionClient,
  id: string,
  onMessage: (message: JobEventMessage) => void,
): Promise<void> {
  const variables: { id: string; after: string | null } = { id, after: null };
  return new Promise((resolve, reject) => {
    client.subscribe<{ jobEvents: JobEventMessage }>(
      { query: JOB_EVENTS, variables },
      {
        next({ data, errors }) {
          if (data == null) return reject(errors);
          variables.after = data.jobEvents.cursor;
          onMessage(data.jobEvents);
        },
        error: reject,
        complete: resolve,
      },
    );
  });
}
