import { Link } from 'react-router';
import { formatMoment, NO_VALUE } from '../format/format.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { shortId, uuidOf } from './job-title.tsx';

/** When what happened to a job, and where it comes from. */
export function JobTimes({ job }: { job: JobRowFragment }) {
  return (
    <section className="panel" aria-labelledby="times">
      <h2 id="times">Times</h2>
      <dl className="list">
        <dt>Started</dt>
        <dd>{formatMoment(job.createdAt)}</dd>
        <dt>By</dt>
        <dd title={job.startedBy?.id}>{job.startedBy?.name ?? NO_VALUE}</dd>
        <dt>Taken up by a worker</dt>
        <dd>{formatMoment(job.startedAt)}</dd>
        <dt>Ended</dt>
        <dd>{formatMoment(job.finishedAt)}</dd>
        {job.retryOf !== null && (
          <>
            <dt>Retry of</dt>
            <dd>
              <Link to={`/jobs/${uuidOf(job.retryOf.id)}`} className="mono">
                {shortId(job.retryOf.id)}
              </Link>
              {job.failedItemsOnly && ', failed items only'}
            </dd>
          </>
        )}
        <dt>Items</dt>
        <dd>
          <Link to={`/items?job=${uuidOf(job.id)}`}>that it last changed</Link>
        </dd>
        <dt>Id</dt>
        <dd className="mono break">{uuidOf(job.id)}</dd>
      </dl>
    </section>
  );
}
