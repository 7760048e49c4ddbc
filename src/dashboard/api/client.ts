import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, type ObservableQuery } from '@apollo/client';
import { ErrorLink } from '@apollo/client/link/error';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { possibleTypes } from '../generated/possible-types.ts';
import { type Connection, openConnection } from './connection.ts';
import { createContinueLink } from './continue-link.ts';
import { isUnauthenticated } from './errors.ts';
import { mergePages } from './paging.ts';
import { createRevisionLink } from './revision-link.ts';

/** The dashboard's access to the API: queries and mutations over HTTP, subscriptions over a WebSocket. */
export interface Api {
  readonly client: ApolloClient;
  readonly connection: Connection;
  close(): void;
}

/**
 * @param credential a token or an API key; null if the server needs none.
 * @param onUnauthenticated runs when the server does not accept the credential, or no longer does.
 */
export function createApi(credential: string | null, onUnauthenticated: () => void): Api {
  const connection = openConnection(credential, onUnauthenticated);
  const http = new HttpLink({
    uri: '/graphql',
    headers: credential === null ? {} : { authorization: `Bearer ${credential}` },
  });
  const client = new ApolloClient({
    cache: createCache(),
    link: ApolloLink.from([
      new ErrorLink(({ error }) => {
        if (isUnauthenticated(error)) onUnauthenticated();
      }),
      createRevisionLink(),
      ApolloLink.split(
        ({ operationType }) => operationType === 'subscription',
        ApolloLink.from([createContinueLink(), new GraphQLWsLink(connection.client)]),
        http,
      ),
    ]),
  });
  const stopRefetching = connection.onReconnect(
    () => void client.refetchQueries({ include: 'active', onQueryUpdated: (query) => !isFollowed(query) }),
  );
  return {
    client,
    connection,
    close() {
      stopRefetching();
      connection.close();
      client.stop();
    },
  };
}

/** Marks a query whose answer a feed keeps current, also after the connection was lost. */
export const FOLLOWED = { isFollowed: true };

/** Whether a feed brings all that a query has missed. */
function isFollowed(query: ObservableQuery): boolean {
  return query.options.context?.isFollowed === true && query.getCurrentResult().dataState === 'complete';
}

function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes,
    typePolicies: {
      Query: {
        fields: {
          jobs: mergePages(['filter', 'orderBy']),
          items: mergePages(['filter', 'orderBy']),
          dataSources: mergePages(['filter', 'orderBy']),
        },
      },
      Job: {
        fields: { errors: mergePages(['stages', 'orderBy']), partitions: mergePages(['states', 'orderBy']) },
      },
      // Objects without an id: fields from one operation add to those from another.
      JobProgress: { merge: true },
      SyncConfiguration: { merge: true },
      QueryConfiguration: { merge: true },
      RepairConfiguration: { merge: true },
      JobOptions: { merge: true },
      Schedule: { merge: true },
    },
  });
}
