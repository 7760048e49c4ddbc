import { Group, Text } from '@mantine/core';
import { Link } from 'react-router';
import { formatAmount, formatCount, formatPercent } from '../format/format.ts';
import { readKey, shortenId } from '../format/ids.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isTerminal, Status } from '../parts/status.tsx';
import { type Column, RowLink } from '../parts/table.tsx';
import { Faint, Mono } from '../parts/text.tsx';
import { Duration, Moment, TimeLeft } from '../parts/time.tsx';
import { nameJob } from './job-title.ts';

/** The columns of the list of jobs. */
export const JOB_COLUMNS: readonly Column<JobRowFragment>[] = [
  {
    head: 'Status',
    card: 'corner',
    cell: ({ state, outcome }) => <Status state={state} outcome={outcome} />,
  },
  {
    head: 'Job',
    card: 'head',
    fit: 'wrap',
    cell: (job) => (
      <>
        <RowLink to={`/jobs/${readKey(job.id)}`}>{nameJob(job)}</RowLink>{' '}
        <Mono c="dimmed">{shortenId(job.id)}</Mono>
        {job.retryMode === 'ALL' && <Faint> retry</Faint>}
      </>
    ),
  },
  {
    head: 'Progress',
    card: 'full',
    fit: 'bar',
    cell: (job) => (
      <Group component="span" gap={10} wrap="nowrap">
        <ProgressBar
          percent={job.progress.percent}
          state={job.state}
          outcome={job.outcome}
          label={`Progress of ${nameJob(job)}`}
        />
        <Faint c="inherit" miw="5ch" ta="end">
          {job.progress.isEstimated && '~'}
          {formatPercent(job.progress.percent)}
        </Faint>
      </Group>
    ),
  },
  {
    head: 'Rows',
    align: 'end',
    cell: ({ progress }) => (
      <>
        {formatCount(progress.processedItems)}
        <Faint> / {formatCount(progress.totalItems)}</Faint>
      </>
    ),
  },
  { head: 'Rows/s', align: 'end', cell: ({ progress }) => formatCount(progress.itemsPerSecond) },
  { head: 'Errors', align: 'end', cell: (job) => <ErrorCount job={job} /> },
  { head: 'Time', fit: 'line', cell: (job) => <JobTime job={job} /> },
  { head: 'Started', card: 'double', fit: 'line', cell: ({ createdAt }) => <Moment at={createdAt} /> },
];

function ErrorCount({ job: { id, progress } }: { job: JobRowFragment }) {
  const count = progress.errorCount;
  if (count === 0) return <Faint>0</Faint>;
  return (
    <Text
      component={Link}
      to={`/jobs/${readKey(id)}#errors`}
      aria-label={formatAmount(count, 'error')}
      inherit
      c="red"
      td="underline"
    >
      {formatCount(count)}
    </Text>
  );
}

/** Shows how long a job took, will take or has run. */
function JobTime({ job: { state, progress } }: { job: JobRowFragment }) {
  const { estimatedCompletion, elapsedSeconds } = progress;
  const isRunning = !isTerminal(state) && elapsedSeconds !== null;
  return isRunning && estimatedCompletion !== null ? (
    <>
      <TimeLeft until={estimatedCompletion} /> left
    </>
  ) : (
    <>
      <Duration seconds={elapsedSeconds} isRunning={isRunning} />
      {isRunning && ' so far'}
    </>
  );
}
