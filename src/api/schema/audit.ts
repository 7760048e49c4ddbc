import type { Prisma } from '../../database/generated/prisma/client.ts';
import { builder } from './builder.ts';
import { pageSchema } from './cursor.ts';
import { encodeGlobalId, uuidOf } from './global-id.ts';
import { checkText, distinct, isUuid } from './input-checks.ts';
import { PrincipalType } from './me.ts';
import { requires } from './requires.ts';

const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  description: 'What came of it.',
  values: {
    DONE: { description: 'It was done, in the same transaction as the entry was written.' },
    REFUSED: { description: 'The role of the principal did not allow it; nothing was done.' },
  } as const,
});

builder.prismaObject('AuditEntry', {
  description: 'That a principal did something, or was refused it.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Unique over all entries; rises with time.' }),
    time: t.expose('time', { type: 'DateTime', description: 'When.' }),
    principal: t.field({
      type: PrincipalType,
      description: 'Who.',
      resolve: ({ principalId, principalName }) => ({ id: principalId, name: principalName }),
    }),
    operation: t.exposeString('operation', { description: 'The field of the API that does it.' }),
    outcome: t.expose('outcome', { type: AuditOutcomeEnum, description: 'Whether it was done or refused.' }),
    jobId: t.id({
      nullable: true,
      description: 'The id of the job that it is about; the job may be pruned since.',
      resolve: ({ jobId }) => (jobId === null ? null : encodeGlobalId('Job', jobId)),
    }),
    dataSourceId: t.id({
      nullable: true,
      description: 'The id of the data source that it is about; the source may be deleted since.',
      resolve: ({ dataSourceId }) =>
        dataSourceId === null ? null : encodeGlobalId('DataSource', dataSourceId),
    }),
    apiKeyId: t.exposeID('apiKeyId', {
      nullable: true,
      description: 'The id of the API key that it is about.',
    }),
    details: t.expose('details', {
      type: 'JSONObject',
      description: 'With what it was done. The statements of query jobs and their parameters are left out.',
    }),
  }),
});

const AuditFilter = builder.inputType('AuditFilter', {
  description: 'Which entries; those that fit everything that is given.',
  fields: (t) => ({
    principalIds: t.idList({ description: 'What one of these principals did.' }),
    operations: t.stringList({ description: 'One of these operations, such as `cancelJob`.' }),
    outcomes: t.field({ type: [AuditOutcomeEnum], description: 'With one of these outcomes.' }),
    jobId: t.id({ description: 'What was done with this job.' }),
    after: t.field({ type: 'DateTime', description: 'At this time or later.' }),
    before: t.field({ type: 'DateTime', description: 'Before this time.' }),
  }),
});

builder.queryField('auditEntries', (t) =>
  t.prismaConnection(
    {
      type: 'AuditEntry',
      cursor: 'id',
      description:
        'Who did what, the newest first, paged. What was done with a query job that your clearance does not cover is left out.',
      args: {
        filter: t.arg({
          type: AuditFilter,
          required: false,
          description: 'Which entries; all when left out.',
        }),
      },
      authScopes: requires('admin'),
      validate: pageSchema(isUuid),
      totalCount: (_parent, { filter }, { access }) => access.auditEntries.count({ where: whereOf(filter) }),
      resolve: (query, _parent, { filter }, { access }) =>
        access.auditEntries.findMany({ ...query, where: whereOf(filter), orderBy: { id: 'desc' } }),
    },
    { description: 'A page of entries of the audit.' },
    { description: 'An entry of the audit and its place in the list.' },
  ),
);

function whereOf(filter: typeof AuditFilter.$inferInput | null | undefined): Prisma.AuditEntryWhereInput {
  if (filter == null) return {};
  for (const id of filter.principalIds ?? []) checkText(id, 'filter.principalIds');
  for (const operation of filter.operations ?? []) checkText(operation, 'filter.operations');
  return {
    ...(filter.principalIds == null
      ? {}
      : { principalId: { in: distinct(filter.principalIds, 'filter.principalIds') } }),
    ...(filter.operations == null
      ? {}
      : { operation: { in: distinct(filter.operations, 'filter.operations') } }),
    ...(filter.outcomes == null ? {} : { outcome: { in: distinct(filter.outcomes, 'filter.outcomes') } }),
    ...(filter.jobId == null ? {} : { jobId: uuidOf('Job', filter.jobId, 'filter.jobId') }),
    time: {
      ...(filter.after == null ? {} : { gte: filter.after }),
      ...(filter.before == null ? {} : { lt: filter.before }),
    },
  };
}
