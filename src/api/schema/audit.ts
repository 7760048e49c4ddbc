import { type AuditEntry, Prisma } from '../../database/generated/prisma/client.ts';
import type { Bound, RowFilter } from '../../database/paging/paged-table.ts';
import { builder } from './builder.ts';
import { encodeGlobalId, parsePrincipalId, parseUuid } from './global-id.ts';
import { checkText, removeDuplicates } from './input-checks.ts';
import { PrincipalType } from './me.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires, requiresForNode } from './requires.ts';

const AuditOutcomeEnum = builder.enumType('AuditOutcome', {
  description: 'Whether an operation was carried out.',
  values: {
    DONE: { description: 'Carried out. The entry was written in the same transaction.' },
    REFUSED: {
      description: 'Refused, because the role of the principal does not allow it. Nothing was done.',
    },
  } as const,
});

const AuditEntryType = builder.prismaNode('AuditEntry', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id; increases with time.' },
  description: 'A record of what a principal did, or was refused.',
  authScopes: requiresForNode('admin'),
  runScopesOnType: true,
  fields: (t) => ({
    time: t.expose('time', { type: 'DateTime', description: 'When it happened.' }),
    principal: t.field({
      type: PrincipalType,
      description: 'Who did it.',
      resolve: ({ principalId, principalName }) => ({ id: principalId, name: principalName }),
    }),
    operation: t.exposeString('operation', {
      description: 'The field of the API that was called, such as `cancelJob`.',
    }),
    outcome: t.expose('outcome', {
      type: AuditOutcomeEnum,
      description: 'Whether the operation was carried out.',
    }),
    jobId: t.id({
      nullable: true,
      description: 'Id of the job concerned, which may have been pruned since; null if none is.',
      resolve: ({ jobId }) => (jobId === null ? null : encodeGlobalId('Job', jobId)),
    }),
    dataSourceId: t.id({
      nullable: true,
      description: 'Id of the data source concerned, which may have been deleted since; null if none is.',
      resolve: ({ dataSourceId }) =>
        dataSourceId === null ? null : encodeGlobalId('DataSource', dataSourceId),
    }),
    apiKeyId: t.id({
      nullable: true,
      description: 'Id of the API key concerned; null if none is.',
      resolve: ({ apiKeyId }) => (apiKeyId === null ? null : encodeGlobalId('ApiKey', apiKeyId)),
    }),
    details: t.expose('details', {
      type: 'JSONObject',
      description: 'Details, such as the arguments. SQL and parameters of query jobs are left out.',
    }),
  }),
});

const AuditFilter = builder.inputType('AuditFilter', {
  description: 'Conditions on audit entries, combined with AND.',
  fields: (t) => ({
    principalIds: t.idList({
      description: 'Entries of any of these principals, with or without `Principal:` before their ids.',
    }),
    operations: t.stringList({ description: 'Entries of any of these operations, such as `cancelJob`.' }),
    outcomes: t.field({ type: [AuditOutcomeEnum], description: 'Entries with any of these outcomes.' }),
    jobId: t.id({ description: 'Entries about this job.' }),
    after: t.field({ type: 'DateTime', description: 'Entries at this time or later.' }),
    before: t.field({ type: 'DateTime', description: 'Entries before this time.' }),
  }),
});

const AuditEntryOrder = createOrderInput('AuditEntryOrder', 'audit entries', {
  TIME: 'The order in which it happened, also if the clock was set back in between.',
});

const NEWEST_FIRST = { field: 'TIME', direction: 'DESC' } as const;

const AUDIT_ENTRIES: PagedList<AuditEntry, 'TIME'> = {
  name: 'auditEntries',
  identity: ['id'],
  orders: {
    TIME: {
      name: 'audit_entry',
      key: ['orderedAt', 'id'],
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
      types: { orderedAt: 'timestamptz', id: 'uuid', jobId: 'uuid', outcome: 'public.audit_outcome' },
    },
  },
};

builder.queryField('auditEntries', (t) =>
  t.connection(
    {
      type: AuditEntryType,
      description: 'The audit: who did what. Hides entries about query jobs above your clearance.',
      args: {
        filter: t.arg({
          type: AuditFilter,
          required: false,
          description: 'Which entries. Default: all.',
        }),
        orderBy: t.arg({
          type: AuditEntryOrder,
          required: false,
          defaultValue: NEWEST_FIRST,
          description: 'Order of the entries.',
        }),
      },
      authScopes: requires('admin'),
      nullable: true,
      resolve: (_parent, { filter, orderBy, ...page }, context, info) =>
        connectPage(AUDIT_ENTRIES, context, info, {
          order: orderBy ?? NEWEST_FIRST,
          page,
          filter: toRowFilter(filter),
          read: (query) => context.prisma.auditEntry.findMany(query),
        }),
    },
    { name: 'AuditEntryConnection', description: 'A page of audit entries.' },
    { name: 'AuditEntryEdge', description: 'An audit entry and its cursor.' },
  ),
);

function toRowFilter(filter: typeof AuditFilter.$inferInput | null | undefined): RowFilter<AuditEntry> {
  if (filter == null) return {};
  const { principalIds, operations, outcomes, jobId, after, before } = filter;
  for (const operation of operations ?? []) checkText(operation, 'filter.operations');
  return {
    equals: {
      ...(principalIds == null
        ? {}
        : {
            principalId: removeDuplicates(
              principalIds.map((id) => parsePrincipalId(id, 'filter.principalIds')),
              'filter.principalIds',
            ),
          }),
      ...(operations == null ? {} : { operation: removeDuplicates(operations, 'filter.operations') }),
      ...(outcomes == null ? {} : { outcome: removeDuplicates(outcomes, 'filter.outcomes') }),
      ...(jobId == null ? {} : { jobId: [parseUuid('Job', jobId, 'filter.jobId')] }),
    },
    bounds: [
      ...(after == null ? [] : [boundTime((time) => Prisma.sql`${time} >= ${after}`)]),
      ...(before == null ? [] : [boundTime((time) => Prisma.sql`${time} < ${before}`)]),
    ],
  };
}

// By the order, which has an index and is the time unless the clock was set back before it.
function boundTime(condition: Bound<AuditEntry>['condition']): Bound<AuditEntry> {
  return { field: 'orderedAt', condition };
}
