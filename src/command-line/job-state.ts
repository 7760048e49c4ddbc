import { ExitCode } from './exit-code.ts';
import type { JobState } from './generated/graphql.ts';

/** The states of a job, and the exit code of a watch that ends in one; null while the job has not ended. */
const EXIT_CODES: Readonly<Record<JobState, ExitCode | null>> = {
  QUEUED: null,
  RUNNING: null,
  PAUSING: null,
  PAUSED: null,
  CANCELLING: null,
  COMPLETED: ExitCode.DONE,
  FAILED: ExitCode.FAILED,
  CANCELLED: ExitCode.CANCELLED,
};

export const JOB_STATES = Object.keys(EXIT_CODES) as JobState[];

export function isTerminal(state: JobState): boolean {
  return typeof EXIT_CODES[state] === 'number';
}

/** Returns the exit code of a watch that ended in this state. */
export function toExitCode(state: JobState): ExitCode {
  return EXIT_CODES[state] ?? ExitCode.UNEXPECTED;
}
