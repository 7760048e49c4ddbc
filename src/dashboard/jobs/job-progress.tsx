import { Group, Text } from '@mantine/core';
import { Figure, Figures } from '../details/facts.tsx';
import { Panel } from '../details/panel.tsx';
import { formatAmount, formatCount, formatPercent, NO_VALUE } from '../format/format.ts';
import type { JobDetailsFragment, JobRowFragment } from '../generated/graphql.ts';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { isTerminal } from '../parts/status.tsx';
import { Faint } from '../parts/text.tsx';
import { Duration, TimeLeft } from '../parts/time.tsx';
import { listChanges } from './changes.ts';
import styles from './job-page.module.css';

/** Shows a job's progress as a bar and numbers. */
export function JobFigures({ job }: { job: JobRowFragment }) {
  const { state, outcome, progress } = job;
  const {
    percent,
    isEstimated,
    totalSources,
    completedSources,
    processedItems,
    totalItems,
    successCount,
    insertedCount,
    updatedCount,
    unchangedCount,
    errorCount,
    duplicateCount,
    deletedCount,
    restoredCount,
    itemsPerSecond,
  } = progress;
  const hasEnded = isTerminal(state);
  return (
    <Panel title="Progress" isUntitled>
      <Group gap={12} mb={14} fw={600} wrap="nowrap">
        <ProgressBar
          percent={percent}
          state={state}
          outcome={outcome}
          label="Progress of the job"
          size={10}
        />
        <span>
          {formatPercent(percent)}
          {isEstimated && <Faint fw={400}> estimated: not every source is counted yet</Faint>}
        </span>
      </Group>
      <Figures>
        {totalSources > 1 && (
          <Figure name="Sources read">
            {formatCount(completedSources)}
            <Faint fz={13} fw={400}>
              {' '}
              of {formatCount(totalSources)}
            </Faint>
          </Figure>
        )}
        <Figure name={restoredCount === null ? 'Rows processed' : 'Items compared'}>
          {formatCount(processedItems)}
          <Faint fz={13} fw={400}>
            {' '}
            of {formatCount(totalItems)}
          </Faint>
        </Figure>
        <Figure name="In the catalog">{formatCount(successCount)}</Figure>
        {restoredCount === null && insertedCount !== null && (
          <>
            <Figure name="Inserted">{formatCount(insertedCount)}</Figure>
            <Figure name="Updated">{formatCount(updatedCount)}</Figure>
            <Figure name="Unchanged">{formatCount(unchangedCount)}</Figure>
          </>
        )}
        {restoredCount !== null && <Figure name="Restored">{formatCount(restoredCount)}</Figure>}
        <Figure name="Errors">
          {errorCount > 0 ? (
            <Text component="a" href="#errors" inherit c="red" td="underline">
              {formatCount(errorCount)}
            </Text>
          ) : (
            '0'
          )}
        </Figure>
        {duplicateCount > 0 && <Figure name="Duplicates replaced">{formatCount(duplicateCount)}</Figure>}
        {deletedCount > 0 && <Figure name="Items deleted">{formatCount(deletedCount)}</Figure>}
        <Figure name={hasEnded ? 'Average rows per second' : 'Rows per second'}>
          {formatCount(itemsPerSecond)}
        </Figure>
        <Figure name={hasEnded ? 'Duration' : 'Elapsed'}>
          <Duration seconds={progress.elapsedSeconds} isRunning={!hasEnded} />
        </Figure>
        {!hasEnded && (
          <Figure name="Time left">
            {progress.estimatedCompletion === null ? (
              NO_VALUE
            ) : (
              <TimeLeft until={progress.estimatedCompletion} />
            )}
          </Figure>
        )}
      </Figures>
    </Panel>
  );
}

interface JobTypesProps {
  readonly job: JobRowFragment;
  readonly types: JobDetailsFragment['progress']['byType'];
}

/** Shows a job's progress by data type. */
export function JobTypes({ job: { state, outcome, progress }, types }: JobTypesProps) {
  if (types.length === 0) return <Faint>Shown once a worker starts the job.</Faint>;
  return (
    <ul className={styles.types}>
      {types.map((type) => (
        <li key={type.dataType}>
          <span>{type.dataType}</span>
          <span>
            {formatCount(type.processedItems)}
            <Faint> / {formatCount(type.totalItems)}</Faint>
            {progress.restoredCount === null &&
              listChanges(type).map((text) => <Faint key={text}> · {text}</Faint>)}
            {type.errorCount > 0 && <Faint c="red"> · {formatAmount(type.errorCount, 'error')}</Faint>}
            {type.duplicateCount > 0 && <Faint> · {formatAmount(type.duplicateCount, 'duplicate')}</Faint>}
            {type.deletedCount > 0 && <Faint> · {formatCount(type.deletedCount)} deleted</Faint>}
          </span>
          <ProgressBar
            percent={isTerminal(state) || progress.percent !== null ? computePercent(state, type) : null}
            state={state}
            outcome={type.errorCount > 0 ? outcome : null}
            label={`Progress of ${type.dataType}`}
          />
        </li>
      ))}
    </ul>
  );
}

function computePercent(
  state: JobRowFragment['state'],
  { totalItems, processedItems }: JobTypesProps['types'][number],
): number | null {
  if (state === 'COMPLETED') return 100;
  return totalItems === null || totalItems === 0 ? null : (processedItems / totalItems) * 100;
}
