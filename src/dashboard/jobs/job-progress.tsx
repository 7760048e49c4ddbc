import type { ReactNode } from 'react';
import {
  formatCount,
  formatDuration,
  formatMoment,
  formatPercent,
  formatTimeLeft,
  NO_VALUE,
} from '../format/format.ts';
import type { JobPageProgressFragment, JobRowFragment } from '../generated/graphql.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isEnded } from '../parts/status.tsx';

/** How far a job has come, in a bar and numbers. */
export function JobNumbers({ job }: { job: JobRowFragment }) {
  const { state, progress } = job;
  const { percent, processedItems, totalItems, successCount, errorCount, itemsPerSecond } = progress;
  return (
    <section aria-label="Progress" className="job-numbers">
      <div className="big-progress">
        <ProgressBar percent={percent} state={state} label="Progress of the job" />
        <span className="tabular">{formatPercent(percent)}</span>
      </div>
      <dl className="facts">
        <Fact name="Rows done">
          {formatCount(processedItems)}
          <span className="faint"> of {formatCount(totalItems)}</span>
        </Fact>
        <Fact name="In the catalog">{formatCount(successCount)}</Fact>
        <Fact name="Errors">
          {errorCount > 0 ? (
            <a href="#errors" className="bad">
              {formatCount(errorCount)}
            </a>
          ) : (
            '0'
          )}
        </Fact>
        <Fact name={isEnded(state) ? 'Rows a second, mean' : 'Rows a second'}>
          {formatCount(itemsPerSecond)}
        </Fact>
        <Fact name={isEnded(state) ? 'Took' : 'Running for'}>{formatDuration(progress.elapsedSeconds)}</Fact>
        {!isEnded(state) && (
          <Fact name="Time left">
            {progress.estimatedCompletion === null ? (
              NO_VALUE
            ) : (
              <span title={formatMoment(progress.estimatedCompletion)}>
                {formatTimeLeft(progress.estimatedCompletion)}
              </span>
            )}
          </Fact>
        )}
      </dl>
    </section>
  );
}

/** The same by data type. */
export function JobTypes({
  job,
  types,
}: {
  job: JobRowFragment;
  types: JobPageProgressFragment['progress']['byType'];
}) {
  if (types.length === 0) return <p className="faint">Known once a worker has taken the job up.</p>;
  return (
    <ul className="types">
      {types.map(({ dataType, totalItems, processedItems, errorCount }) => {
        const percent =
          job.state === 'COMPLETED'
            ? 100
            : totalItems === null || totalItems === 0
              ? null
              : (processedItems / totalItems) * 100;
        return (
          <li key={dataType}>
            <span className="type-name">{dataType}</span>
            <span className="tabular">
              {formatCount(processedItems)}
              <span className="faint"> / {formatCount(totalItems)}</span>
              {errorCount > 0 && <span className="bad"> · {formatCount(errorCount)} errors</span>}
            </span>
            <ProgressBar percent={percent} state={job.state} label={`Progress of ${dataType}`} />
          </li>
        );
      })}
    </ul>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
