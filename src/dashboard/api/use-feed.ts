import type { ErrorLike, OperationVariables, TypedDocumentNode } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useEffect, useEffectEvent } from 'react';
import { findCursor } from './continue-link.ts';

/** How long to wait before subscribing again, in milliseconds. */
const RESTART_MS = 2_000;

interface FeedOptions<Data> {
  /** Runs for each event. */
  readonly onData: (data: Data) => void;
  /** Runs at the end of a feed that has one. A feed without an end starts again. */
  readonly onEnd?: () => void;
  /** `no-cache` leaves writing to the cache to `onData`. */
  readonly fetchPolicy?: 'no-cache';
}

/**
 * Stays subscribed while the component is shown. A feed with cursors continues after the last one when it is started again.
 * @param variables null to subscribe to nothing; changed ones subscribe anew.
 */
export function useFeed<Data, Variables extends OperationVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables | null,
  { onData, onEnd, fetchPolicy }: FeedOptions<Data>,
): void {
  const client = useApolloClient();
  const handleData = useEffectEvent(onData);
  const handleEnd = useEffectEvent(onEnd ?? (() => {}));
  const hasEnd = onEnd !== undefined;
  const key = variables === null ? null : JSON.stringify(variables);

  useEffect(() => {
    if (key === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let after: string | null = null;
    let subscription = start();
    function start() {
      return client
        .subscribe<Data, OperationVariables>({
          query: document,
          variables: { ...JSON.parse(key ?? '{}'), ...(after === null ? {} : { after }) },
          ...(fetchPolicy === undefined ? {} : { fetchPolicy }),
        })
        .subscribe({
          next({ data, error }: { data?: unknown; error?: ErrorLike | undefined }) {
            if (error !== undefined) restart();
            else if (data !== undefined && data !== null) {
              after = findCursor(data) ?? after;
              handleData(data as Data);
            }
          },
          error: restart,
          complete: () => (hasEnd && timer === undefined ? handleEnd() : restart()),
        });
    }
    function restart() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        subscription.unsubscribe();
        subscription = start();
      }, RESTART_MS);
    }
    return () => {
      clearTimeout(timer);
      subscription.unsubscribe();
    };
  }, [client, document, key, fetchPolicy, hasEnd]);
}
