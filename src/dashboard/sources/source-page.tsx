import { Text } from '@mantine/core';
import { Link, useNavigate, useParams } from 'react-router';
import { SourceRow } from '../api/fragments/data-source.ts';
import { useDetail } from '../api/use-detail.ts';
import { DetailPage } from '../details/detail-page.tsx';
import { Fact, Facts } from '../details/facts.tsx';
import { Columns, Panel } from '../details/panel.tsx';
import { formatAmount, formatCount, formatMoment, NO_VALUE } from '../format/format.ts';
import { readKey } from '../format/ids.ts';
import type { SourceByIdQuery, SourceRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useSyncEnds } from '../jobs/job-feed.ts';
import { Notice } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';
import { Status } from '../parts/status.tsx';
import { Faint, Message } from '../parts/text.tsx';
import { Moment, RelativeMoment } from '../parts/time.tsx';
import { DeleteSource } from './delete-source.tsx';
import { SourceForm } from './source-form.tsx';
import styles from './source-page.module.css';
import { SourceSchema } from './source-schema.tsx';
import { SourceTest } from './source-test.tsx';
import { SyncSource } from './sync-source.tsx';
import { WaitingDeletes } from './waiting-deletes.tsx';

const SourceById = graphql(`
  query SourceById($id: ID!) {
    dataSource(id: $id) {
      id
      ...SourceRow
      ...SourceSchemaParts
      scheduledRuns(first: 20) {
        id
        state
        firstDueAt
        dueAt
        dueTimes
        skippedBecause
        job {
          id
          state
          outcome
        }
      }
    }
  }
`);

/** Shows one data source, or a form for a new one. */
export default function SourcePage() {
  const { id } = useParams();
  return id === undefined ? <NewSource /> : <KnownSource key={id} id={id} />;
}

function NewSource() {
  const navigate = useNavigate();
  return (
    <Page title="Add a data source">
      <SourceForm source={null} onSaved={(id) => void navigate(`/sources/${readKey(id)}`)} />
    </Page>
  );
}

function KnownSource({ id }: { id: string }) {
  const { data, ...request } = useDetail(SourceById, { id });
  useSyncEnds(request.reload);
  const missing = (
    <>
      No data source has this ID. It may have been deleted. Go to <Link to="/sources">data sources</Link>.
    </>
  );
  return (
    <DetailPage title="Data source" found={data?.dataSource} {...request} missing={missing}>
      {(found) => {
        const source = readFragment(SourceRow, found);
        return (
          <Page
            title={source.name}
            actions={
              <>
                <SyncSource id={source.id} isEnabled={source.enabled} />
                <DeleteSource id={source.id} name={source.name} />
              </>
            }
          >
            {source.lastSyncMessage !== null && (
              <Notice
                title={
                  source.lastSyncState === 'FAILED' ? 'Its last sync failed' : 'Noticed by its last sync'
                }
                isError={source.lastSyncState === 'FAILED'}
              >
                <Message>{source.lastSyncMessage}</Message>
              </Notice>
            )}
            {source.waitingDeletes !== null && (
              <WaitingDeletes id={source.id} name={source.name} waiting={source.waitingDeletes} />
            )}
            {source.driftMessage !== null && (
              <Notice title="The copy differs from the table" isError={false}>
                <Message>{source.driftMessage}</Message>
              </Notice>
            )}
            <Columns areEven>
              <Panel title="Settings">
                <SourceForm source={source} onSaved={request.reload} />
              </Panel>
              <div>
                <Panel title="Syncs">
                  <SyncFacts source={source} />
                </Panel>
                <Panel title="Connection">
                  <SourceTest id={source.id} />
                </Panel>
                <Panel title="Columns">
                  <SourceSchema source={found} onAccepted={request.reload} />
                </Panel>
                <Panel title="Scheduled runs">
                  <ScheduledRuns source={source} runs={found.scheduledRuns} />
                </Panel>
              </div>
            </Columns>
          </Page>
        );
      }}
    </DetailPage>
  );
}

function SyncFacts({ source }: { source: SourceRowFragment }) {
  const { id, lastSyncState, lastSyncAt, itemCount, deletedCount, watermark } = source;
  const { insertedCount, updatedCount, unchangedCount, failedCount } = source;
  const { tableVersion, tableTimestamp, pendingRemovals, removalMessage } = source;
  return (
    <Facts>
      <Fact name="Last sync">
        {lastSyncState === null || lastSyncAt === null ? (
          'never'
        ) : (
          <>
            <Status state={lastSyncState} /> <RelativeMoment at={lastSyncAt} />
          </>
        )}
      </Fact>
      <Fact name="Items">
        {formatCount(itemCount)}{' '}
        {itemCount > 0 && <Link to={`/items?source=${readKey(id)}`}>Browse items</Link>}
      </Fact>
      {insertedCount !== null && (
        <Fact name="Rows of the last sync">
          {formatCount(insertedCount)} inserted · {formatCount(updatedCount)} updated ·{' '}
          {formatCount(unchangedCount)} unchanged · {formatCount(failedCount)} failed
        </Fact>
      )}
      {deletedCount > 0 && <Fact name="Deleted by the last sync">{formatAmount(deletedCount, 'item')}</Fact>}
      {pendingRemovals > 0 && (
        <Fact name="To be removed from the catalog">
          {formatAmount(pendingRemovals, 'item')}
          {removalMessage !== null && <Faint>: {removalMessage}</Faint>}
        </Fact>
      )}
      <Fact name="Watermark">{watermark ?? NO_VALUE}</Fact>
      {tableVersion !== null && (
        <Fact name="Table version">
          {tableVersion} <Faint>of</Faint> <Moment at={tableTimestamp} />
        </Fact>
      )}
    </Facts>
  );
}

type Runs = NonNullable<SourceByIdQuery['dataSource']>['scheduledRuns'];

function ScheduledRuns({ source, runs }: { source: SourceRowFragment; runs: Runs }) {
  const next = source.schedule?.nextRuns ?? [];
  return (
    <>
      {source.schedule === null && <Faint>No schedule. This data source is synced manually.</Faint>}
      {next.length > 0 && (
        <p>
          <Faint>Next: </Faint>
          {next.map((at) => formatMoment(at)).join(' · ')}
        </p>
      )}
      {source.schedule !== null && !source.enabled && (
        <Faint>The schedule is off while the data source is disabled.</Faint>
      )}
      {runs.length > 0 && (
        <ul className={styles.runs}>
          {runs.map((run) => (
            <li key={run.id}>
              <DueTimes {...run} />
              <RunOutcome {...run} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

type Run = Runs[number];

function DueTimes({ firstDueAt, dueAt, dueTimes }: Run) {
  return (
    <span>
      <time dateTime={dueAt}>{formatMoment(dueAt)}</time>
      {dueTimes > 1 && (
        <Faint>
          {' '}
          and {formatCount(dueTimes - 1)} more since {formatMoment(firstDueAt)}
        </Faint>
      )}
    </span>
  );
}

function RunOutcome({ state, job, skippedBecause }: Run) {
  switch (state) {
    case 'WAITING':
      return <Faint>Waiting for the active sync</Faint>;
    case 'STARTED':
      return job === null ? (
        <Faint>job removed from history</Faint>
      ) : (
        <Link to={`/jobs/${readKey(job.id)}`}>
          <Status state={job.state} outcome={job.outcome} />
        </Link>
      );
    case 'SKIPPED':
    case 'MISSED':
      return (
        <Text span inherit c="orange">
          {state === 'MISSED' ? 'Missed' : 'Skipped'}: {skippedBecause}
        </Text>
      );
  }
}
