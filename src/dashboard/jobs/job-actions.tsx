import { useMutation } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import type { JobRowFragment } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { ConfirmDialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { describeError, ErrorNotice } from '../parts/notice.tsx';
import { isEnded } from '../parts/status.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { jobTitle, uuidOf } from './job-title.tsx';

const CancelJob = graphql(`
  mutation CancelJob($id: ID!) {
    cancelJob(id: $id) {
      ... on CancelJobSuccess {
        job {
          id
          ...JobRow
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

const PauseJob = graphql(`
  mutation PauseJob($id: ID!) {
    pauseJob(id: $id) {
      ... on PauseJobSuccess {
        job {
          id
          ...JobRow
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

const ResumeJob = graphql(`
  mutation ResumeJob($id: ID!) {
    resumeJob(id: $id) {
      ... on ResumeJobSuccess {
        job {
          id
          ...JobRow
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

const RetryJob = graphql(`
  mutation RetryJob($id: ID!, $failedItemsOnly: Boolean!) {
    retryJob(id: $id, failedItemsOnly: $failedItemsOnly) {
      ... on RetryJobSuccess {
        job {
          id
          ...JobRow
        }
      }
      ... on SyncAlreadyRunningError {
        activeJob {
          id
        }
      }
      ... on Error {
        message
      }
    }
  }
`);

interface Problem {
  readonly message: string;
  /** The id of the job that is in the way. */
  readonly activeJobId?: string | undefined;
}

/** What can be done with a job in its present state. */
export function JobActions({ job }: { job: JobRowFragment }) {
  const { id, state, progress } = job;
  const may = { disabled: !useMay('OPERATOR'), 'aria-describedby': 'action-role' };
  const navigate = useNavigate();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [cancel, cancelling] = useMutation(CancelJob);
  const [pause, pausing] = useMutation(PauseJob);
  const [resume, resuming] = useMutation(ResumeJob);
  const [retry, retrying] = useMutation(RetryJob);

  /** Shows what the server has against it, whether it is an expected failure or not. */
  async function attempt(run: () => Promise<Problem | undefined>) {
    setProblem(null);
    setProblem((await run().catch((error: unknown) => ({ message: describeError(error) }))) ?? null);
  }

  const onCancel = () =>
    attempt(async () => {
      const { data } = await cancel({ variables: { id } }).finally(() => setAsking(false));
      return problemOf(data?.cancelJob);
    });
  const onPause = () => attempt(async () => problemOf((await pause({ variables: { id } })).data?.pauseJob));
  const onResume = () =>
    attempt(async () => problemOf((await resume({ variables: { id } })).data?.resumeJob));
  const onRetry = (failedItemsOnly: boolean) =>
    attempt(async () => {
      const result = (await retry({ variables: { id, failedItemsOnly } })).data?.retryJob;
      if (result?.__typename === 'RetryJobSuccess') void navigate(`/jobs/${uuidOf(result.job.id)}`);
      return result?.__typename === 'SyncAlreadyRunningError'
        ? { message: result.message, activeJobId: result.activeJob?.id }
        : problemOf(result);
    });

  return (
    <>
      <RoleNote needed="OPERATOR" id="action-role" />
      {!isEnded(state) && (
        <>
          {(state === 'QUEUED' || state === 'RUNNING') && (
            <Button
              {...may}
              variant="default"
              leftSection={<Icon name="pause" />}
              loading={pausing.loading}
              onClick={onPause}
            >
              Pause
            </Button>
          )}
          {state === 'PAUSED' && (
            <Button {...may} leftSection={<Icon name="play" />} loading={resuming.loading} onClick={onResume}>
              Resume
            </Button>
          )}
          {state !== 'CANCELLING' && (
            <Button
              {...may}
              variant="default"
              leftSection={<Icon name="stop" />}
              onClick={() => setAsking(true)}
            >
              Cancel
            </Button>
          )}
        </>
      )}
      {isEnded(state) && (
        <>
          {progress.errorCount > 0 && (
            <Button
              {...may}
              variant="default"
              leftSection={<Icon name="retry" />}
              loading={retrying.loading}
              onClick={() => onRetry(true)}
            >
              Retry failed items
            </Button>
          )}
          <Button
            {...may}
            variant="default"
            leftSection={<Icon name="retry" />}
            loading={retrying.loading}
            onClick={() => onRetry(false)}
          >
            Run again
          </Button>
        </>
      )}
      {isAsking && (
        <ConfirmDialog
          title="Cancel this job?"
          action="Cancel the job"
          isBusy={cancelling.loading}
          onConfirm={onCancel}
          onClose={() => setAsking(false)}
        >
          <p>
            {jobTitle(job)} stops for good. What it has stored stays; what it has not read yet is left out. To
            go on later, pause it instead.
          </p>
        </ConfirmDialog>
      )}
      {problem !== null && (
        <ErrorNotice title="That was not possible">
          <p>{problem.message}</p>
          {problem.activeJobId !== undefined && (
            <p>
              <Link to={`/jobs/${uuidOf(problem.activeJobId)}`}>Go to the active sync</Link>
            </p>
          )}
        </ErrorNotice>
      )}
    </>
  );
}

/** The message of an expected failure; undefined where it worked. */
function problemOf(result: object | undefined): Problem | undefined {
  return result !== undefined && 'message' in result && typeof result.message === 'string'
    ? { message: result.message }
    : undefined;
}
