import { toLevel } from '../../data-types/marking.ts';
import type { DataSource, DeleteApproval } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { createLoader } from '../../shared/loader.ts';
import { DeleteCountChangedError, DeletesNotWaitingError } from '../../sources/decide-deletes.ts';
import { DataSourceInUseError } from '../../sources/source-errors.ts';
import { countProposed } from '../../sources/waiting-deletes.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { DataSourceNode } from './data-source.ts';
import { describeErrorType } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { DELETED_COUNT } from './job-progress.ts';
import { declareColumns } from './read-columns.ts';
import { requires } from './requires.ts';

type Waiting = Pick<DeleteApproval, 'dataSourceId' | 'jobId' | 'countByLevel' | 'expiresAt'>;

const WaitingDeletesType = builder.objectRef<Waiting>('WaitingDeletes').implement({
  description:
    'Deletes that wait for an admin, because a sync would have deleted a greater share of the items than its source allows.',
  fields: (t) => ({
    jobId: t.id({
      description: 'The sync that found the rows gone, for `approveDeletes` and `rejectDeletes`.',
      resolve: ({ jobId }) => encodeGlobalId('Job', jobId),
    }),
    count: t.field({
      type: 'SafeInt',
      description: 'Items that would be deleted and that your clearance covers.',
      resolve: (waiting, _args, { principal }) => countProposed(waiting, toLevel(principal.clearance)),
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description:
        'Until when they can be approved. The items then stay until a FULL sync proposes them again.',
    }),
  }),
});

// The counts are by marking, so no view is needed.
const loadWaiting = createLoader(async ({ prisma }: ApiContext, ids: readonly string[]) => {
  const rows = await prisma.$queryRaw<Waiting[]>`
    select data_source_id::text as "dataSourceId", job_id::text as "jobId", count_by_level as "countByLevel",
      expires_at as "expiresAt"
    from public.delete_approval where data_source_id = any(${[...new Set(ids)]}::uuid[]) and expires_at > blade_now()`;
  return new Map(rows.map((row) => [row.dataSourceId, row]));
});

builder.prismaObjectFields(DataSourceNode, (t) => ({
  waitingDeletes: t.field({
    type: WaitingDeletesType,
    nullable: true,
    description:
      'Deletes of the source that wait for an admin; null if none do. The next FULL sync replaces them. Hidden without clearance for any of the items.',
    extensions: declareColumns<DataSource>(),
    resolve: async ({ id }, _args, context) => {
      const waiting = (await loadWaiting(context, id)).get(id) ?? null;
      const isVisible = waiting !== null && countProposed(waiting, toLevel(context.principal.clearance)) > 0;
      return isVisible ? waiting : null;
    },
  }),
}));

builder.objectType(DeletesNotWaitingError, {
  ...describeErrorType(
    DeletesNotWaitingError,
    'No deletes of the job wait for a decision: they were decided, have expired or were replaced by a later sync.',
  ),
});

builder.objectType(DeleteCountChangedError, {
  ...describeErrorType(DeleteCountChangedError, 'Another number of items would be deleted than expected.'),
  fields: (t) => ({
    currentCount: t.expose('currentCount', {
      type: 'SafeInt',
      description: 'Items that would be deleted and that your clearance covers.',
    }),
  }),
});

const ApproveDeletesInput = builder.inputType('ApproveDeletesInput', {
  description: 'Which deletes to approve.',
  fields: (t) => ({
    jobId: t.id({ required: true, description: 'The sync that found the rows gone.' }),
    dataSourceId: t.id({ description: 'The source; needed if deletes of several sources of the sync wait.' }),
    expectedCount: t.int({
      required: true,
      description: 'The number of items that you expect to be deleted: `waitingDeletes.count`.',
    }),
  }),
});

const RejectDeletesInput = builder.inputType('RejectDeletesInput', {
  description: 'Which deletes to reject.',
  fields: (t) => ({
    jobId: t.id({ required: true, description: 'The sync that found the rows gone.' }),
    dataSourceId: t.id({ description: 'The source; needed if deletes of several sources of the sync wait.' }),
  }),
});

const ApproveDeletesSuccess = builder
  .objectRef<{ dataSource: DataSource; deletedCount: number }>('ApproveDeletesSuccess')
  .implement({
    description: 'The items were deleted, as the delete policy of the source says.',
    fields: (t) => ({
      deletedCount: t.field({
        ...DELETED_COUNT,
        description:
          'Items that were deleted and that your clearance covers: fewer than expected if some rows are back.',
        resolve: ({ deletedCount }) => deletedCount,
      }),
      dataSource: t.field({
        type: DataSourceNode,
        description: 'The source.',
        resolve: ({ dataSource }) => dataSource,
      }),
    }),
  });

const RejectDeletesSuccess = builder.objectRef<{ dataSource: DataSource }>('RejectDeletesSuccess').implement({
  description: 'The items stay. The next FULL sync judges them anew.',
  fields: (t) => ({
    dataSource: t.field({
      type: DataSourceNode,
      description: 'The source.',
      resolve: ({ dataSource }) => dataSource,
    }),
  }),
});

builder.mutationFields((t) => ({
  approveDeletes: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: ApproveDeletesSuccess,
    description:
      'Deletes the items that a sync found without a row, although they are more than its source allows. Those that a later sync has seen, or that something has written since, stay.',
    args: {
      input: t.arg({ required: true, type: ApproveDeletesInput, description: 'Which deletes to approve.' }),
    },
    errors: {
      types: [InvalidInputError, DeletesNotWaitingError, DeleteCountChangedError, DataSourceInUseError],
      union: { name: 'ApproveDeletesResult', description: 'The result of approving deletes.' },
    },
    resolve: (_root, { input }, { jobs }) =>
      jobs.approveDeletes({ ...parseDecided(input), expectedCount: input.expectedCount }),
  }),
  rejectDeletes: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: RejectDeletesSuccess,
    description: 'Keeps the items that a sync found without a row, until a later FULL sync judges them anew.',
    args: {
      input: t.arg({ required: true, type: RejectDeletesInput, description: 'Which deletes to reject.' }),
    },
    errors: {
      types: [InvalidInputError, DeletesNotWaitingError],
      union: { name: 'RejectDeletesResult', description: 'The result of rejecting deletes.' },
    },
    resolve: async (_root, { input }, { jobs }) => ({
      dataSource: await jobs.rejectDeletes(parseDecided(input)),
    }),
  }),
}));

function parseDecided({ jobId, dataSourceId }: typeof RejectDeletesInput.$inferInput) {
  return {
    jobId: parseUuid('Job', jobId, 'input.jobId'),
    dataSourceId: dataSourceId == null ? null : parseUuid('DataSource', dataSourceId, 'input.dataSourceId'),
  };
}
