import { useState } from 'react';
import { ConfirmDialog } from '../actions/dialog.tsx';
import { RefusalNotice } from '../actions/refusal.tsx';
import { useAction } from '../actions/use-action.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { isTerminal } from '../parts/status.tsx';
import { useAccess } from '../shell/access.tsx';
import { nameJob } from './job-title.ts';
import { useRetry } from './use-retry.ts';

const CancelJob = graphql(`
  mutation CancelJob($input: CancelJobInput!) {
    cancelJob(input: $input) {
      ... on CancelJobSuccess {
        job {
          ...ControlledJob
        }
      }
      ...RefusalReason
    }
  }
`);

const PauseJob = graphql(`
  mutation PauseJob($input: PauseJobInput!) {
    pauseJob(input: $input) {
      ... on PauseJobSuccess {
        job {
          ...ControlledJob
        }
      }
      ...RefusalReason
    }
  }
`);

const ResumeJob = graphql(`
  mutation ResumeJob($input: ResumeJobInput!) {
    resumeJob(input: $input) {
      ... on ResumeJobSuccess {
        job {
          ...ControlledJob
        }
      }
      ...RefusalReason
    }
  }
`);

/** The buttons that act on a job in its present state. */
export function JobActions({ job }: { job: JobRowFragment }) {
  const { id, state, progress } = job;
  const { control, note } = useAccess('OPERATOR');
  const [isAsking, setAsking] = useState(false);
  const { run, running, refusal } = useAction();

  const pause = { loading: running === PauseJob, onClick: () => void run(PauseJob, { input: { id } }) };
  const resume = { loading: running === ResumeJob, onClick: () => void run(ResumeJob, { input: { id } }) };
  const cancel = () => void run(CancelJob, { input: { id } }).then(() => setAsking(false));
  const retry = useRetry(id);

  return (
    <>
      {note}
      {(state === 'QUEUED' || state === 'RUNNING') && (
        <IconButton {...control} {...pause} icon="pause" variant="default">
          Pause
        </IconButton>
      )}
      {state === 'PAUSED' && (
        <IconButton {...control} {...resume} icon="play">
          Resume
        </IconButton>
      )}
      {!isTerminal(state) && state !== 'CANCELLING' && (
        <IconButton {...control} icon="stop" variant="default" onClick={() => setAsking(true)}>
          Cancel
        </IconButton>
      )}
      {isTerminal(state) && progress.errorCount > 0 && (
        <IconButton {...control} {...retry.start('FAILED_ITEMS')} icon="retry" variant="default">
          Retry failed items
        </IconButton>
      )}
      {isTerminal(state) && (
        <IconButton {...control} {...retry.start('ALL')} icon="retry" variant="default">
          Run again
        </IconButton>
      )}
      {isAsking && (
        <ConfirmDialog
          title="Cancel this job?"
          confirm="Cancel job"
          dismiss="Keep job"
          isBusy={running === CancelJob}
          onConfirm={cancel}
          onClose={() => setAsking(false)}
        >
          {nameJob(job)} will stop for good. Saved items stay; rows not read yet are skipped.
          {state !== 'PAUSED' && ' To continue later, pause it instead.'}
        </ConfirmDialog>
      )}
      <RefusalNotice refusal={refusal ?? retry.refusal} />
    </>
  );
}
