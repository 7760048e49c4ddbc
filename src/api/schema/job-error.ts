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

/** An expected failure: a member of the union of every mutation that can return it. */
const ErrorInterface = builder.interfaceRef<Error>('Error').implement({
  description: 'An expected failure. Nothing was started or changed.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What was refused, why, and what would work.',
    }),
  }),
});

const InputIssueType = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'A problem with one input field.',
  fields: (t) => ({
    field: t.exposeString('field', { description: 'Path of the field, such as `input.maxItems`.' }),
    message: t.exposeString('message', { description: 'What is wrong with it, and what would work.' }),
  }),
});

builder.objectType(InvalidInputError, {
  name: 'InvalidInputError',
  description: 'Some input is invalid.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    issues: t.field({
      type: [InputIssueType],
      description: 'Every invalid field.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
});

builder.objectType(ForbiddenError, {
  name: 'ForbiddenError',
  description: 'Your role does not allow this. The attempt is recorded in the audit.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    requiredRole: t.expose('requiredRole', { type: AccessRoleEnum, description: 'The role that is needed.' }),
  }),
});

builder.objectType(ApiKeyNotFoundError, {
  name: 'ApiKeyNotFoundError',
  description: 'No API key has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: t.exposeID('apiKeyId', { description: 'The requested id.' }) }),
});

builder.objectType(SyncAlreadyRunningError, {
  name: 'SyncAlreadyRunningError',
  description: 'A sync is already active. Only one can be active at a time.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    activeJob: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The active sync; null if it has just ended.',
      resolve: (query, { activeJobId }, _args, { prisma }) =>
        activeJobId === null ? null : prisma.job.findUnique({ ...query, where: { id: activeJobId } }),
    }),
  }),
});

builder.objectType(NoActiveSyncError, {
  name: 'NoActiveSyncError',
  description: 'No sync is active, so there is nothing to stop.',
  interfaces: [ErrorInterface],
});

builder.objectType(NoDataSourceError, {
  name: 'NoDataSourceError',
  description: 'No enabled data source matches.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    dataType: t.exposeString('dataType', {
      nullable: true,
      description: 'The requested data type; null if all were requested.',
    }),
  }),
});

builder.objectType(JobNotFoundError, {
  name: 'JobNotFoundError',
  description: 'No job has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t) }),
});

builder.objectType(JobAlreadyFinishedError, {
  name: 'JobAlreadyFinishedError',
  description: 'The job has already ended, and a final state never changes.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotFinishedError, {
  name: 'JobNotFinishedError',
  description: 'The job has not ended, so it cannot be retried.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausableError, {
  name: 'JobNotPausableError',
  description: 'The job has ended or is being cancelled, so it cannot be paused.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(JobNotPausedError, {
  name: 'JobNotPausedError',
  description: 'The job is not paused, so it cannot be resumed.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t), state: exposeJobState(t) }),
});

builder.objectType(NothingToRetryError, {
  name: 'NothingToRetryError',
  description: 'No item of the job failed, so there is nothing to retry.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeJobId(t) }),
});

builder.objectType(DataSourceNotFoundError, {
  name: 'DataSourceNotFoundError',
  description: 'No data source has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeDataSourceId(t) }),
});

builder.objectType(DataSourceInUseError, {
  name: 'DataSourceInUseError',
  description: 'An active job is reading the data source.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeDataSourceId(t) }),
});

builder.objectType(ItemNotFoundError, {
  name: 'ItemNotFoundError',
  description: 'No item that your clearance covers has this data type and id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'The requested data type.' }),
    itemId: t.exposeString('itemId', { description: 'The requested id.' }),
  }),
});

builder.objectType(NoMarkingFloorError, {
  name: 'NoMarkingFloorError',
  description: 'The marking of the item was not raised, so there is nothing to lower.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    classificationMarking: t.exposeString('classificationMarking', {
      description: 'Marking of the item, as its sources state it.',
    }),
  }),
});

builder.objectType(MarkingFloorChangedError, {
  name: 'MarkingFloorChangedError',
  description: 'The floor of the item is not the expected one: it was raised or lowered in the meantime.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    floor: t.exposeString('floor', { description: 'The current floor.' }),
  }),
});

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

function exposeJobId<Parent extends { jobId: string }>(t: Fields<Parent>) {
  return t.id({ description: 'Id of the job.', resolve: (error) => encodeGlobalId('Job', error.jobId) });
}

function exposeJobState<Parent extends { state: Job['state'] }>(t: Fields<Parent>) {
  return t.field({ type: JobStateEnum, description: 'State of the job.', resolve: ({ state }) => state });
}

function exposeDataSourceId<Parent extends { dataSourceId: string }>(t: Fields<Parent>) {
  return t.id({
    description: 'Id of the data source.',
    resolve: (error) => encodeGlobalId('DataSource', error.dataSourceId),
  });
}
