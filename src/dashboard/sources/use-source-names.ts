import { useQuery } from '@apollo/client/react';
import { useEffect } from 'react';
import { SourceName } from '../api/fragments/data-source.ts';
import { readConnection } from '../api/use-list.ts';
import { graphql, readFragment } from '../generated/index.ts';

const SourceNames = graphql(`
  query SourceNames($filter: DataSourceFilter, $first: Int!, $after: String) {
    dataSources(filter: $filter, first: $first, after: $after) {
      totalCount
      isTotalCountExact
      pageInfo {
        ...PageEnd
      }
      edges {
        cursor
        node {
          id
          ...SourceName
        }
      }
    }
  }
`);

/** Returns the names of all data sources, or of the enabled ones; undefined until they are loaded. */
export function useSourceNames({ onlyEnabled }: { onlyEnabled: boolean }) {
  const { data, fetchMore } = useQuery(SourceNames, {
    variables: { filter: onlyEnabled ? { enabled: true } : {}, first: 200 },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const loaded =
    data?.dataSources && readConnection(data.dataSources, (node) => readFragment(SourceName, node));
  const next = loaded?.next ?? null;
  useEffect(() => {
    // A page that fails is missing until the next visit.
    if (next !== null) void fetchMore({ variables: { after: next } }).catch(() => {});
  }, [next, fetchMore]);
  return loaded?.rows;
}
