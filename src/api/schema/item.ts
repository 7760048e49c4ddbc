import { toCatalogId } from '../../data-types/blade-item.ts';
import { listSpellings, toMarking } from '../../data-types/marking.ts';
import { type BladeItem, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { EVERY, type RowFilter, type Shortcut } from '../../database/paging/paged-table.ts';
import { checkMetadata } from '../../jobs/input/check-metadata.ts';
import { createIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { parseUuid } from './global-id.ts';
import { checkText, removeDuplicates } from './input-checks.ts';
import { MarkingEnum } from './marking.ts';
import { PrincipalType } from './me.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires } from './requires.ts';
import { findUploadTime } from './upload-times.ts';

const MarkingFloorType = builder.objectRef<RaisedItem>('MarkingFloor').implement({
  description:
    'The lowest marking that an item can have, whatever its sources state. Query jobs raise it to their marking. It stays until an operator who is cleared for the item lowers it.',
  fields: (t) => ({
    marking: t.field({
      type: MarkingEnum,
      description: 'The lowest marking that the item can have.',
      resolve: ({ floorMarking }) => toMarking(floorMarking),
    }),
    raisedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'Who set it: who started the query job, or who lowered it to this marking. Null for a job from before principals were recorded.',
      resolve: ({ floorById: id, floorByName: name }) => (id === null ? null : { id, name: name ?? id }),
    }),
    job: t.prismaField({
      type: 'Job',
      nullable: true,
      description:
        'The query job that raised it. Null once the job is pruned, or if somebody lowered it to this marking.',
      resolve: (query, { floorJobId }, _args, { prisma }) =>
        floorJobId === null ? null : prisma.job.findUnique({ ...query, where: { id: floorJobId } }),
    }),
    raisedAt: t.expose('floorAt', { type: 'DateTime', description: 'When it was set.' }),
    reason: t.exposeString('floorReason', { description: 'Why it was set.' }),
  }),
});

/** An item with a floor. The database stores all of these columns or none. */
type RaisedItem = BladeItem & { floorMarking: string; floorAt: Date; floorReason: string };

function isRaised(item: BladeItem): item is RaisedItem {
  return item.floorMarking !== null && item.floorAt !== null && item.floorReason !== null;
}

export const BladeItemNode = builder.prismaNode('BladeItem', {
  nullable: true,
  id: { field: 'dataType_itemId', description: 'Globally unique id.' },
  description: 'An item of BLADE data that your clearance covers, as last read.',
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'Data type of the item.' }),
    itemId: t.exposeString('itemId', {
      description:
        'Id of the item, unique within its data type: from the column item_id, or derived from the content if that has no value.',
    }),
    classificationMarking: t.field({
      type: MarkingEnum,
      description:
        'Classification marking: the highest of what its sources state and `markingFloor`. Callers need clearance for it.',
      resolve: ({ classificationMarking }) => toMarking(classificationMarking),
    }),
    rowMarking: t.field({
      type: MarkingEnum,
      description:
        'The marking stated by the source it was last read from, or the default of the data type. A row without a marking does not lower it.',
      resolve: ({ rowMarking, classificationMarking }) => toMarking(rowMarking ?? classificationMarking),
    }),
    markingFloor: t.field({
      type: MarkingFloorType,
      nullable: true,
      description: 'The raised marking, which syncs cannot lower; null if it was not raised.',
      resolve: (item) => (isRaised(item) ? item : null),
    }),
    data: t.expose('data', { type: 'JSONObject', description: 'The whole row, including unknown columns.' }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Metadata sent to the catalog: `sourceMetadata`, overridden by `queryMetadata`.',
      resolve: async (item, _args, { prisma }) => ({
        ...(await readSourceMetadata(prisma, item)),
        ...(item.queryMetadata as JsonObject | null),
      }),
    }),
    sourceMetadata: t.field({
      type: 'JSONObject',
      description:
        'Where the item comes from: the name of its data source, and the table that a sync read it from.',
      resolve: (item, _args, { prisma }) => readSourceMetadata(prisma, item),
    }),
    queryMetadata: t.expose('queryMetadata', {
      type: 'JSONObject',
      nullable: true,
      description:
        'Metadata from query jobs; null if none has read the item. Syncs do not change it. A later query job adds its keys and overrides existing ones, such as `query_job_id`.',
    }),
    catalogId: t.string({
      nullable: true,
      description:
        'Id in the catalog, `BLADE-<dataType>-<itemId>`; null until the catalog has accepted the item.',
      resolve: async ({ dataType, itemId, wasUploaded, uploadBatchId }, _args, context) =>
        wasUploaded || (await findUploadTime(context, uploadBatchId)) !== null
          ? toCatalogId(dataType, itemId)
          : null,
    }),
    uploadedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the catalog accepted the current content; null if it has not, and for a deleted item.',
      resolve: ({ uploadBatchId }, _args, context) => findUploadTime(context, uploadBatchId),
    }),
    dataSource: t.prismaField({
      type: 'DataSource',
      nullable: true,
      description:
        'The source it was last read from; null once the source is deleted, and if a query read it from tables that belong to no source, or to several.',
      resolve: (query, { dataSourceId }, _args, { prisma }) =>
        dataSourceId === null
          ? null
          : prisma.dataSource.findUnique({ ...query, where: { id: dataSourceId } }),
    }),
    job: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The job that last changed it; null once the job is pruned from history.',
      resolve: (query, { jobId }, _args, { prisma }) =>
        prisma.job.findUnique({ ...query, where: { id: jobId } }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first stored.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the content last changed, or the item was deleted or came back.',
    }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When a sync deleted it because its row was gone from the table; null while the row is there, and in sources that keep such items.',
    }),
  }),
});

const ItemFilter = builder.inputType('ItemFilter', {
  description: 'Conditions on items, combined with AND.',
  fields: (t) => ({
    dataTypes: t.stringList({ description: 'Items of any of these data types.' }),
    classificationMarkings: t.field({
      type: [MarkingEnum],
      description: 'Items with any of these markings, in either spelling.',
    }),
    dataSourceId: t.id({ description: 'Items last read from this source.' }),
    jobId: t.id({ description: 'Items last changed by this job.' }),
    isUploaded: t.boolean({
      description: 'Items whose current content the catalog has accepted (true) or not (false).',
    }),
    itemIdPrefix: t.string({ description: 'Items whose id starts with this text.' }),
    includeDeleted: t.boolean({
      description: 'Whether items with a `deletedAt` are in the list, too. Default: false.',
    }),
    data: t.field({
      type: 'JSONObject',
      description: 'Items with these values in their data, such as `{ "priority": "HIGH" }`.',
    }),
  }),
});

const ItemOrder = createOrderInput('ItemOrder', 'items', { ID: 'The data type, then the id of the item.' });

const BY_ID = { field: 'ID', direction: 'ASC' } as const;

const ITEMS: PagedList<BladeItem, 'ID'> = {
  name: 'items',
  identity: ['dataType', 'itemId'],
  orders: {
    ID: {
      name: 'blade_item',
      key: ['dataType', 'itemId'],
      indexes: [[], ['jobId', 'classificationMarking'], ['classificationMarking', 'dataSourceId']],
      collation: 'POSIX',
      fewValued: ['classificationMarking', 'dataSourceId'],
      marking: 'classificationMarking',
      types: { dataSourceId: 'uuid', jobId: 'uuid' },
    },
  },
};

builder.queryFields((t) => ({
  items: t.connection(
    {
      authScopes: requires('viewer'),
      nullable: true,
      type: BladeItemNode,
      description:
        'Stored items that your clearance covers, without deleted ones unless `includeDeleted` is true.',
      args: {
        filter: t.arg({ type: ItemFilter, required: false, description: 'Which items. Default: all.' }),
        orderBy: t.arg({
          type: ItemOrder,
          required: false,
          defaultValue: BY_ID,
          description: 'Order of the items.',
        }),
      },
      resolve: async (_root, { filter, orderBy, ...page }, context, info) =>
        connectPage(ITEMS, context, info, {
          order: orderBy ?? BY_ID,
          page,
          filter: await toRowFilter(context, filter),
          read: (query) => context.prisma.bladeItem.findMany(query),
        }),
    },
    { name: 'ItemConnection', description: 'A page of items.' },
    { name: 'ItemEdge', description: 'An item and its cursor.' },
  ),
  item: t.prismaField({
    authScopes: requires('viewer'),
    type: 'BladeItem',
    nullable: true,
    description: 'One item by its data type and id, deleted or not; null if there is none.',
    args: {
      dataType: t.arg.string({ required: true, description: 'Data type of the item.' }),
      itemId: t.arg.string({ required: true, description: 'Id of the item, unique within its data type.' }),
    },
    resolve: (query, _root, { dataType, itemId }, { prisma, dataTypes }) => {
      dataTypes.check(dataType, 'dataType');
      checkText(itemId, 'itemId');
      return prisma.bladeItem.findUnique({ ...query, where: { dataType_itemId: { dataType, itemId } } });
    },
  }),
}));

/** Reads the current name of the source, which may have been renamed since the item was read. */
async function readSourceMetadata(
  prisma: PrismaClient,
  { metadata, dataSourceId }: BladeItem,
): Promise<JsonObject> {
  const read = metadata as JsonObject;
  const source =
    dataSourceId === null
      ? null
      : await prisma.dataSource.findUnique({ where: { id: dataSourceId }, select: { name: true } });
  return source === null ? read : { ...read, data_source: source.name };
}

async function toRowFilter(
  { prisma, dataTypes: known }: Pick<ApiContext, 'prisma' | 'dataTypes'>,
  filter: typeof ItemFilter.$inferInput | null | undefined,
): Promise<RowFilter<BladeItem>> {
  const within = filter?.includeDeleted === true ? {} : { within: Prisma.sql`deleted_at is null` };
  if (filter == null) return within;
  const { dataTypes, classificationMarkings, dataSourceId, jobId, isUploaded, itemIdPrefix, data } = filter;
  known.check(dataTypes, 'filter.dataTypes');
  if (itemIdPrefix != null) checkText(itemIdPrefix, 'filter.itemIdPrefix');
  checkData(data);
  const job = jobId == null ? null : parseUuid('Job', jobId, 'filter.jobId');
  const columns = Object.entries(data ?? {});
  removeDuplicates(columns, 'filter.data');
  const upload = isUploaded == null ? null : filterByUpload(isUploaded, await findPendingBatches(prisma));
  return {
    ...within,
    equals: {
      // The index orders ids within each data type.
      ...(itemIdPrefix == null ? {} : { dataType: EVERY }),
      ...(dataTypes == null ? {} : { dataType: removeDuplicates(dataTypes, 'filter.dataTypes') }),
      ...(classificationMarkings == null
        ? {}
        : {
            classificationMarking: removeDuplicates(
              classificationMarkings.flatMap(listSpellings),
              'filter.classificationMarkings',
            ),
          }),
      ...(dataSourceId == null
        ? {}
        : { dataSourceId: [parseUuid('DataSource', dataSourceId, 'filter.dataSourceId')] }),
      ...(job === null ? {} : { jobId: [job] }),
    },
    bounds:
      itemIdPrefix == null
        ? []
        : [{ field: 'itemId', condition: (id) => Prisma.sql`${id} like ${`${escapeLike(itemIdPrefix)}%`}` }],
    others: [
      ...(upload === null ? [] : [upload.condition]),
      ...columns.map(
        ([column, value]) => Prisma.sql`data -> ${column}::text = ${JSON.stringify(value)}::jsonb`,
      ),
    ],
    ...(upload?.shortcut && { shortcut: upload.shortcut }),
  };
}

/**
 * Finds the upload batches still to be uploaded. They are few: those under way, those that interrupted jobs left behind, and
 * those that the catalog lost.
 */
async function findPendingBatches(prisma: ApiContext['prisma']): Promise<readonly string[]> {
  // From the table itself: the view would check for each batch whether the principal sees an item of it.
  const pending = await prisma.$queryRaw<{ id: string }[]>`
    select id::text from public.upload_batch where partition_id is not null or lost_at is not null`;
  return pending.map(({ id }) => id);
}

/** Creates the condition on items that are uploaded, or not. The latter are few, so they are found by their batches. */
function filterByUpload(
  isUploaded: boolean,
  pending: readonly string[],
): { condition: Prisma.Sql; shortcut?: Shortcut<BladeItem> } {
  const batches = Prisma.sql`(${pending}::text[]::bigint[])`;
  if (isUploaded) return { condition: Prisma.sql`upload_batch_id <> all${batches}` };
  const isRejected = Prisma.sql`upload_batch_id is null`;
  const isPending = Prisma.sql`upload_batch_id = any${batches}`;
  return {
    condition: Prisma.sql`(${isRejected} or ${isPending})`,
    shortcut: { column: 'uploadBatchId', conditions: [isRejected, isPending] },
  };
}

/** Escapes the characters that have a meaning in a LIKE pattern. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

function checkData(data: JsonObject | null | undefined): void {
  const problem = data == null ? null : checkMetadata(data);
  if (problem !== null) throw new InvalidInputError([createIssue('filter.data', 'INVALID', problem)]);
}
