import { JobState } from '../database/generated/prisma/enums.ts';

export { JobState };

/** States that a job never leaves. */
export type TerminalJobState = Extract<JobState, 'COMPLETED' | 'FAILED' | 'CANCELLED'>;

/** Where a job can go from each state. A trigger in the database enforces the same table. */
export const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  QUEUED: ['RUNNING', 'PAUSED', 'CANCELLED', 'FAILED'],
  RUNNING: ['COMPLETED', 'FAILED', 'PAUSING', 'PAUSED', 'CANCELLING', 'CANCELLED'],
  PAUSING: ['PAUSED', 'COMPLETED', 'FAILED', 'CANCELLING', 'CANCELLED'],
  PAUSED: ['QUEUED', 'CANCELLED'],
  CANCELLING: ['CANCELLED', 'FAILED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
};

/** States of a job that has not ended. */
export const ACTIVE_STATES = (Object.keys(TRANSITIONS) as JobState[]).filter((state) => !isTerminal(state));

/** Whether a job in the state has ended. */
export function isTerminal(state: JobState): state is TerminalJobState {
  return TRANSITIONS[state].length === 0;
}

/** Whether a job may go directly from one state to the other. */
export function canTransition(from: JobState, to: JobState): boolean {
  return TRANSITIONS[from].includes(to);
}
