import { formatCount, formatMoment, formatShortMoment, NO_VALUE } from '../format/format.ts';
import type { PartitionRowFragment } from '../generated/graphql.ts';
import { type FragmentType, graphql, readFragment } from '../generated/index.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { Status } from '../parts/status.tsx';

/** What the page shows of a partition. */
export const PartitionRow = graphql(`
  fragment PartitionRow on JobPartition {
    id
    sourceName
    dataType
    state
    attempt
    percent
    totalItems
    readItems
    processedItems
    errorCount
    startedAt
    finishedAt
    message
  }
`);

/** The parts of a job, each of which a worker thread runs. */
export function Partitions({ partitions }: { partitions: readonly FragmentType<typeof PartitionRow>[] }) {
  return (
    <section className="panel" aria-labelledby="partitions">
      <h2 id="partitions">Partitions</h2>
      {partitions.length === 0 ? (
        <p className="faint">Planned once a worker has taken the job up.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard
        <section className="scroll-x" tabIndex={0} aria-label="Partitions, scrolls sideways">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Source</th>
                <th scope="col">State</th>
                <th scope="col">Progress</th>
                <th scope="col" className="number">
                  Rows
                </th>
                <th scope="col" className="number">
                  Errors
                </th>
                <th scope="col" className="number">
                  Attempt
                </th>
                <th scope="col">Began</th>
                <th scope="col">Ended</th>
              </tr>
            </thead>
            <tbody>
              {partitions.map((partition) => {
                const row = readFragment(PartitionRow, partition);
                return <PartitionTableRow key={row.id} row={row} />;
              })}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

function PartitionTableRow({ row }: { row: PartitionRowFragment }) {
  return (
    <tr>
      <td className="wrap">
        {row.sourceName} <span className="faint">{row.dataType}</span>
        {row.message !== null && <p className="bad long-text">{row.message}</p>}
      </td>
      <td>
        <Status state={row.state} />
      </td>
      <td className="job-progress">
        <ProgressBar percent={row.percent} state={row.state} label={`Progress of ${row.sourceName}`} />
      </td>
      <td className="number">
        {formatCount(row.processedItems)}
        <span className="faint"> / {formatCount(row.totalItems)}</span>
      </td>
      <td className="number">{formatCount(row.errorCount)}</td>
      <td className="number">{formatCount(row.attempt)}</td>
      <td className="nowrap">
        <Moment at={row.startedAt} />
      </td>
      <td className="nowrap">
        <Moment at={row.finishedAt} />
      </td>
    </tr>
  );
}

function Moment({ at }: { at: string | null }) {
  return at === null ? NO_VALUE : <time title={formatMoment(at)}>{formatShortMoment(at)}</time>;
}
