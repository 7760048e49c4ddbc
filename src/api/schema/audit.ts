import { type AuditEntry, Prisma } from '../../database/generated/prisma/client.ts';
import type { Bound, RowFilter } from '../../database/paging/paged-table.ts';
import { builder } from './builder.ts';
import { encodeGlobalId, uuidOf } from './global-id.ts';
import { checkText, distinct } from './input-checks.ts';
import { PrincipalType } from './me.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires } from './requires.ts';

const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  description: 'What came of it.',
  values: {
    DONE: { description: 'It was done, in the same transaction as the entry was written.' },
    REFUSED: { description: 'The role of the principal did not allow it; nothing was done.' },
  } as const,
});

const AuditEntryType = builder.prismaObject('AuditEntry', {
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

const AUDIT_ENTRIES: PagedList<AuditEntry, 'NEWEST_FIRST'> = {
  name: 'auditEntries',
  table: {
    name: 'audit_entry',
    key: ['time', 'id'],
    indexes: [
      [],
      ['marking'],
      ['jobId', 'marking'],
      ['principalId', 'marking'],
      ['operation', 'marking'],
      ['outcome', 'marking'],
    ],
    fewValued: ['marking'],
    marking: 'marking',
    types: { time: 'timestamptz', id: 'uuid', jobId: 'uuid', outcome: 'public.audit_outcome' },
  },
  identity: ['id'],
  orders: { NEWEST_FIRST: 'descending' },
};

builder.queryField('auditEntries', (t) =>
  t.connection(
    {
      type: AuditEntryType,
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
      resolve: (_parent, { filter, ...page }, context, info) =>
        connectPage(AUDIT_ENTRIES, context, info, {
          order: 'NEWEST_FIRST',
          page,
          filter: toRowFilter(filter),
          read: (keys, query) =>
            context.prisma.auditEntry.findMany({
              ...query,
              where: { id: { in: keys.map(({ id }) => String(id)) } },
            }),
        }),
    },
    { description: 'A page of entries of the audit.' },
    { description: 'An entry of the audit and its place in the list.' },
  ),
);

function toRowFilter(filter: typeof AuditFilter.$inferInput | null | undefined): RowFilter<AuditEntry> {
  if (filter == null) return {};
  const { principalIds, operations, outcomes, jobId, after, before } = filter;
  for (const id of principalIds ?? []) checkText(id, 'filter.principalIds');
  for (const operation of operations ?? []) checkText(operation, 'filter.operations');
  return {
    equals: {
      ...(principalIds == null ? {} : { principalId: distinct(principalIds, 'filter.principalIds') }),
      ...(operations == null ? {} : { operation: distinct(operations, 'filter.operations') }),
      ...(outcomes == null ? {} : { outcome: distinct(outcomes, 'filter.outcomes') }),
      ...(jobId == null ? {} : { jobId: [uuidOf('Job', jobId, 'filter.jobId')] }),
    },
    bounds: [
      ...(after == null ? [] : [timed((time) => Prisma.sql`${time} >= ${after}`)]),
      ...(before == null ? [] : [timed((time) => Prisma.sql`${time} < ${before}`)]),
    ],
  };
}

function timed(condition: Bound<AuditEntry>['condition']): Bound<AuditEntry> {
  return { field: 'time', condition };
}
