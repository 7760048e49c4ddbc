import type { JobState, PartitionState } from '../generated/graphql.ts';
import { Icon, type IconName } from './icon.tsx';

type State = JobState | PartitionState;

interface Look {
  readonly text: string;
  readonly icon: IconName;
  readonly tone: 'calm' | 'active' | 'waiting' | 'good' | 'bad';
}

const LOOKS: Record<State, Look> = {
  QUEUED: { text: 'Queued', icon: 'clock', tone: 'calm' },
  PENDING: { text: 'Pending', icon: 'clock', tone: 'calm' },
  RUNNING: { text: 'Running', icon: 'play', tone: 'active' },
  PAUSING: { text: 'Pausing', icon: 'pause', tone: 'waiting' },
  PAUSED: { text: 'Paused', icon: 'pause', tone: 'waiting' },
  CANCELLING: { text: 'Cancelling', icon: 'stop', tone: 'waiting' },
  COMPLETED: { text: 'Completed', icon: 'check', tone: 'good' },
  FAILED: { text: 'Failed', icon: 'cross', tone: 'bad' },
  CANCELLED: { text: 'Cancelled', icon: 'slash', tone: 'calm' },
};

/** A state by colour, drawing and word. */
export function Status({ state }: { state: State }) {
  const { icon, tone, text } = LOOKS[state];
  return (
    <span className="status" data-tone={tone}>
      <Icon name={icon} size={14} />
      {text}
    </span>
  );
}

export function stateText(state: State): string {
  return LOOKS[state].text;
}

export function isEnded(state: State): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'CANCELLED';
}
