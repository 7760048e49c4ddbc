import { useNavigate } from 'react-router';
import { type Refusal, useAction } from '../actions/use-action.ts';
import { readKey } from '../format/ids.ts';
import type { RetryMode } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';

const RetryJob = graphql(`
  mutation RetryJob($input: RetryJobInput!) {
    retryJob(input: $input) {
      ... on RetryJobSuccess {
        job {
          id
        }
      }
      ...RefusalReason
    }
  }
`);

/** Retries a job, and opens the page of the new one. */
export function useRetry(id: string): {
  /** Returns the properties of a button that starts a retry. */
  readonly start: (mode: RetryMode) => { readonly loading: boolean; readonly onClick: () => void };
  readonly refusal: Refusal | null;
} {
  const navigate = useNavigate();
  const { run, running, refusal } = useAction();
  const start = (mode: RetryMode) => ({
    loading: running === RetryJob,
    onClick: () =>
      void run(RetryJob, { input: { id, mode } }).then(
        (result) => result && navigate(`/jobs/${readKey(result.job.id)}`),
      ),
  });
  return { start, refusal };
}
