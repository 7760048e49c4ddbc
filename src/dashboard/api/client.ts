import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  ServerError,
} from '@apollo/client';
import { ErrorLink } from '@apollo/client/link/error';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { possibleTypes } from '../generated/possible-types.ts';
import { type Connection, openConnection } from './connection.ts';
import { createNewestLink } from './newest-link.ts';
import { pagedList } from './paging.ts';

/** The API as the dashboard speaks to it: queries and mutations over HTTP, subscriptions over a WebSocket. */
export interface Api {
  readonly client: ApolloClient;
  readonly connection: Connection;
  close(): void;
}

/**
 * @param credential a token or an API key; null where the server asks for none.
 * @param onUnauthenticated told when the server does not know the credential, or any more.
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
      createNewestLink(),
      ApolloLink.split(
        ({ operationType }) => operationType === 'subscription',
        new GraphQLWsLink(connection.client),
        http,
      ),
    ]),
  });
  const forget = connection.onReconnect(() => void client.refetchQueries({ include: 'active' }));
  return {
    client,
    connection,
    close() {
      forget();
      connection.close();
      client.stop();
    },
  };
}

function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes,
    typePolicies: {
      Query: {
        fields: {
          jobs: pagedList(['filter', 'orderBy']),
          items: pagedList(['filter']),
        },
      },
      Job: { fields: { errors: pagedList(['stages']) } },
      // Parts without an id: what one operation asks of them is laid over what another one did.
      JobProgress: { merge: true },
      SyncConfiguration: { merge: true },
      QueryConfiguration: { merge: true },
      JobOptions: { merge: true },
      Schedule: { merge: true },
    },
  });
}

function isUnauthenticated(error: unknown): boolean {
  if (ServerError.is(error)) return error.statusCode === 401;
  return (
    CombinedGraphQLErrors.is(error) &&
    error.errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')
  );
}
