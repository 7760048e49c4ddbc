import { Progress } from '@mantine/core';
import { formatPercent } from '../format/format.ts';
import type { JobState, PartitionState } from '../generated/graphql.ts';
import { isEnded } from './status.tsx';

interface ProgressBarProps {
  readonly percent: number | null;
  readonly state: JobState | PartitionState;
  /** What progresses, for who cannot see the bar. */
  readonly label: string;
}

/** How far something has come; striped while that is not known. */
export function ProgressBar({ percent, state, label }: ProgressBarProps) {
  const isUnknown = percent === null && !isEnded(state) && state !== 'QUEUED' && state !== 'PENDING';
  return (
    <Progress.Root size="sm" className="progress">
      <Progress.Section
        // Without a way between the two, as a full striped bar would shrink to the first percent.
        key={String(isUnknown)}
        value={isUnknown ? 100 : (percent ?? 0)}
        striped={isUnknown}
        animated={isUnknown}
        className="progress-section"
        data-state={state}
        aria-label={label}
        aria-valuetext={percent === null ? 'not known yet' : formatPercent(percent)}
      />
    </Progress.Root>
  );
}
