import { useQuery } from '@apollo/client/react';
import { Link } from 'react-router';
import { FOLLOWED } from '../api/client.ts';
import { JobRow } from '../api/fragments/job.ts';
import { formatAmount, formatCount, formatPercent } from '../format/format.ts';
import { readKey } from '../format/ids.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useJobChanges } from '../jobs/job-feed.ts';
import { nameJob } from '../jobs/job-title.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isTerminal, Status } from '../parts/status.tsx';
import { Faint } from '../parts/text.tsx';
import { TimeLeft } from '../parts/time.tsx';
import styles from './active-sync.module.css';

const CurrentSync = graphql(`
  query CurrentSync {
    syncStatus {
      job {
        id
        ...JobRow
      }
    }
  }
`);

/** Shows the active sync in one line on every page. */
export function ActiveSync() {
  const { data, refetch } = useQuery(CurrentSync, {
    fetchPolicy: 'cache-and-network',
    context: FOLLOWED,
  });
  const known = data?.syncStatus?.job;
  const job = known ? readFragment(JobRow, known) : undefined;
  useJobChanges(({ kind, id, state }) => {
    // The cache keeps a known job current.
    if (kind === 'SYNC' && id !== job?.id && !isTerminal(state)) void refetch().catch(() => {});
  });
  if (job === undefined || isTerminal(job.state)) return null;
  const { percent, totalSources, completedSources, itemsPerSecond, estimatedCompletion } = job.progress;
  return (
    <section className={styles.bar} aria-label="Active sync">
      <Status state={job.state} />
      <Link to={`/jobs/${readKey(job.id)}`}>{nameJob(job)}</Link>
      <div className={styles.progress}>
        <ProgressBar percent={percent} state={job.state} label="Progress of the active sync" />
      </div>
      <span>
        {percent === null && totalSources > 1
          ? `${formatCount(completedSources)} of ${formatAmount(totalSources, 'data source')}`
          : formatPercent(percent)}
      </span>
      {itemsPerSecond !== null && <Faint>{formatAmount(itemsPerSecond, 'row')}/s</Faint>}
      {estimatedCompletion !== null && (
        <Faint>
          <TimeLeft until={estimatedCompletion} /> left
        </Faint>
      )}
    </section>
  );
}
