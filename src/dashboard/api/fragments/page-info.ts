import { graphql } from '../../generated/index.ts';

/** Whether a connection has more, and where that begins. */
export const PageEnd = graphql(`
  fragment PageEnd on PageInfo {
    hasNextPage
    endCursor
  }
`);
