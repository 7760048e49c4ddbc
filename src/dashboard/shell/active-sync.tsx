import { useQuery } from '@apollo/client/react';
import { Link } from 'react-router';
import { formatCount, formatPercent, formatTimeLeft } from '../format/format.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { JobRow, useJobChanges } from '../jobs/job-feed.ts';
import { jobTitle, uuidOf } from '../jobs/job-title.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isEnded, Status } from '../parts/status.tsx';

const CurrentSync = graphql(`
  query CurrentSync {
    syncStatus {
      state
      job {
        id
        ...JobRow
      }
    }
  }
`);

/** One line about the sync that is active, on every page. */
export function ActiveSync() {
  const { data, refetch } = useQuery(CurrentSync, { fetchPolicy: 'cache-and-network' });
  const known = data?.syncStatus.job;
  const job = known ? readFragment(JobRow, known) : undefined;
  useJobChanges((changed) => {
    // The job that is known keeps itself up to date in the cache.
    if (changed.kind === 'SYNC' && changed.id !== job?.id && !isEnded(changed.state)) void refetch();
  });
  if (job === undefined || isEnded(job.state)) return null;
  const { percent, itemsPerSecond, estimatedCompletion } = job.progress;
  return (
    <section className="active-sync" aria-label="Active sync">
      <Status state={job.state} />
      <Link to={`/jobs/${uuidOf(job.id)}`}>{jobTitle(job)}</Link>
      <ProgressBar percent={percent} state={job.state} label="Progress of the active sync" />
      <span className="tabular">{formatPercent(percent)}</span>
      {itemsPerSecond !== null && <span className="faint tabular">{formatCount(itemsPerSecond)} rows/s</span>}
      {estimatedCompletion !== null && (
        <span className="faint tabular">{formatTimeLeft(estimatedCompletion)} left</span>
      )}
    </section>
  );
}
