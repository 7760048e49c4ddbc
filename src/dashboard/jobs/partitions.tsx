import { useEffect } from 'react';
import { PartitionPage, PartitionRow } from '../api/fragments/partition.ts';
import { type Rows, readConnection, useList } from '../api/use-list.ts';
import { Panel } from '../details/panel.tsx';
import { formatCount } from '../format/format.ts';
import type { JobPartitionsQuery, JobRowFragment, PartitionRowFragment } from '../generated/graphql.ts';
import { type FragmentType, graphql, readFragment } from '../generated/index.ts';
import { ListView } from '../parts/list-view.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Status } from '../parts/status.tsx';
import { type Column, DataTable } from '../parts/table.tsx';
import { Faint, Message, Sub } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import { listChanges } from './changes.ts';

const COLUMNS: readonly Column<PartitionRowFragment>[] = [
  {
    head: 'Source',
    fit: 'wrap',
    cell: ({ sourceName, dataType, currentOperation, message, driftMessage }) => (
      <>
        {sourceName} <Faint>{dataType}</Faint>
        {currentOperation !== null && <Sub>{currentOperation}</Sub>}
        {message !== null && <Message c="red">{message}</Message>}
        {driftMessage !== null && <Message c="orange">{driftMessage}</Message>}
      </>
    ),
  },
  { head: 'State', cell: ({ state }) => <Status state={state} /> },
  {
    head: 'Progress',
    fit: 'bar',
    cell: ({ percent, state, sourceName }) => (
      <ProgressBar percent={percent} state={state} label={`Progress of ${sourceName}`} />
    ),
  },
  {
    head: 'Rows',
    align: 'end',
    cell: ({ processedItems, totalItems, isUnchanged, tableVersion, deletedCount, ...changes }) => (
      <>
        {formatCount(processedItems)}
        <Faint> / {formatCount(totalItems)}</Faint>
        {isUnchanged ? (
          <Sub>unchanged</Sub>
        ) : (
          listChanges(changes).map((text) => <Sub key={text}>{text}</Sub>)
        )}
        {deletedCount > 0 && <Sub>{formatCount(deletedCount)} items deleted</Sub>}
        {tableVersion !== null && <Sub>version {tableVersion}</Sub>}
      </>
    ),
  },
  { head: 'Errors', align: 'end', cell: ({ errorCount }) => formatCount(errorCount) },
  {
    head: 'Duplicates',
    align: 'end',
    cell: ({ duplicateCount, duplicateItemId }) => (
      <>
        {formatCount(duplicateCount)}
        {duplicateItemId !== null && <Faint> such as {duplicateItemId}</Faint>}
      </>
    ),
  },
  { head: 'Attempt', align: 'end', cell: ({ attempt }) => formatCount(attempt) },
  { head: 'Started', fit: 'line', cell: ({ startedAt }) => <Moment at={startedAt} /> },
  { head: 'Ended', fit: 'line', cell: ({ finishedAt }) => <Moment at={finishedAt} /> },
];

const JobPartitions = graphql(`
  query JobPartitions($id: ID!, $first: Int!, $after: String) {
    job(id: $id) {
      id
      partitions(first: $first, after: $after) {
        ...PartitionPage
      }
    }
  }
`);

type Page = FragmentType<typeof PartitionPage>;

/** Reads the partitions of a job that are loaded. */
export function readPartitions(page: Page): Rows<PartitionRowFragment> {
  return readConnection(readFragment(PartitionPage, page), (node) => readFragment(PartitionRow, node));
}

/** How many partitions the feed of a job contains. */
const IN_FEED = 200;

interface PartitionsProps {
  readonly job: JobRowFragment;
  readonly partitions: Rows<PartitionRowFragment>;
}

/** Lists the partitions of a job. */
export function Partitions({ job, partitions: { rows, total } }: PartitionsProps) {
  return (
    <Panel title="Partitions">
      {total !== null && total.count > IN_FEED ? (
        <ManyPartitions job={job} />
      ) : (
        <PartitionTable rows={rows} />
      )}
    </Panel>
  );
}

/** Loads more partitions than the feed of the job contains, page by page, and again with each change of the job. */
function ManyPartitions({ job: { id, revision } }: Pick<PartitionsProps, 'job'>) {
  const list = useList(JobPartitions, { id }, readJobPartitions, IN_FEED);
  const { renew } = list;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the revision says that they may have changed.
  useEffect(() => renew(), [revision, renew]);
  return (
    <ListView list={list} noun="partition" empty={<PartitionTable rows={[]} />}>
      {(rows) => <PartitionTable rows={rows} />}
    </ListView>
  );
}

function readJobPartitions({ job }: JobPartitionsQuery) {
  return job && readPartitions(job.partitions);
}

function PartitionTable({ rows }: { rows: readonly PartitionRowFragment[] }) {
  if (rows.length === 0) return <Faint>Shown once a worker starts the job.</Faint>;
  return <DataTable label="Partitions" rows={rows} columns={COLUMNS} layout="inside" />;
}
