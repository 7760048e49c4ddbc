import type { OperationVariables, TypedDocumentNode } from '@apollo/client';
import { useApolloClient } from '@apollo/client/react';
import { useEffect, useEffectEvent } from 'react';

/** How long a subscription that the server ended with an error waits before it is started anew, in milliseconds. */
const RESTART_MS = 2_000;

/**
 * Keeps a subscription up while the component is there; what comes is written to the cache by its ids.
 * @param variables null to subscribe to nothing; another key of them subscribes anew.
 * @param onData told of each event.
 */
export function useLive<Data, Variables extends OperationVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables | null,
  onData: (data: Data) => void = () => {},
): void {
  const client = useApolloClient();
  const tell = useEffectEvent(onData);
  const key = variables === null ? null : JSON.stringify(variables);

  useEffect(() => {
    if (key === null) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let subscription = start();
    function start() {
      return client
        .subscribe<Data, OperationVariables>({ query: document, variables: JSON.parse(key ?? '{}') })
        .subscribe({
          next({ data, error }) {
            if (error !== undefined) restart();
            else if (data !== undefined && data !== null) tell(data as Data);
          },
          error: restart,
        });
    }
    function restart() {
      clearTimeout(timer);
      timer = setTimeout(() => {
        subscription.unsubscribe();
        subscription = start();
      }, RESTART_MS);
    }
    return () => {
      clearTimeout(timer);
      subscription.unsubscribe();
    };
  }, [client, document, key]);
}
