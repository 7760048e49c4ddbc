import { Group, type MantineColor } from '@mantine/core';
import type { ReactNode } from 'react';
import type { JobOutcome, JobState, PartitionState } from '../generated/graphql.ts';
import { Icon, type IconName } from './icon.tsx';

type State = JobState | PartitionState;

interface Look {
  readonly icon: IconName;
  readonly color: MantineColor;
}

const PENDING = { icon: 'clock', color: 'dimmed' } as const;
const PAUSED = { icon: 'pause', color: 'orange' } as const;

const LOOKS: Record<State, Look & { readonly text: string }> = {
  QUEUED: { ...PENDING, text: 'Queued' },
  PENDING: { ...PENDING, text: 'Pending' },
  RUNNING: { icon: 'play', color: 'blue', text: 'Running' },
  PAUSING: { ...PAUSED, text: 'Pausing' },
  PAUSED: { ...PAUSED, text: 'Paused' },
  CANCELLING: { icon: 'stop', color: 'orange', text: 'Cancelling' },
  COMPLETED: { icon: 'check', color: 'green', text: 'Completed' },
  FAILED: { icon: 'cross', color: 'red', text: 'Failed' },
  CANCELLED: { icon: 'slash', color: 'dimmed', text: 'Cancelled' },
};

const FAILED_OUTCOMES: Record<Exclude<JobOutcome, 'SUCCEEDED'>, Look & { readonly text: string }> = {
  ITEMS_FAILED: { icon: 'warning', color: 'orange', text: 'Completed with errors' },
  SOURCES_FAILED: { icon: 'cross', color: 'red', text: 'Some sources failed' },
  NOTHING_SUCCEEDED: { icon: 'cross', color: 'red', text: 'All items failed' },
};

interface StatusProps {
  readonly state: State;
  /** The outcome of a job that has ended. */
  readonly outcome?: JobOutcome | null;
}

/** Shows a state, or the outcome of a job, by color, icon and word. */
export function Status({ state, outcome = null }: StatusProps) {
  const { text, ...look } = findLook(state, outcome);
  return <Mark {...look}>{text}</Mark>;
}

function findLook(state: State, outcome: JobOutcome | null) {
  const isAsExpected =
    outcome === null ||
    outcome === 'SUCCEEDED' ||
    // No source could be read, so that no item failed either.
    (outcome === 'NOTHING_SUCCEEDED' && state === 'FAILED');
  return isAsExpected ? LOOKS[state] : FAILED_OUTCOMES[outcome];
}

/** A short text with an icon and a color. */
export function Mark({ icon, color, children }: Look & { children: ReactNode }) {
  return (
    <Group component="span" display="inline-flex" c={color} fw={600} gap={6} wrap="nowrap" style={NO_WRAP}>
      <Icon name={icon} size={14} />
      {children}
    </Group>
  );
}

const NO_WRAP = { whiteSpace: 'nowrap', verticalAlign: 'middle' } as const;

/** Whether a state never changes again. */
export function isTerminal(state: State): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED';
}
