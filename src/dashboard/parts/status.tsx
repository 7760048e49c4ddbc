import { Group, type MantineColor } from '@mantine/core';
import type { ReactNode } from 'react';
import type { JobState, PartitionState } from '../generated/graphql.ts';
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

/** Shows a state by color, icon and word. */
export function Status({ state }: { state: State }) {
  const { text, ...look } = LOOKS[state];
  return <Mark {...look}>{text}</Mark>;
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
