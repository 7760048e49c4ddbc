import { ApolloProvider } from '@apollo/client/react';
import { createContext, type ReactNode, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { type Api, createApi } from './client.ts';
import type { ConnectionState } from './connection.ts';
import { refuseSession } from './session.ts';

const ApiContext = createContext<Api | null>(null);

/** Connects its children to the API with this credential; another credential needs another provider (by `key`). */
export function ApiProvider({ credential, children }: { credential: string | null; children: ReactNode }) {
  const [api, setApi] = useState<Api | null>(null);
  useEffect(() => {
    const opened = createApi(credential, refuseSession);
    setApi(opened);
    return () => opened.close();
  }, [credential]);
  if (api === null) return null;
  return (
    <ApiContext value={api}>
      <ApolloProvider client={api.client}>{children}</ApolloProvider>
    </ApiContext>
  );
}

export function useConnectionState(): ConnectionState {
  const { connection } = useApi();
  return useSyncExternalStore(connection.onChange, connection.state);
}

/** Runs each time a lost connection is back. */
export function useReconnect(listener: () => void): void {
  const { connection } = useApi();
  useEffect(() => connection.onReconnect(listener), [connection, listener]);
}

function useApi(): Api {
  const api = useContext(ApiContext);
  if (api === null) throw new Error('useApi needs an ApiProvider around it');
  return api;
}
