import { graphql } from '../../generated/index.ts';

/** An error of a job, with the row that caused it. */
export const ErrorRow = graphql(`
  fragment ErrorRow on JobError {
    id
    stage
    dataType
    itemId
    message
    row
    createdAt
    partition {
      id
      sourceName
    }
  }
`);
