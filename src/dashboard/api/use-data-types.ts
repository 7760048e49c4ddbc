import { useQuery } from '@apollo/client/react';
import { graphql } from '../generated/index.ts';

const DataTypes = graphql(`
  query DataTypes {
    dataTypes {
      name
    }
  }
`);

/** Returns the data types as options of a select; empty until they are loaded. */
export function useDataTypes() {
  const { data } = useQuery(DataTypes);
  return (data?.dataTypes ?? []).map(({ name }) => ({ value: name, label: name }));
}
