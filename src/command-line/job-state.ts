import { ExitCode } from './exit-code.ts';
import type { JobFactsFragment, JobOutcome, JobState } from './generated/graphql.ts';

/** The states of a job, and whether it has ended in each. */
const IS_TERMINAL: Readonly<Record<JobState, boolean>> = {
  QUEUED: false,
  RUNNING: false,
  PAUSING: false,
  PAUSED: false,
  CANCELLING: false,
  COMPLETED: true,
  FAILED: true,
  CANCELLED: true,
};

export const JOB_STATES = Object.keys(IS_TERMINAL) as JobState[];

export function isTerminal(state: JobState): boolean {
  return IS_TERMINAL[state];
}

/** How an outcome is shown, and the exit code of a watch that ends with it. */
interface OutcomeFacts {
  readonly text: string;
  readonly color: 'green' | 'yellow' | 'red';
  readonly exitCode: ExitCode;
}

const OUTCOMES: Readonly<Record<JobOutcome, OutcomeFacts>> = {
  SUCCEEDED: { text: 'everything is done', color: 'green', exitCode: ExitCode.DONE },
  ITEMS_FAILED: { text: 'some items failed', color: 'yellow', exitCode: ExitCode.ITEMS_FAILED },
  SOURCES_FAILED: { text: 'some sources failed', color: 'red', exitCode: ExitCode.SOURCES_FAILED },
  NOTHING_SUCCEEDED: { text: 'nothing succeeded', color: 'red', exitCode: ExitCode.FAILED },
};

/** Describes an outcome for people. */
export function describeOutcome(outcome: JobOutcome): string {
  return OUTCOMES[outcome].text;
}

/** Chooses the color of a job that has ended; one that was cancelled has no outcome. */
export function chooseEndColor({ outcome }: Pick<JobFactsFragment, 'outcome'>): OutcomeFacts['color'] {
  return outcome === null ? 'yellow' : OUTCOMES[outcome].color;
}

/**
 * Returns the exit code of a watch that has seen the end of a job.
 * @param failOnErrors whether failed items alone count as a failure.
 */
export function toExitCode(
  { state, outcome }: Pick<JobFactsFragment, 'state' | 'outcome'>,
  failOnErrors: boolean,
): ExitCode {
  if (state === 'CANCELLED') return ExitCode.CANCELLED;
  if (outcome === null) return ExitCode.UNEXPECTED;
  return outcome === 'ITEMS_FAILED' && !failOnErrors ? ExitCode.DONE : OUTCOMES[outcome].exitCode;
}
