import { ApolloClient, gql, HttpLink, InMemoryCache, type PossibleTypesMap } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { createClient } from 'graphql-ws';
import { createRevisionLink } from './apollo-revisions.ts';

/**
 * Queries and mutations over HTTP, subscriptions over one WebSocket that comes back by itself.
 * @param possibleTypes as codegen's plugin fragment-matcher writes them, for `... on Error`.
 */
export function createBladeClient(url: string, possibleTypes: PossibleTypesMap, token?: string) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const http = new HttpLink({ uri: url, headers: authorization });
  const webSocket = createClient({
    url: url.replace(/^http/, 'ws'),
    connectionParams: authorization,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  });
  return new ApolloClient({
    // Ids are unique over all types, so the cache knows a job by its id, wherever it comes from.
    cache: new InMemoryCache({ possibleTypes }),
    // An answer can come later than a newer event.
    link: createRevisionLink().split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(webSocket),
      http,
    ),
  });
}

export const START_SYNC = gql`
  mutation StartSync($input: StartSyncInput!) {
    startSync(input: $input) {
      ... on StartSyncSuccess {
        job {
          id
          state
        }
      }
      ... on UserError {
        message
      }
    }
  }
`;

/** The present state first, then each later one, and the end. */
export const WATCH_JOB = gql`
  subscription WatchJob($id: ID!) {
    jobProgress(id: $id) {
      id
      state
      revision
      progress {
        id
        percent
        processedItems
        totalItems
        errorCount
      }
    }
  }
`;
