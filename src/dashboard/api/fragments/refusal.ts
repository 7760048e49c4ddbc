import { graphql } from '../../generated/index.ts';

/** Why a mutation was refused, as every result can say it. */
export const RefusalReason = graphql(`
  fragment RefusalReason on UserError {
    message
    ... on InvalidInputError {
      issues {
        path
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
