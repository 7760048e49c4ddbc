import { ForbiddenError } from '../../access/access-errors.ts';
import {
  NoDataSourceError,
  RepairAlreadyRunningError,
  SyncAlreadyRunningError,
} from '../../jobs/job-errors.ts';
import { type ExpectedError, toErrorCode } from '../../shared/expected-error.ts';
import { INPUT_ISSUE_CODES, type InputIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { AccessRoleEnum } from './me.ts';

const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description:
    'The type of an expected failure, for programs: that of JobNotFoundError is JOB_NOT_FOUND. Later versions may add codes.',
  // Each type of error adds its own.
  values: {} as Record<string, { description: string }>,
});

/**
 * An expected failure: a member of the union of every mutation that can return it. An error of the mutations of one file is
 * defined there.
 */
export const ErrorInterface = builder.interfaceRef<ExpectedError>('UserError').implement({
  description:
    'An expected failure. Nothing was started or changed. Later versions may add types, so select these fields for all of them.',
  fields: (t) => ({
    message: t.exposeString('message', {
      description: 'What was refused, why, and what would work.',
    }),
    code: t.field({
      type: ErrorCodeEnum,
      description: 'What was refused.',
      resolve: ({ code }) => code,
    }),
  }),
});

/** What the types of all expected errors have: the name of the class, the interface and a code, which this defines. */
export function describeErrorType(ErrorClass: { readonly name: string }, description: string) {
  const { name } = ErrorClass;
  ErrorCodeEnum.updateConfig((config) => ({
    ...config,
    values: { ...config.values, [toErrorCode(name)]: { description } },
  }));
  return { name, description, interfaces: [ErrorInterface] as [typeof ErrorInterface] };
}

const InputIssueCodeEnum = builder.enumType('InputIssueCode', {
  description: 'What is wrong with an input field. Later versions may add codes.',
  values: describeValues(INPUT_ISSUE_CODES),
});

const InputIssueType = builder.objectRef<InputIssue>('InputIssue').implement({
  description: 'A problem with one input field.',
  fields: (t) => ({
    path: t.stringList({
      description: 'Path of the field from the argument, such as `["input", "maxItems"]`.',
      resolve: ({ path }) => [...path],
    }),
    code: t.field({
      type: InputIssueCodeEnum,
      description: 'What is wrong with it.',
      resolve: ({ code }) => code,
    }),
    message: t.exposeString('message', { description: 'What is wrong with it, and what would work.' }),
  }),
});

builder.objectType(InvalidInputError, {
  ...describeErrorType(InvalidInputError, 'Some input is invalid: `issues` says which.'),
  fields: (t) => ({
    issues: t.field({
      type: [InputIssueType],
      description: 'Every invalid field.',
      resolve: ({ issues }) => [...issues],
    }),
  }),
});

builder.objectType(ForbiddenError, {
  ...describeErrorType(
    ForbiddenError,
    'Your role does not allow this. The attempt is recorded in the audit.',
  ),
  fields: (t) => ({
    requiredRole: t.expose('requiredRole', { type: AccessRoleEnum, description: 'The role that is needed.' }),
  }),
});

builder.objectType(SyncAlreadyRunningError, {
  ...describeErrorType(
    SyncAlreadyRunningError,
    'A sync is already active. Only one can be active at a time.',
  ),
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
  ...describeErrorType(
    RepairAlreadyRunningError,
    'A repair of the catalog is already active. Only one can be active at a time.',
  ),
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
  ...describeErrorType(NoDataSourceError, 'No enabled data source matches.'),
  fields: (t) => ({
    dataType: t.exposeString('dataType', {
      nullable: true,
      description: 'The requested data type; null if all were requested.',
    }),
  }),
});

function describeValues<Value extends string>(descriptions: Readonly<Record<Value, string>>) {
  return Object.fromEntries(
    Object.entries(descriptions).map(([value, description]) => [value, { description }]),
  ) as Record<Value, { description: string }>;
}
