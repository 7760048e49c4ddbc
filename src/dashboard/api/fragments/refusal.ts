import { graphql } from '../../generated/index.ts';

/** Why a mutation was refused, as every result can say it. */
export const RefusalReason = graphql(`
  fragment RefusalReason on Error {
    message
    ... on InvalidInputError {
      issues {
        field
        message
      }
    }
    ... on SyncAlreadyRunningError {
      activeJob {
        id
      }
    }
  }
`);
