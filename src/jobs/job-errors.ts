import type { RetryMode } from '../database/generated/prisma/enums.ts';
import { ExpectedError } from '../shared/expected-error.ts';
import type { JobState } from './job-state.ts';

/** A sync is active, and there is one at a time. */
export class SyncAlreadyRunningError extends ExpectedError {
  override readonly name = 'SyncAlreadyRunningError';
  readonly activeJobId: string | null;

  constructor(activeJobId: string | null) {
    super('a sync job is already running: wait for its end, or stop it with stopSync');
    this.activeJobId = activeJobId;
  }
}

/** A repair of the catalog is active, and there is one at a time. */
export class RepairAlreadyRunningError extends ExpectedError {
  override readonly name = 'RepairAlreadyRunningError';
  readonly activeJobId: string | null;

  constructor(activeJobId: string | null) {
    super('a repair of the catalog is already running: wait for its end, or cancel it with cancelJob');
    this.activeJobId = activeJobId;
  }
}

/** There is nothing for stopSync to stop. */
export class NoActiveSyncError extends ExpectedError {
  override readonly name = 'NoActiveSyncError';

  constructor() {
    super('no sync job is active');
  }
}

/** No enabled data source fits. */
export class NoDataSourceError extends ExpectedError {
  override readonly name = 'NoDataSourceError';
  readonly dataType: string | null;

  constructor(dataType: string | null) {
    super(
      dataType === null
        ? 'there is no enabled data source: add one with createDataSource, or enable one with updateDataSource'
        : `there is no enabled data source of type ${dataType}: add one with createDataSource, or enable one with updateDataSource`,
    );
    this.dataType = dataType;
  }
}

/** No job has the id. */
export class JobNotFoundError extends ExpectedError {
  override readonly name = 'JobNotFoundError';
  readonly jobId: string;

  constructor(jobId: string) {
    super(`there is no job ${jobId}`);
    this.jobId = jobId;
  }
}

/** Several jobs have ids that begin like this. */
export class AmbiguousJobIdError extends ExpectedError {
  override readonly name = 'AmbiguousJobIdError';

  constructor(prefix: string) {
    super(`several jobs have an id that begins with ${prefix}: give more of it`);
  }
}

/** The job is in a state in which it cannot do what is asked of it. */
abstract class JobStateError extends ExpectedError {
  readonly jobId: string;
  readonly state: JobState;

  constructor(jobId: string, state: JobState, message: string) {
    super(message);
    this.jobId = jobId;
    this.state = state;
  }
}

/** The job has ended, and a terminal state never changes. */
export class JobAlreadyFinishedError extends JobStateError {
  override readonly name = 'JobAlreadyFinishedError';

  constructor(jobId: string, state: JobState) {
    super(jobId, state, `job ${jobId} has already ended: it is ${state}`);
  }
}

/** The job has not ended, so there is nothing to retry yet. */
export class JobNotFinishedError extends JobStateError {
  override readonly name = 'JobNotFinishedError';

  constructor(jobId: string, state: JobState) {
    super(jobId, state, `job ${jobId} has not ended: it is ${state}; wait for its end or cancel it first`);
  }
}

/** The job has ended or is being cancelled, so it cannot be paused. */
export class JobNotPausableError extends JobStateError {
  override readonly name = 'JobNotPausableError';

  constructor(jobId: string, state: JobState) {
    super(jobId, state, `job ${jobId} cannot be paused: it is ${state}`);
  }
}

/** The job is not paused, so it cannot be resumed. */
export class JobNotPausedError extends JobStateError {
  override readonly name = 'JobNotPausedError';

  constructor(jobId: string, state: JobState) {
    super(jobId, state, `job ${jobId} is not paused: it is ${state}`);
  }
}

/** Nothing of the job failed in a way that can be retried like this. */
export class NothingToRetryError extends ExpectedError {
  override readonly name = 'NothingToRetryError';
  readonly jobId: string;
  readonly mode: RetryMode;

  constructor(jobId: string, mode: RetryMode) {
    super(`job ${jobId} has ${NOTHING[mode]} to retry; the mode ALL runs all of it again`);
    this.jobId = jobId;
    this.mode = mode;
  }
}

const NOTHING: Readonly<Record<RetryMode, string>> = {
  ALL: 'no sources',
  FAILED_SOURCES: 'no failed sources that still exist',
  FAILED_ITEMS: 'no failed items',
};

/** The idempotency key was used before, to start something else or what the principal may no longer see. */
export class IdempotencyKeyReusedError extends ExpectedError {
  override readonly name = 'IdempotencyKeyReusedError';
  /** The job that was started with it; null if that is above the principal's clearance. */
  readonly jobId: string | null;

  constructor(idempotencyKey: string, jobId: string | null) {
    super(
      jobId === null
        ? `the idempotency key ${idempotencyKey} was used to start a job that your clearance does not cover: choose another key`
        : `the idempotency key ${idempotencyKey} was used with another input, to start job ${jobId}: choose another key`,
    );
    this.jobId = jobId;
  }
}
