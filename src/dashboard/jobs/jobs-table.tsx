import { memo } from 'react';
import { Link } from 'react-router';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatPercent,
  formatShortMoment,
  formatTimeLeft,
  NO_VALUE,
} from '../format/format.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isEnded, Status } from '../parts/status.tsx';
import { jobTitle, shortId, uuidOf } from './job-title.tsx';

/** Jobs as a table, and on a narrow page as cards. Roles are given, as a table that is laid out otherwise loses them. */
export function JobsTable({ jobs }: { jobs: readonly JobRowFragment[] }) {
  return (
    <table role="table" className="table cards sheet jobs-table" aria-label="Jobs">
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col">Status</th>
          <th scope="col">Job</th>
          <th scope="col">Progress</th>
          <th scope="col" className="number">
            Rows
          </th>
          <th scope="col" className="number">
            Rows/s
          </th>
          <th scope="col" className="number">
            Errors
          </th>
          <th scope="col">Time</th>
          <th scope="col">Started</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {jobs.map((job) => (
          <JobTableRow key={job.id} job={job} />
        ))}
      </tbody>
    </table>
  );
}

const JobTableRow = memo(function JobTableRow({ job }: { job: JobRowFragment }) {
  const { id, state, progress, createdAt } = job;
  const title = jobTitle(job);
  return (
    <tr role="row" data-state={state}>
      <td role="cell" data-label="Status">
        <Status state={state} />
      </td>
      <td role="cell" data-label="Job" className="job-name card-title">
        <Link to={`/jobs/${uuidOf(id)}`} className="row-link">
          {title}
        </Link>{' '}
        <span className="faint mono">{shortId(id)}</span>
        {job.retryOf !== null && !job.failedItemsOnly && <span className="faint"> retry</span>}
      </td>
      <td role="cell" data-label="Progress" className="job-progress">
        <span className="progress-line">
          <ProgressBar percent={progress.percent} state={state} label={`Progress of ${title}`} />
          <span className="progress-percent">{formatPercent(progress.percent)}</span>
        </span>
      </td>
      <td role="cell" data-label="Rows" className="number">
        {formatCount(progress.processedItems)}
        <span className="faint"> / {formatCount(progress.totalItems)}</span>
      </td>
      <td role="cell" data-label="Rows/s" className="number">
        {formatCount(progress.itemsPerSecond)}
      </td>
      <td role="cell" data-label="Errors" className="number">
        {progress.errorCount > 0 ? (
          <Link to={`/jobs/${uuidOf(id)}#errors`} className="bad">
            {formatCount(progress.errorCount)}
            <span className="sr-only"> errors</span>
          </Link>
        ) : (
          <span className="faint">0</span>
        )}
      </td>
      <td role="cell" data-label="Time" className="nowrap">
        {timeText(job)}
      </td>
      <td role="cell" data-label="Started" className="nowrap">
        <time dateTime={createdAt} title={formatMoment(createdAt)}>
          {formatShortMoment(createdAt)}
        </time>
      </td>
    </tr>
  );
});

/** How long it took or, while it runs, when it will have ended. */
function timeText({ state, progress }: JobRowFragment): string {
  if (isEnded(state))
    return progress.elapsedSeconds === null ? NO_VALUE : formatDuration(progress.elapsedSeconds);
  if (progress.estimatedCompletion !== null) return `${formatTimeLeft(progress.estimatedCompletion)} left`;
  return progress.elapsedSeconds === null ? NO_VALUE : `${formatDuration(progress.elapsedSeconds)} so far`;
}
