import { useQuery } from '@apollo/client/react';
import { Button } from '@mantine/core';
import { useEffect, useMemo } from 'react';
import { Link, useNavigate } from 'react-router';
import { formatMoment, formatRelative, NO_VALUE } from '../format/format.ts';
import type { SourceFactsFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useJobChanges } from '../jobs/job-feed.ts';
import { uuidOf } from '../jobs/job-title.tsx';
import { gathered } from '../parts/gathered.ts';
import { Icon } from '../parts/icon.tsx';
import { Loading } from '../parts/loading.tsx';
import { EmptyNotice, RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { isEnded, Status } from '../parts/status.tsx';
import { RoleNote, useMay } from '../shell/viewer.tsx';
import { SourceFacts } from './source-facts.ts';

const DataSources = graphql(`
  query DataSources {
    dataSources {
      id
      ...SourceFacts
    }
  }
`);

/** How long ends of jobs are gathered before the sources are asked for again, in milliseconds. */
const GATHER_MS = 500;

/** The tables that syncs read. */
export default function SourcesPage() {
  const mayAdd = useMay('ADMIN');
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery(DataSources, {
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const renewal = useMemo(() => gathered(() => refetch().catch(() => {}), GATHER_MS), [refetch]);
  useEffect(() => renewal.cancel, [renewal]);
  useJobChanges(({ kind, state }) => {
    if (kind === 'SYNC' && isEnded(state)) renewal.soon();
  });
  const sources = data?.dataSources.map((source) => readFragment(SourceFacts, source));

  return (
    <Page
      title="Data sources"
      actions={
        <>
          <RoleNote needed="ADMIN" id="add-role" />
          <Button
            leftSection={<Icon name="plus" />}
            disabled={!mayAdd}
            aria-describedby="add-role"
            onClick={() => void navigate('/sources/new')}
          >
            Add data source
          </Button>
        </>
      }
    >
      {error !== undefined && sources === undefined && (
        <RequestError error={error} onRetry={() => void refetch()} />
      )}
      {error === undefined && sources === undefined && <Loading what="data sources" />}
      {sources !== undefined && sources.length === 0 && (
        <EmptyNotice title="No data sources yet">
          <p>
            A data source names a table of the warehouse and what its rows are. Syncs read the tables of all
            that are enabled. {mayAdd && <Link to="/sources/new">Add the first one</Link>}
          </p>
        </EmptyNotice>
      )}
      {sources !== undefined && sources.length > 0 && <SourcesTable sources={sources} />}
    </Page>
  );
}

function SourcesTable({ sources }: { sources: readonly SourceFactsFragment[] }) {
  return (
    <table role="table" className="table cards sheet" aria-label="Data sources">
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col">Name</th>
          <th scope="col">Type</th>
          <th scope="col">Schedule</th>
          <th scope="col">Last sync</th>
          <th scope="col">Watermark</th>
          <th scope="col">Enabled</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {sources.map((source) => (
          <tr role="row" key={source.id}>
            <td role="cell" data-label="Name" className="card-title">
              <Link to={`/sources/${uuidOf(source.id)}`} className="row-link">
                {source.name}
              </Link>
              <span className="faint mono break sub">{source.fullTableName}</span>
            </td>
            <td role="cell" data-label="Type">
              {source.dataType}
            </td>
            <td role="cell" data-label="Schedule">
              <ScheduleText source={source} />
            </td>
            <td role="cell" data-label="Last sync">
              <LastSync source={source} />
            </td>
            <td role="cell" data-label="Watermark" className="tabular break">
              {source.watermark ?? <span className="faint">{NO_VALUE}</span>}
              {source.cursorColumn !== null && <span className="faint mono sub">{source.cursorColumn}</span>}
            </td>
            <td role="cell" data-label="Enabled">
              {source.enabled ? (
                <span className="status" data-tone="good">
                  <Icon name="check" size={14} /> Yes
                </span>
              ) : (
                <span className="status">
                  <Icon name="slash" size={14} /> No
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ScheduleText({ source: { schedule } }: { source: SourceFactsFragment }) {
  if (schedule === null) return <span className="faint">by hand</span>;
  const [next] = schedule.nextRuns;
  return (
    <>
      <span className="mono nowrap">{schedule.cron}</span> <span className="faint">{schedule.timeZone}</span>
      {next !== undefined && (
        <span className="faint sub" title={formatMoment(next)}>
          next {formatRelative(next)}
        </span>
      )}
    </>
  );
}

function LastSync({
  source: { lastSyncAt, lastSyncState, lastSyncMessage },
}: {
  source: SourceFactsFragment;
}) {
  if (lastSyncAt === null || lastSyncState === null) return <span className="faint">never</span>;
  return (
    <>
      <Status state={lastSyncState} />
      <time dateTime={lastSyncAt} title={formatMoment(lastSyncAt)} className="faint sub">
        {formatRelative(lastSyncAt)}
      </time>
      {lastSyncMessage !== null && <span className="bad break sub">{lastSyncMessage}</span>}
    </>
  );
}
