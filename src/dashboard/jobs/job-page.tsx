import { useQuery } from '@apollo/client/react';
import { Link, useParams } from 'react-router';
import { useLive } from '../api/use-live.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { Loading } from '../parts/loading.tsx';
import { ErrorNotice, RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { isEnded, Status } from '../parts/status.tsx';
import { JobActions } from './job-actions.tsx';
import { JobConfiguration } from './job-configuration.tsx';
import { JobErrors } from './job-errors.tsx';
import { JobRow } from './job-feed.ts';
import { JobNumbers, JobTypes } from './job-progress.tsx';
import { JobTimes } from './job-times.tsx';
import { jobTitle, shortId } from './job-title.tsx';
import { Partitions } from './partitions.tsx';
import { recordSample } from './throughput.ts';
import { ThroughputPlot } from './throughput-plot.tsx';

/** What a job's page shows of it beside what lists do, and what changes of that while it runs. */
const JobPageProgress = graphql(`
  fragment JobPageProgress on Job {
    ...JobRow
    failureReason
    progress {
      byType {
        dataType
        totalItems
        processedItems
        successCount
        errorCount
      }
    }
    partitions {
      id
      ...PartitionRow
    }
  }
`);

const JobById = graphql(`
  query JobById($id: ID!) {
    job(id: $id) {
      id
      ...JobPageProgress
      ...JobConfigurationFacts
    }
  }
`);

const JobProgress = graphql(`
  subscription JobProgress($id: ID!) {
    jobProgress(id: $id) {
      ...JobPageProgress
    }
  }
`);

/** Everything about one job, live. */
export default function JobPage() {
  const { id = '' } = useParams();
  // Another job is another page, with a state of its own.
  return <OneJob key={id} id={id} />;
}

function OneJob({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(JobById, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const found = data?.job;
  const details = found ? readFragment(JobPageProgress, found) : undefined;
  const job = details ? readFragment(JobRow, details) : undefined;
  useLive(JobProgress, job !== undefined && !isEnded(job.state) ? { id } : null, ({ jobProgress }) => {
    recordSample(readFragment(JobRow, readFragment(JobPageProgress, jobProgress)));
  });

  if (found === null) return <NoJob />;
  if (details === undefined || job === undefined || found === undefined) {
    return (
      <Page title="Job">
        {error === undefined ? (
          <Loading what="the job" />
        ) : (
          <RequestError error={error} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  }
  const title = jobTitle(job);
  return (
    <Page
      title={title}
      heading={
        <>
          {title} <span className="faint mono heading-id">{shortId(job.id)}</span>
        </>
      }
      actions={<JobActions job={job} />}
    >
      <div className="job-head">
        <Status state={job.state} />
        <span className="operation" role="status">
          {job.progress.currentOperation}
        </span>
      </div>
      {details.failureReason !== null && (
        <ErrorNotice title="Why it failed">
          <p className="long-text">{details.failureReason}</p>
        </ErrorNotice>
      )}
      <JobNumbers job={job} />
      <div className="columns">
        <section className="panel" aria-labelledby="throughput">
          <h2 id="throughput">Throughput</h2>
          <ThroughputPlot job={job} partitions={details.partitions} />
        </section>
        <section className="panel" aria-labelledby="types">
          <h2 id="types">By data type</h2>
          <JobTypes job={job} types={details.progress.byType} />
        </section>
      </div>
      <Partitions partitions={details.partitions} />
      <JobErrors id={job.id} errorCount={job.progress.errorCount} />
      <div className="columns">
        <JobConfiguration job={found} />
        <JobTimes job={job} />
      </div>
    </Page>
  );
}

function NoJob() {
  return (
    <Page title="Job not found">
      <p>
        No job has this id. It may have been pruned from history, or the address is not complete. The{' '}
        <Link to="/">jobs</Link> that there are may help.
      </p>
    </Page>
  );
}
