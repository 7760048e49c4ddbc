import { Group } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useParams } from 'react-router';
import { JobDetails, JobRow } from '../api/fragments/job.ts';
import { useDetail } from '../api/use-detail.ts';
import { DetailPage } from '../details/detail-page.tsx';
import { Columns, Panel } from '../details/panel.tsx';
import { readKey, shortenId } from '../format/ids.ts';
import type { JobByIdQuery } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Faint, Mono } from '../parts/text.tsx';
import { FailedSources } from './failed-sources.tsx';
import { JobActions } from './job-actions.tsx';
import { JobConfiguration } from './job-configuration.tsx';
import { JobErrors } from './job-errors.tsx';
import { JobEvents } from './job-events.tsx';
import { useOpenJob } from './job-feed.ts';
import styles from './job-page.module.css';
import { JobFigures, JobTypes } from './job-progress.tsx';
import { JobTimes } from './job-times.tsx';
import { nameJob } from './job-title.ts';
import { Partitions, readPartitions } from './partitions.tsx';
import { ThroughputPlot } from './throughput-plot.tsx';

const JobById = graphql(`
  query JobById($id: ID!) {
    job(id: $id) {
      id
      throughput {
        elapsedSeconds
        processedItems
      }
      ...JobDetails
      ...JobSettings
    }
  }
`);

/** Shows everything about one job, live. */
export default function JobPage() {
  const { id = '' } = useParams();
  // The key gives another job a new state.
  return <OneJob key={id} uuid={readKey(id)} />;
}

function OneJob({ uuid }: { uuid: string }) {
  const { data, ...request } = useDetail(JobById, { id: uuid });
  const found = data?.job;
  useOpenJob(uuid, found !== undefined && found !== null);
  const missing = (
    <>
      No job has this ID. It may have been removed from history, or the address is incomplete. Go to{' '}
      <Link to="/">jobs</Link>.
    </>
  );
  return (
    <DetailPage title="Job" found={found} {...request} missing={missing}>
      {(job) => <KnownJob found={job} />}
    </DetailPage>
  );
}

function KnownJob({ found }: { found: NonNullable<JobByIdQuery['job']> }) {
  const details = readFragment(JobDetails, found);
  const job = readFragment(JobRow, details);
  const partitions = useMemo(() => readPartitions(details.partitions), [details.partitions]);
  const title = nameJob(job);
  return (
    <Page
      title={title}
      heading={
        <>
          {title}{' '}
          <Mono c="dimmed" fw={400}>
            {shortenId(job.id)}
          </Mono>
        </>
      }
      actions={<JobActions job={job} />}
    >
      <Group className={styles.state} gap="4px 14px" aria-label="State of the job" role="group">
        <Status state={job.state} outcome={job.outcome} />
        <Faint role="status">{job.progress.currentOperation}</Faint>
      </Group>
      <FailedSources job={job} sources={details.failedSources} />
      <JobFigures job={job} />
      <Columns>
        <Panel title="Throughput">
          <ThroughputPlot job={job} stored={found.throughput} partitions={partitions.rows} />
        </Panel>
        <Panel title="By data type">
          <JobTypes job={job} types={details.progress.byType} />
        </Panel>
      </Columns>
      <Partitions job={job} partitions={partitions} />
      <JobErrors jobId={job.id} errorCount={job.progress.errorCount} hasFailed={job.state === 'FAILED'} />
      <Columns>
        <JobConfiguration job={found} />
        <JobTimes job={job} />
      </Columns>
      <JobEvents jobId={job.id} />
    </Page>
  );
}
