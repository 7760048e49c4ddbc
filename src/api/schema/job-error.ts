import { ApiKeyNotFoundError, ForbiddenError } from '../../access/access-errors.ts';
import type { Job } from '../../database/generated/prisma/client.ts';
import { ItemNotFoundError, MarkingFloorChangedError, NoMarkingFloorError } from '../../jobs/item-errors.ts';
import {
  JobAlreadyFinishedError,
  JobNotFinishedError,
  JobNotFoundError,
  JobNotPausableError,
  JobNotPausedError,
  NoActiveSyncError,
  NoDataSourceError,
  NothingToRetryError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { DataSourceInUseError, DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { builder } from './builder.ts';
import { encodeGlobalId } from './global-id.ts';
import { JobStateEnum } from './job-enums.ts';
import { AccessRoleEnum } from './me.ts';

/** The failures that a client can expect: each is a member of the unions of the mutations that can give it. */
const ErrorInterface = builder.interfaceRef<Error>('Error').implement({
  description: 'A failure that can be expected. Nothing was started or changed.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What went wrong and what would be right, for people.',
    }),
  }),
});

const InputIssueType = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'What is wrong with one input field.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The path of the field, such as `input.maxItems`.' }),
    message: t.exposeString('message', { description: 'What is wrong with it and what would be right.' }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description: 'Some input cannot be used.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    issues: t.field({
      type: [InputIssueType],
      description: 'Every field that is at fault.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
});

builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  description: 'Your role does not allow it. The attempt is in the audit.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    requiredRole: t.expose('requiredRole', { type: AccessRoleEnum, description: 'The role that it needs.' }),
  }),
});

builder.objectType(ApiKeyNotFoundError, {
  name: 'ApiKeyNotFoundError',
  description: 'No API key has the id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: t.exposeID('apiKeyId', { description: 'The id that was asked for.' }) }),
});

builder.objectType(SyncAlreadyRunningError, {
  name: 'SyncAlreadyRunningError',
  description: 'A sync is active already; there is one at a time.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    activeJob: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The active sync; null when it has ended just now.',
      resolve: (query, { activeJobId }, _args, { prisma }) =>
        activeJobId === null ? null : prisma.job.findUnique({ ...query, where: { id: activeJobId } }),
    }),
  }),
});

builder.objectType(NoActiveSyncError, {
  name: 'NoActiveSyncError',
  description: 'No sync is active, so there is none to stop.',
  interfaces: [ErrorInterface],
});

builder.objectType(NoDataSourceError, {
  name: 'NoDataSourceError',
  description: 'No enabled data source fits.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    dataType: t.exposeString('dataType', {
      nullable: true,
      description: 'The data type that was asked for; null when it was all of them.',
    }),
  }),
});

builder.objectType(JobNotFoundError, {
  name: 'JobNotFoundError',
  description: 'No job has the id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t) }),
});

builder.objectType(JobAlreadyFinishedError, {
  name: 'JobAlreadyFinishedError',
  description: 'The job has ended; a state that a job ends in never changes.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t), state: jobState(t) }),
});

builder.objectType(JobNotFinishedError, {
  name: 'JobNotFinishedError',
  description: 'The job has not ended yet, so it cannot be retried.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t), state: jobState(t) }),
});

builder.objectType(JobNotPausableError, {
  name: 'JobNotPausableError',
  description: 'The job has ended or is being cancelled, so it cannot be paused.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t), state: jobState(t) }),
});

builder.objectType(JobNotPausedError, {
  name: 'JobNotPausedError',
  description: 'The job is not paused, so it cannot be resumed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t), state: jobState(t) }),
});

builder.objectType(NothingToRetryError, {
  name: 'NothingToRetryError',
  description: 'No item of the job failed, so there is none to retry.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: jobId(t) }),
});

builder.objectType(DataSourceNotFoundError, {
  name: 'DataSourceNotFoundError',
  description: 'No data source has the id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: dataSourceId(t) }),
});

builder.objectType(DataSourceInUseError, {
  name: 'DataSourceInUseError',
  description: 'An active job reads the data source.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: dataSourceId(t) }),
});

builder.objectType(ItemNotFoundError, {
  name: 'ItemNotFoundError',
  description: 'No item that your clearance covers has the data type and id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'The data type that was asked for.' }),
    itemId: t.exposeString('itemId', { description: 'The id that was asked for.' }),
  }),
});

builder.objectType(NoMarkingFloorError, {
  name: 'NoMarkingFloorError',
  description: 'The marking of the item was not raised, so there is nothing to lower.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    classificationMarking: t.exposeString('classificationMarking', {
      description: 'The marking of the item, as its sources state it.',
    }),
  }),
});

builder.objectType(MarkingFloorChangedError, {
  name: 'MarkingFloorChangedError',
  description: 'The floor of the item is not the expected one: it was raised or lowered meanwhile.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    floor: t.exposeString('floor', { description: 'The marking of the floor as it is now.' }),
  }),
});

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

function jobId<Parent extends { jobId: string }>(t: Fields<Parent>) {
  return t.id({ description: 'The id of the job.', resolve: (error) => encodeGlobalId('Job', error.jobId) });
}

function jobState<Parent extends { state: Job['state'] }>(t: Fields<Parent>) {
  return t.field({ type: JobStateEnum, description: 'The state of the job.', resolve: ({ state }) => state });
}

function dataSourceId<Parent extends { dataSourceId: string }>(t: Fields<Parent>) {
  return t.id({
    description: 'The id of the data source.',
    resolve: (error) => encodeGlobalId('DataSource', error.dataSourceId),
  });
}
