import { ExpectedError } from '../shared/expected-error.ts';
import type { JobState } from './job-state.ts';

export interface InputIssue {
  /** The input field at fault, as a path from the mutation's argument: `input.maxItems`. */
  readonly field: string;
  /** What is wrong and what would be right. */
  readonly message: string;
}

/** Some input cannot be used: nothing was started or changed. */
export class InvalidInputError extends ExpectedError {
  override readonly name = 'InvalidInputError';
  readonly issues: readonly InputIssue[];

  constructor(issues: readonly InputIssue[]) {
    super(issues.map(({ field, message }) => `${field}: ${message}`).join('; '));
    this.issues = issues;
  }
}

/** A sync is active, and there is one at a time. */
export class SyncAlreadyRunningError extends ExpectedError {
  override readonly name = 'SyncAlreadyRunningError';
  readonly activeJobId: string | null;

  constructor(activeJobId: string | null) {
    super('a sync job is already running: wait for its end, or stop it with stopSync');
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
        ? 'there is no enabled data source: add or enable one with saveDataSource'
        : `there is no enabled data source of type ${dataType}: add or enable one with saveDataSource`,
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

/** No item of the job failed in a way that can be retried alone. */
export class NothingToRetryError extends ExpectedError {
  override readonly name = 'NothingToRetryError';
  readonly jobId: string;

  constructor(jobId: string) {
    super(`job ${jobId} has no failed items to retry`);
    this.jobId = jobId;
  }
}

/** No data source has the id. */
export class DataSourceNotFoundError extends ExpectedError {
  override readonly name = 'DataSourceNotFoundError';
  readonly dataSourceId: string;

  constructor(dataSourceId: string) {
    super(`there is no data source ${dataSourceId}`);
    this.dataSourceId = dataSourceId;
  }
}

/** The source is read by an active job. */
export class DataSourceInUseError extends ExpectedError {
  override readonly name = 'DataSourceInUseError';
  readonly dataSourceId: string;

  constructor(dataSourceId: string) {
    super(`data source ${dataSourceId} is being read by an active job: wait for its end or cancel it first`);
    this.dataSourceId = dataSourceId;
  }
}

/** No item has the data type and id, or its marking is above the clearance of who asks. */
export class ItemNotFoundError extends ExpectedError {
  override readonly name = 'ItemNotFoundError';
  readonly dataType: string;
  readonly itemId: string;

  constructor({ dataType, itemId }: { readonly dataType: string; readonly itemId: string }) {
    super(`there is no ${dataType} item ${itemId}`);
    this.dataType = dataType;
    this.itemId = itemId;
  }
}

/** Nobody has raised the marking of the item, so there is nothing to lower. */
export class NoMarkingFloorError extends ExpectedError {
  override readonly name = 'NoMarkingFloorError';
  readonly classificationMarking: string;

  constructor({ dataType, itemId }: { readonly dataType: string; readonly itemId: string }, marking: string) {
    super(
      `the marking of ${dataType} item ${itemId} was not raised: ${marking} is what its sources state, and only they can lower it`,
    );
    this.classificationMarking = marking;
  }
}

/** The marking of the item was raised or lowered since the caller looked. */
export class MarkingFloorChangedError extends ExpectedError {
  override readonly name = 'MarkingFloorChangedError';
  readonly floor: string;

  constructor(
    { dataType, itemId }: { readonly dataType: string; readonly itemId: string },
    floor: string,
    expected: string,
  ) {
    super(
      `the marking of ${dataType} item ${itemId} is raised to ${floor}, not to ${expected}: look at the item again before you lower it`,
    );
    this.floor = floor;
  }
}
