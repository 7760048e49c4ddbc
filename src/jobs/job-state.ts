import { JobState } from '../database/generated/prisma/enums.ts';

export { JobState };

/** States that a job leaves no more. */
export type TerminalJobState = Extract<JobState, 'COMPLETED' | 'FAILED' | 'CANCELLED'>;

/** Where a job can go from each state: the database's trigger holds to the same table. */
const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  QUEUED: ['RUNNING', 'PAUSED', 'CANCELLED', 'FAILED'],
  RUNNING: ['COMPLETED', 'FAILED', 'PAUSING', 'PAUSED', 'CANCELLING', 'CANCELLED'],
  PAUSING: ['PAUSED', 'COMPLETED', 'FAILED', 'CANCELLING', 'CANCELLED'],
  PAUSED: ['QUEUED', 'CANCELLED'],
  CANCELLING: ['CANCELLED', 'FAILED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
};

/** States in which a job is still to end. */
export const ACTIVE_STATES = (Object.keys(TRANSITIONS) as JobState[]).filter((state) => !isTerminal(state));

export function isTerminal(state: JobState): state is TerminalJobState {
  return TRANSITIONS[state].length === 0;
}

/** Whether a job may go from one state to the other at once. */
export function canTransition(from: JobState, to: JobState): boolean {
  return TRANSITIONS[from].includes(to);
}
