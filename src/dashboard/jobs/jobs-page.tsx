import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { JobRow } from '../api/fragments/job.ts';
import { useDataTypes } from '../api/use-data-types.ts';
import { readConnection, useList } from '../api/use-list.ts';
import type { JobFilter, JobKind, JobRowFragment, JobState, JobsQuery } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useFilters } from '../parts/filters.tsx';
import { IconButton } from '../parts/icon-button.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { Faint } from '../parts/text.tsx';
import { useAccess } from '../shell/access.tsx';
import { JOB_COLUMNS } from './job-columns.tsx';
import { type CatchUp, useCatchUp, useJobChanges, useMissedJobChanges } from './job-feed.ts';

const Jobs = graphql(`
  query Jobs($filter: JobFilter, $first: Int!, $after: String) {
    jobs(filter: $filter, first: $first, after: $after) {
      totalCount
      isTotalCountExact
      pageInfo {
        ...PageEnd
      }
      edges {
        cursor
        node {
          id
          ...JobRow
        }
      }
    }
  }
`);

const PAGE_SIZE = 25;

const STATES: readonly { value: string; label: string; states?: JobState[] }[] = [
  { value: '', label: 'Any state' },
  { value: 'active', label: 'Active', states: ['QUEUED', 'RUNNING', 'PAUSING', 'PAUSED', 'CANCELLING'] },
  { value: 'completed', label: 'Completed', states: ['COMPLETED'] },
  { value: 'failed', label: 'Failed', states: ['FAILED'] },
  { value: 'cancelled', label: 'Cancelled', states: ['CANCELLED'] },
  { value: 'paused', label: 'Paused', states: ['PAUSING', 'PAUSED'] },
];

const KINDS: readonly { value: string; label: string; kinds?: JobKind[] }[] = [
  { value: '', label: 'Any kind' },
  { value: 'sync', label: 'Syncs', kinds: ['SYNC'] },
  { value: 'query', label: 'Query jobs', kinds: ['QUERY'] },
  { value: 'repair', label: 'Repairs', kinds: ['REPAIR'] },
];

const FILTERS = ['state', 'kind', 'type'] as const;

function readJobs({ jobs }: JobsQuery) {
  return jobs && readConnection(jobs, (node) => readFragment(JobRow, node));
}

/** Lists the jobs, newest first, and keeps the list current. */
export function JobsPage() {
  const filters = useFilters(FILTERS);
  const filter = useMemo(() => buildFilter(filters.values), [filters.values]);
  const list = useList(Jobs, { filter }, readJobs, PAGE_SIZE, true);
  const dataTypes = useDataTypes();

  useJobChanges((job) => {
    const { loaded } = list;
    if (loaded === null) return;
    const isListed = loaded.rows.some(({ id }) => id === job.id);
    const oldest = loaded.rows.at(-1);
    const isFurtherDown = loaded.next !== null && oldest !== undefined && job.createdAt < oldest.createdAt;
    if (isListed !== matches(job, filter) && (isListed || !isFurtherDown)) list.renew();
  });

  useMissedJobChanges(list.renew);

  return (
    <ListPage
      title="Jobs"
      noun="job"
      note={<CatchUpNote />}
      actions={<StartButtons />}
      list={list}
      columns={JOB_COLUMNS}
      filters={filters}
      fields={[
        { name: 'state', label: 'State', options: STATES },
        { name: 'kind', label: 'Kind', options: KINDS },
        { name: 'type', label: 'Data type', options: [{ value: '', label: 'Any data type' }, ...dataTypes] },
      ]}
      empty={
        <p>
          A sync copies the tables of your <Link to="/sources">data sources</Link>. A query job reads the rows
          of one SELECT. Start one and watch it here.
        </p>
      }
    />
  );
}

const CATCH_UPS: Readonly<Record<CatchUp, string>> = {
  EVERYTHING: 'Reconnected, nothing missed.',
  BEHIND: 'Reconnected. Too many jobs had changed to catch up one by one, so the list was loaded again.',
  EXPIRED: 'Reconnected. The server no longer knows where this list was, so it was loaded again.',
  UNKNOWN: 'Reconnected. The server does not know where this list was, so it was loaded again.',
};

/** Says what a lost connection has cost, when it is back. */
function CatchUpNote() {
  const catchUp = useCatchUp();
  return <div role="status">{catchUp !== null && <Faint>{CATCH_UPS[catchUp]}</Faint>}</div>;
}

function StartButtons() {
  const navigate = useNavigate();
  const { control, note } = useAccess('OPERATOR');
  return (
    <>
      {note}
      <Button {...control} variant="default" onClick={() => void navigate('/start/query')}>
        Start query job
      </Button>
      <IconButton {...control} icon="play" onClick={() => void navigate('/start/sync')}>
        Start sync
      </IconButton>
    </>
  );
}

function buildFilter({ state, kind, type }: Record<(typeof FILTERS)[number], string>): JobFilter {
  const states = STATES.find(({ value }) => value === state)?.states;
  const kinds = KINDS.find(({ value }) => value === kind)?.kinds;
  return {
    ...(states === undefined ? {} : { states }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(type === '' ? {} : { dataTypes: [type] }),
  };
}

/** Whether the server would list a job under a filter. */
function matches(job: JobRowFragment, { states, kinds, dataTypes }: JobFilter): boolean {
  return (
    (states?.includes(job.state) ?? true) &&
    (kinds?.includes(job.kind) ?? true) &&
    (dataTypes == null || (job.dataType !== null && dataTypes.includes(job.dataType)))
  );
}
