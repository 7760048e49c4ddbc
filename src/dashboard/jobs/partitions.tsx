import { PartitionRow } from '../api/fragments/partition.ts';
import { Panel } from '../details/panel.tsx';
import { formatCount } from '../format/format.ts';
import type { PartitionRowFragment } from '../generated/graphql.ts';
import { type FragmentType, readFragment } from '../generated/index.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Status } from '../parts/status.tsx';
import { type Column, DataTable } from '../parts/table.tsx';
import { Faint, Message } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';

const COLUMNS: readonly Column<PartitionRowFragment>[] = [
  {
    head: 'Source',
    fit: 'wrap',
    cell: ({ sourceName, dataType, message }) => (
      <>
        {sourceName} <Faint>{dataType}</Faint>
        {message !== null && <Message c="red">{message}</Message>}
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
    cell: ({ processedItems, totalItems }) => (
      <>
        {formatCount(processedItems)}
        <Faint> / {formatCount(totalItems)}</Faint>
      </>
    ),
  },
  { head: 'Errors', align: 'end', cell: ({ errorCount }) => formatCount(errorCount) },
  { head: 'Attempt', align: 'end', cell: ({ attempt }) => formatCount(attempt) },
  { head: 'Started', fit: 'line', cell: ({ startedAt }) => <Moment at={startedAt} /> },
  { head: 'Ended', fit: 'line', cell: ({ finishedAt }) => <Moment at={finishedAt} /> },
];

/** Lists the partitions of a job. */
export function Partitions({ partitions }: { partitions: readonly FragmentType<typeof PartitionRow>[] }) {
  return (
    <Panel title="Partitions">
      {partitions.length === 0 ? (
        <Faint>Shown once a worker starts the job.</Faint>
      ) : (
        <DataTable
          label="Partitions"
          rows={readFragment(PartitionRow, partitions)}
          columns={COLUMNS}
          layout="inside"
        />
      )}
    </Panel>
  );
}
