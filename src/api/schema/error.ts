import { ForbiddenError } from '../../access/access-errors.ts';
import {
  NoDataSourceError,
  RepairAlreadyRunningError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { AccessRoleEnum } from './me.ts';

/**
 * An expected failure: a member of the union of every mutation that can return it. An error of the mutations of one file is
 * defined there.
 */
export const ErrorInterface = builder.interfaceRef<Error>('Error').implement({
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

builder.objectType(RepairAlreadyRunningError, {
  name: 'RepairAlreadyRunningError',
  description: 'A repair of the catalog is already active. Only one can be active at a time.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    activeJob: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The active repair; null if it has just ended.',
      resolve: (query, { activeJobId }, _args, { prisma }) =>
        activeJobId === null ? null : prisma.job.findUnique({ ...query, where: { id: activeJobId } }),
    }),
  }),
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
