import { useApolloClient, useQuery } from '@apollo/client/react';
import { Button, NativeSelect } from '@mantine/core';
import { useEffect, useMemo, useRef } from 'react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useReconnect } from '../api/api-context.tsx';
import type {
  JobFilter,
  JobKind,
  JobRowFragment,
  JobState,
  JobsQuery,
  JobsQueryVariables,
} from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { gathered } from '../parts/gathered.ts';
import { Icon } from '../parts/icon.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Loading } from '../parts/loading.tsx';
import { EmptyNotice, RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { JobRow, useJobChanges } from './job-feed.ts';
import { JobsTable } from './jobs-table.tsx';

const Jobs = graphql(`
  query Jobs($filter: JobFilter, $first: Int!, $after: String) {
    jobs(filter: $filter, first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
          ...JobRow
        }
      }
    }
    dataTypes {
      name
    }
  }
`);

const PAGE_SIZE = 25;

/** The most that the server gives at once. */
const LARGEST_PAGE = 200;

/** How long changes are gathered before a list is asked for again, in milliseconds. */
const CATCH_UP_MS = 250;

const STATE_GROUPS: Record<string, { text: string; states: JobState[] }> = {
  active: { text: 'Active', states: ['QUEUED', 'RUNNING', 'PAUSING', 'PAUSED', 'CANCELLING'] },
  completed: { text: 'Completed', states: ['COMPLETED'] },
  failed: { text: 'Failed', states: ['FAILED'] },
  cancelled: { text: 'Cancelled', states: ['CANCELLED'] },
  paused: { text: 'Paused', states: ['PAUSING', 'PAUSED'] },
};

const KINDS: Record<string, { text: string; kind: JobKind }> = {
  sync: { text: 'Syncs', kind: 'SYNC' },
  query: { text: 'Query jobs', kind: 'QUERY' },
};

/** The history of jobs, the newest first, kept up to date. */
export function JobsPage() {
  const [params, setParams] = useSearchParams();
  const [state, kind, type] = ['state', 'kind', 'type'].map((name) => params.get(name) ?? '');
  const filter = useMemo(() => filterOf(state ?? '', kind ?? '', type ?? ''), [state, kind, type]);
  const { jobs, error, load, dataTypes } = useJobs(filter);
  const isFiltered = Object.keys(filter).length > 0;

  function setParam(name: string, value: string) {
    setParams(
      (before) => {
        if (value === '') before.delete(name);
        else before.set(name, value);
        return before;
      },
      { replace: true },
    );
  }

  return (
    <Page title="Jobs" actions={<StartButtons />}>
      <search className="filters" aria-label="Filter jobs">
        <NativeSelect
          label="State"
          size="xs"
          value={state}
          onChange={({ currentTarget }) => setParam('state', currentTarget.value)}
          data={[
            { value: '', label: 'Any state' },
            ...Object.entries(STATE_GROUPS).map(([value, { text }]) => ({ value, label: text })),
          ]}
        />
        <NativeSelect
          label="Kind"
          size="xs"
          value={kind}
          onChange={({ currentTarget }) => setParam('kind', currentTarget.value)}
          data={[
            { value: '', label: 'Any kind' },
            ...Object.entries(KINDS).map(([value, { text }]) => ({ value, label: text })),
          ]}
        />
        <NativeSelect
          label="Data type"
          size="xs"
          value={type}
          onChange={({ currentTarget }) => setParam('type', currentTarget.value)}
          data={[{ value: '', label: 'Any data type' }, ...dataTypes]}
        />
        {isFiltered && (
          <Button size="xs" variant="subtle" onClick={() => setParams({}, { replace: true })}>
            Clear filters
          </Button>
        )}
      </search>
      {error !== undefined && <RequestError error={error} onRetry={load.again} />}
      {jobs === undefined && error === undefined && <Loading what="jobs" />}
      {jobs !== undefined && jobs.edges.length === 0 && (
        <NoJobs isFiltered={isFiltered} onClear={() => setParams({}, { replace: true })} />
      )}
      {jobs !== undefined && jobs.edges.length > 0 && (
        <>
          <JobsTable jobs={jobs.rows} />
          <LoadMore
            what="jobs"
            shown={jobs.edges.length}
            total={jobs.totalCount}
            hasMore={jobs.pageInfo.hasNextPage}
            onLoad={load.more}
          />
        </>
      )}
    </Page>
  );
}

function StartButtons() {
  const navigate = useNavigate();
  const mayStart = useMay('OPERATOR');
  return (
    <>
      <RoleNote needed="OPERATOR" id="start-role" />
      <Button
        variant="default"
        disabled={!mayStart}
        aria-describedby="start-role"
        onClick={() => void navigate('/start/query')}
      >
        Start query job
      </Button>
      <Button
        leftSection={<Icon name="play" />}
        disabled={!mayStart}
        aria-describedby="start-role"
        onClick={() => void navigate('/start/sync')}
      >
        Start sync
      </Button>
    </>
  );
}

function NoJobs({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  if (isFiltered) {
    return (
      <EmptyNotice title="No job fits these filters">
        <Button variant="default" size="xs" onClick={onClear}>
          Clear filters
        </Button>
      </EmptyNotice>
    );
  }
  return (
    <EmptyNotice title="No jobs yet">
      <p>
        A sync copies the tables of your <Link to="/sources">data sources</Link>; a query job takes in the
        rows of one SELECT. Start one, and watch it here.
      </p>
    </EmptyNotice>
  );
}

function filterOf(state: string, kind: string, type: string): JobFilter {
  const group = STATE_GROUPS[state];
  const known = KINDS[kind];
  return {
    ...(group === undefined ? {} : { states: group.states }),
    ...(known === undefined ? {} : { kinds: [known.kind] }),
    ...(type === '' ? {} : { dataTypes: [type] }),
  };
}

/** A list of jobs that grows by pages, and that jobs come into and go out of as they are made and change. */
function useJobs(filter: JobFilter) {
  const client = useApolloClient();
  const { data, error, fetchMore, refetch } = useQuery(Jobs, {
    variables: { filter, first: PAGE_SIZE },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const jobs = useMemo(() => {
    if (data === undefined) return undefined;
    return { ...data.jobs, rows: data.jobs.edges.map(({ node }) => readFragment(JobRow, node)) };
  }, [data]);
  const loaded = useRef(0);
  loaded.current = jobs?.edges.length ?? 0;

  const catchUp = useMemo(
    () =>
      gathered(async () => {
        let after: string | null = null;
        for (let missing = Math.max(PAGE_SIZE, loaded.current); missing > 0; missing -= LARGEST_PAGE) {
          const variables: JobsQueryVariables = { filter, first: Math.min(missing, LARGEST_PAGE), after };
          // A failure is mended by the next change, or when the connection is back.
          const page: { data?: JobsQuery | undefined } | null = await client
            .query({ query: Jobs, variables, fetchPolicy: 'network-only' })
            .catch(() => null);
          if (!page?.data?.jobs.pageInfo.hasNextPage) break;
          after = page.data.jobs.edges.at(-1)?.cursor ?? null;
        }
      }, CATCH_UP_MS),
    [client, filter],
  );
  useEffect(() => catchUp.cancel, [catchUp]);
  useReconnect(catchUp.soon);
  useJobChanges((job) => {
    if (jobs === undefined) return;
    const isListed = jobs.rows.some(({ id }) => id === job.id);
    const oldest = jobs.rows.at(-1);
    const isFurtherDown =
      jobs.pageInfo.hasNextPage && oldest !== undefined && job.createdAt < oldest.createdAt;
    if (isListed !== fits(job, filter) && !(isFurtherDown && !isListed)) catchUp.soon();
  });

  return {
    jobs,
    error: jobs === undefined ? error : undefined,
    dataTypes: data?.dataTypes.map(({ name }) => name) ?? [],
    load: {
      more: () => fetchMore({ variables: { after: jobs?.pageInfo.endCursor ?? null } }),
      again: () => void refetch(),
    },
  };
}

function fits(job: JobRowFragment, { states, kinds, dataTypes }: JobFilter): boolean {
  return (
    (states?.includes(job.state) ?? true) &&
    (kinds?.includes(job.kind) ?? true) &&
    (dataTypes == null || (job.dataType !== null && dataTypes.includes(job.dataType)))
  );
}
