import { Progress } from '@mantine/core';
import { formatPercent } from '../format/format.ts';
import type { JobOutcome, JobState, PartitionState } from '../generated/graphql.ts';
import styles from './progress-bar.module.css';
import { isTerminal } from './status.tsx';

interface ProgressBarProps {
  /** From 0 to 100; null if it is not known. */
  readonly percent: number | null;
  readonly state: JobState | PartitionState;
  /** The outcome of a job that has ended. */
  readonly outcome?: JobOutcome | null;
  /** What progresses, for screen readers. */
  readonly label: string;
  readonly size?: number | 'sm';
}

/** Shows progress as a bar; striped while the percentage is not known. */
export function ProgressBar({ percent, state, outcome = null, label, size = 'sm' }: ProgressBarProps) {
  const isUnknown = percent === null && !isTerminal(state) && state !== 'QUEUED' && state !== 'PENDING';
  return (
    <Progress.Root size={size} className={styles.track}>
      <Progress.Section
        // A new section, because a full striped one would visibly shrink to the first percent.
        key={String(isUnknown)}
        value={isUnknown ? 100 : (percent ?? 0)}
        striped={isUnknown}
        animated={isUnknown}
        className={styles.section}
        data-state={state}
        data-outcome={outcome}
        aria-label={label}
        aria-valuetext={percent === null ? 'not known yet' : formatPercent(percent)}
      />
    </Progress.Root>
  );
}
