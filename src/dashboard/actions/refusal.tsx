import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { readKey } from '../format/ids.ts';
import type { RefusalReasonFragment } from '../generated/graphql.ts';
import { ErrorNotice } from '../parts/notice.tsx';
import type { Refusal } from './use-action.ts';

/** Replaces the server's messages, which name operations of the API. */
const TEXTS: Partial<Record<RefusalReasonFragment['__typename'], string>> = {
  DataSourceInUseError: 'An active job is reading this data source. Wait until it ends, or cancel it.',
  DataSourceNotFoundError: 'This data source no longer exists.',
  JobAlreadyFinishedError: 'This job has already ended.',
  JobNotFinishedError: 'This job is still active. Wait until it ends, or cancel it.',
  JobNotFoundError: 'This job no longer exists.',
  JobNotPausableError: 'This job can no longer be paused.',
  JobNotPausedError: 'This job is not paused.',
  NoDataSourceError: 'No enabled data source matches.',
  NothingToRetryError: 'This job has nothing of that kind to retry.',
  SyncAlreadyRunningError: 'A sync is already running. Wait until it ends, or cancel it.',
};

/** Shows why something was not done. */
export function RefusalNotice({ refusal }: { refusal: Refusal | null }) {
  if (refusal === null) return null;
  return <ErrorNotice title="That did not work">{describeRefusal(refusal)}</ErrorNotice>;
}

function describeRefusal(refusal: Refusal): ReactNode {
  switch (refusal.kind) {
    case 'failed':
      return <p>{refusal.message}</p>;
    case 'invalid':
      return refusal.issues.map(({ field, message }) => (
        <p key={field + message}>{field === '' ? message : `${field}: ${message}`}</p>
      ));
    case 'refused':
      return (
        <p>
          {TEXTS[refusal.reason.__typename] ?? refusal.reason.message} <WayOut reason={refusal.reason} />
        </p>
      );
  }
}

/** Links to where the reason can be dealt with. */
function WayOut({ reason }: { reason: RefusalReasonFragment }) {
  if (reason.__typename === 'NoDataSourceError') return <Link to="/sources">Go to data sources</Link>;
  if (reason.__typename !== 'SyncAlreadyRunningError' || reason.activeJob === null) return null;
  return <Link to={`/jobs/${readKey(reason.activeJob.id)}`}>Go to the active sync</Link>;
}
