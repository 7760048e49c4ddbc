import { Link, useNavigate } from 'react-router';
import { SourceRow } from '../api/fragments/data-source.ts';
import { readConnection, useList } from '../api/use-list.ts';
import { formatMoment, NO_VALUE } from '../format/format.ts';
import { readKey } from '../format/ids.ts';
import type { DataSourcesQuery, SourceRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useSyncEnds } from '../jobs/job-feed.ts';
import { IconButton } from '../parts/icon-button.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { Mark, Status } from '../parts/status.tsx';
import { type Column, RowLink } from '../parts/table.tsx';
import { Faint, Mono, Sub } from '../parts/text.tsx';
import { RelativeMoment } from '../parts/time.tsx';
import { useAccess } from '../shell/access.tsx';

const DataSources = graphql(`
  query DataSources($first: Int!, $after: String) {
    dataSources(first: $first, after: $after) {
      totalCount
      isTotalCountExact
      pageInfo {
        ...PageEnd
      }
      edges {
        cursor
        node {
          id
          ...SourceRow
        }
      }
    }
  }
`);

const PAGE_SIZE = 100;

const COLUMNS: readonly Column<SourceRowFragment>[] = [
  {
    head: 'Name',
    card: 'head',
    cell: ({ id, name, fullTableName }) => (
      <>
        <RowLink to={`/sources/${readKey(id)}`}>{name}</RowLink>
        <Sub ff="monospace">{fullTableName}</Sub>
      </>
    ),
  },
  { head: 'Type', cell: ({ dataType }) => dataType },
  { head: 'Schedule', cell: (source) => <Schedule source={source} /> },
  { head: 'Last sync', cell: (source) => <LastSync source={source} /> },
  {
    head: 'Watermark',
    card: 'double',
    cell: ({ watermark, cursorColumn }) => (
      <>
        {watermark ?? <Faint>{NO_VALUE}</Faint>}
        {cursorColumn !== null && <Sub ff="monospace">{cursorColumn}</Sub>}
      </>
    ),
  },
  {
    head: 'Enabled',
    cell: ({ enabled }) => (
      <Mark icon={enabled ? 'check' : 'slash'} color={enabled ? 'green' : 'dimmed'}>
        {enabled ? 'Yes' : 'No'}
      </Mark>
    ),
  },
];

function readSources({ dataSources }: DataSourcesQuery) {
  return dataSources && readConnection(dataSources, (node) => readFragment(SourceRow, node));
}

/** Lists the tables that syncs read. */
export default function SourcesPage() {
  const { isAllowed, control, note } = useAccess('ADMIN');
  const navigate = useNavigate();
  const list = useList(DataSources, {}, readSources, PAGE_SIZE);
  useSyncEnds(list.renew);
  return (
    <ListPage
      title="Data sources"
      noun="data source"
      actions={
        <>
          {note}
          <IconButton {...control} icon="plus" onClick={() => void navigate('/sources/new')}>
            Add data source
          </IconButton>
        </>
      }
      list={list}
      columns={COLUMNS}
      empty={
        <p>
          A data source is a table of the warehouse and the type of its rows. Syncs read all enabled data
          sources. {isAllowed && <Link to="/sources/new">Add the first one</Link>}
        </p>
      }
    />
  );
}

function Schedule({ source: { schedule } }: { source: SourceRowFragment }) {
  if (schedule === null) return <Faint>manual</Faint>;
  const [next] = schedule.nextRuns;
  return (
    <>
      <Mono>{schedule.cron}</Mono> <Faint>{schedule.timeZone}</Faint>
      {next !== undefined && (
        <Sub title={formatMoment(next)}>
          next <RelativeMoment at={next} />
        </Sub>
      )}
    </>
  );
}

function LastSync({ source }: { source: SourceRowFragment }) {
  const { lastSyncAt, lastSyncState, lastSyncMessage } = source;
  if (lastSyncAt === null || lastSyncState === null) return <Faint>never</Faint>;
  return (
    <>
      <Status state={lastSyncState} />
      <Sub>
        <RelativeMoment at={lastSyncAt} />
      </Sub>
      {lastSyncMessage !== null && (
        <Sub {...(lastSyncState === 'FAILED' ? { c: 'red' } : {})}>{lastSyncMessage}</Sub>
      )}
    </>
  );
}
