import { useQuery } from '@apollo/client/react';
import { SourceName } from '../api/fragments/data-source.ts';
import { graphql, readFragment } from '../generated/index.ts';

const SourceNames = graphql(`
  query SourceNames($enabled: Boolean) {
    dataSources(enabled: $enabled) {
      id
      ...SourceName
    }
  }
`);

/** Returns the names of all data sources, or of the enabled ones; undefined until they are loaded. */
export function useSourceNames({ onlyEnabled }: { onlyEnabled: boolean }) {
  const { data } = useQuery(SourceNames, {
    variables: { enabled: onlyEnabled ? true : null },
    fetchPolicy: 'cache-and-network',
  });
  return data?.dataSources.map((source) => readFragment(SourceName, source));
}
