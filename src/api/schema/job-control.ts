import { z } from 'zod';
import type { Job } from '../../database/generated/prisma/client.ts';
import { idempotencyKeyInputSchema } from '../../jobs/input/idempotency-key-input.ts';
import {
  IdempotencyKeyReusedError,
  JobAlreadyFinishedError,
  JobNotFinishedError,
  JobNotFoundError,
  JobNotPausableError,
  JobNotPausedError,
  NothingToRetryError,
  RepairAlreadyRunningError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { describeErrorType } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { createIdInput } from './id-input.ts';
import { JobStateEnum, RetryModeEnum } from './job-enums.ts';
import { parseInput } from './parse-input.ts';
import { requires } from './requires.ts';
import {
  type ControlledJob,
  describeStart,
  exposeControlledJob,
  exposeStartedJob,
  IDEMPOTENCY_KEY,
  type StartedJob,
} from './started-job.ts';

const ID_DESCRIPTION = 'Id of the job, globally unique or a bare UUID.';

const CancelJobSuccess = builder.objectRef<ControlledJob>('CancelJobSuccess').implement({
  description:
    'The job is CANCELLED, or CANCELLING while its workers finish what they have read; `jobProgress` reports its end.',
  fields: exposeControlledJob,
});

const RetryJobSuccess = builder.objectRef<StartedJob>('RetryJobSuccess').implement({
  description: 'A new job is queued, with the old one as its `retryOf`.',
  fields: exposeStartedJob,
});

const PauseJobSuccess = builder.objectRef<ControlledJob>('PauseJobSuccess').implement({
  description: 'The job is PAUSED, or PAUSING while its workers return to their checkpoints.',
  fields: exposeControlledJob,
});

const ResumeJobSuccess = builder.objectRef<ControlledJob>('ResumeJobSuccess').implement({
  description: 'The job is queued again, and continues from its checkpoints.',
  fields: exposeControlledJob,
});

builder.objectType(JobNotFoundError, {
  ...describeErrorType(JobNotFoundError, 'No job has this id.'),
  fields: (t) => ({ jobId: exposeJobId(t) }),
});

builder.objectType(JobAlreadyFinishedError, {
  ...describeErrorType(
    JobAlreadyFinishedError,
    'The job has already ended, and a final state never changes.',
  ),
  fields: (t) => ({ jobId: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotFinishedError, {
  ...describeErrorType(JobNotFinishedError, 'The job has not ended, so it cannot be retried.'),
  fields: (t) => ({ jobId: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausableError, {
  ...describeErrorType(
    JobNotPausableError,
    'The job has ended or is being cancelled, so it cannot be paused.',
  ),
  fields: (t) => ({ jobId: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausedError, {
  ...describeErrorType(JobNotPausedError, 'The job is not paused, so it cannot be resumed.'),
  fields: (t) => ({ jobId: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(IdempotencyKeyReusedError, {
  ...describeErrorType(
    IdempotencyKeyReusedError,
    'Your idempotency key has started another job, from another input or with a clearance that you no longer have.',
  ),
  fields: (t) => ({
    jobId: t.id({
      nullable: true,
      description: 'Id of that job; null if it is above your clearance.',
      resolve: ({ jobId }) => (jobId === null ? null : encodeGlobalId('Job', jobId)),
    }),
  }),
});

builder.objectType(NothingToRetryError, {
  ...describeErrorType(
    NothingToRetryError,
    'Nothing of the job failed that the mode takes up, so there is nothing to retry.',
  ),
  fields: (t) => ({
    jobId: exposeJobId(t),
    mode: t.expose('mode', { type: RetryModeEnum, description: 'The mode that was asked for.' }),
  }),
});

const PauseJobInput = createIdInput('PauseJobInput', 'The job to pause.', ID_DESCRIPTION);

const ResumeJobInput = createIdInput('ResumeJobInput', 'The job to resume.', ID_DESCRIPTION);

const CancelJobInput = createIdInput('CancelJobInput', 'The job to cancel.', ID_DESCRIPTION);

const RetryJobInput = builder.inputType('RetryJobInput', {
  description: 'The job to retry, and what of it.',
  fields: (t) => ({
    id: t.id({ required: true, description: ID_DESCRIPTION }),
    mode: t.field({
      type: RetryModeEnum,
      required: false,
      defaultValue: 'ALL',
      description: 'What of the job to take up.',
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const retryJobInputSchema = z.object({ idempotencyKey: idempotencyKeyInputSchema });

builder.mutationFields((t) => ({
  pauseJob: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: PauseJobSuccess,
    description: 'Pauses a job at its checkpoints. A paused sync still counts as the active one.',
    args: { input: t.arg({ required: true, type: PauseJobInput, description: 'The job to pause.' }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausableError],
      union: { name: 'PauseJobResult', description: 'The result of pausing a job.' },
    },
    resolve: async (_root, { input: { id } }, { jobs }) => {
      const job = await jobs.pauseJob(parseUuid('Job', id, 'input.id'));
      return { job, message: job.state === 'PAUSED' ? 'Job paused' : 'Job is being paused' };
    },
  }),
  resumeJob: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: ResumeJobSuccess,
    description: 'Resumes a paused job from its checkpoints.',
    args: { input: t.arg({ required: true, type: ResumeJobInput, description: 'The job to resume.' }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobNotPausedError],
      union: { name: 'ResumeJobResult', description: 'The result of resuming a job.' },
    },
    resolve: async (_root, { input: { id } }, { jobs }) => ({
      job: await jobs.resumeJob(parseUuid('Job', id, 'input.id')),
      message: 'Job resumed',
    }),
  }),
  cancelJob: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: CancelJobSuccess,
    description:
      'Cancels a job, and interrupts a statement that it is running in the warehouse. Stored items stay.',
    args: { input: t.arg({ required: true, type: CancelJobInput, description: 'The job to cancel.' }) },
    errors: {
      types: [InvalidInputError, JobNotFoundError, JobAlreadyFinishedError],
      union: { name: 'CancelJobResult', description: 'The result of cancelling a job.' },
    },
    resolve: async (_root, { input: { id } }, { jobs }) => {
      const job = await jobs.cancelJob(parseUuid('Job', id, 'input.id'));
      return { job, message: job.state === 'CANCELLED' ? 'Job cancelled' : 'Job is being cancelled' };
    },
  }),
  retryJob: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: RetryJobSuccess,
    description:
      'Runs an ended job again, as a new job. Sources that are disabled by now are left out, as in a sync; an ' +
      'InvalidInputError says so if nothing else is left. A repair of the catalog needs the role ADMIN.',
    args: { input: t.arg({ required: true, type: RetryJobInput, description: 'The job to retry.' }) },
    errors: {
      types: [
        InvalidInputError,
        JobNotFoundError,
        JobNotFinishedError,
        NothingToRetryError,
        SyncAlreadyRunningError,
        RepairAlreadyRunningError,
        IdempotencyKeyReusedError,
      ],
      union: { name: 'RetryJobResult', description: 'The result of retrying a job.' },
    },
    resolve: async (_root, { input }, { jobs }) => {
      const jobId = parseUuid('Job', input.id, 'input.id');
      const { idempotencyKey } = await parseInput(retryJobInputSchema, input);
      const mode = input.mode ?? 'ALL';
      const started = await jobs.retryJob({ jobId, mode, idempotencyKey });
      return describeStart(started, RETRY_MESSAGES[mode]);
    },
  }),
}));

const RETRY_MESSAGES: Readonly<Record<typeof RetryModeEnum.$inferType, string>> = {
  ALL: 'Retry started',
  FAILED_SOURCES: 'Retry of the failed sources started',
  FAILED_ITEMS: 'Retry of the failed items started',
};

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

function exposeJobId<Parent extends { jobId: string }>(t: Fields<Parent>) {
  return t.id({ description: 'Id of the job.', resolve: (error) => encodeGlobalId('Job', error.jobId) });
}

function exposeJobState<Parent extends { state: Job['state'] }>(t: Fields<Parent>) {
  return t.field({ type: JobStateEnum, description: 'State of the job.', resolve: ({ state }) => state });
}
