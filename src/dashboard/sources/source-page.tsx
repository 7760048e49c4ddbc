import { useQuery } from '@apollo/client/react';
import { Link, useNavigate, useParams } from 'react-router';
import { formatCount, formatMoment, formatRelative, NO_VALUE } from '../format/format.ts';
import type { SourceByIdQuery, SourceFactsFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { uuidOf } from '../jobs/job-title.tsx';
import { Loading } from '../parts/loading.tsx';
import { ErrorNotice, RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { DeleteSource } from './delete-source.tsx';
import { SourceFacts } from './source-facts.ts';
import { SourceForm } from './source-form.tsx';
import { SourceTest } from './source-test.tsx';

const SourceById = graphql(`
  query SourceById($id: ID!) {
    dataSource(id: $id) {
      id
      ...SourceFacts
      scheduledRuns(first: 20) {
        id
        createdAt
        skippedBecause
        job {
          id
          state
        }
      }
    }
  }
`);

/** One data source, or a new one. */
export default function SourcePage() {
  const { id } = useParams();
  return id === undefined ? <NewSource /> : <KnownSource key={id} id={id} />;
}

function NewSource() {
  const navigate = useNavigate();
  return (
    <Page title="Add a data source">
      <SourceForm source={null} onSaved={(id) => void navigate(`/sources/${uuidOf(id)}`)} />
    </Page>
  );
}

function KnownSource({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(SourceById, {
    variables: { id },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  const found = data?.dataSource;
  if (found === null) {
    return (
      <Page title="Data source not found">
        <p>
          No data source has this id; it may have been deleted. Go to the{' '}
          <Link to="/sources">data sources</Link>.
        </p>
      </Page>
    );
  }
  if (found === undefined) {
    return (
      <Page title="Data source">
        {error === undefined ? (
          <Loading what="the data source" />
        ) : (
          <RequestError error={error} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  }
  const source = readFragment(SourceFacts, found);
  return (
    <Page title={source.name} actions={<DeleteSource id={source.id} name={source.name} />}>
      {source.lastSyncMessage !== null && (
        <ErrorNotice title="Its last sync failed">
          <p className="long-text">{source.lastSyncMessage}</p>
        </ErrorNotice>
      )}
      <div className="columns even">
        <section className="panel" aria-labelledby="settings">
          <h2 id="settings">Settings</h2>
          <SourceForm source={source} onSaved={() => void refetch()} />
        </section>
        <div>
          <section className="panel" aria-labelledby="syncs">
            <h2 id="syncs">Syncs</h2>
            <SyncFacts source={source} />
          </section>
          <section className="panel" aria-labelledby="test">
            <h2 id="test">Connection</h2>
            <SourceTest id={source.id} />
          </section>
          <section className="panel" aria-labelledby="runs">
            <h2 id="runs">Scheduled runs</h2>
            <ScheduledRuns source={source} runs={found.scheduledRuns} />
          </section>
        </div>
      </div>
    </Page>
  );
}

function SyncFacts({ source }: { source: SourceFactsFragment }) {
  return (
    <dl className="list">
      <dt>Last sync</dt>
      <dd>
        {source.lastSyncState === null || source.lastSyncAt === null ? (
          'never'
        ) : (
          <>
            <Status state={source.lastSyncState} />{' '}
            <span title={formatMoment(source.lastSyncAt)}>{formatRelative(source.lastSyncAt)}</span>
          </>
        )}
      </dd>
      <dt>Items</dt>
      <dd>
        {formatCount(source.itemCount)}{' '}
        {source.itemCount > 0 && <Link to={`/items?source=${uuidOf(source.id)}`}>browse</Link>}
      </dd>
      <dt>Watermark</dt>
      <dd>{source.watermark ?? NO_VALUE}</dd>
    </dl>
  );
}

type Runs = NonNullable<SourceByIdQuery['dataSource']>['scheduledRuns'];

function ScheduledRuns({ source, runs }: { source: SourceFactsFragment; runs: Runs }) {
  const next = source.schedule?.nextRuns ?? [];
  return (
    <>
      {source.schedule === null && <p className="faint">It has no schedule: it is synced by hand only.</p>}
      {next.length > 0 && (
        <p>
          <span className="faint">Next: </span>
          {next.map((at) => formatMoment(at)).join(' · ')}
        </p>
      )}
      {source.schedule !== null && !source.enabled && (
        <p className="faint">It does not run while the source is not enabled.</p>
      )}
      {runs.length > 0 && (
        <ul className="runs">
          {runs.map(({ id, createdAt, skippedBecause, job }) => (
            <li key={id}>
              <time dateTime={createdAt}>{formatMoment(createdAt)}</time>
              {job !== null && (
                <Link to={`/jobs/${uuidOf(job.id)}`}>
                  <Status state={job.state} />
                </Link>
              )}
              {skippedBecause !== null && <span className="waiting">Skipped: {skippedBecause}</span>}
              {job === null && skippedBecause === null && <span className="faint">pruned from history</span>}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
