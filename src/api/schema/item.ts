import { catalogIdOf } from '../../data-types/blade-item.ts';
import { isMarking, markings, parseMarking } from '../../data-types/marking.ts';
import { type BladeItem, Prisma } from '../../database/generated/prisma/client.ts';
import { EVERY, type Key, type RowFilter, type Shortcut } from '../../database/paged-table.ts';
import { metadataProblem } from '../../ingestion/transform.ts';
import { InvalidInputError } from '../../jobs/job-errors.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { checkDataTypes, checkText, distinct } from './input-checks.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires } from './requires.ts';
import { uploadTimeOf } from './upload-times.ts';

const BladeItemNode = builder.prismaNode('BladeItem', {
  nullable: true,
  id: { field: 'dataType_itemId', description: 'Unique over all types.' },
  description: 'An item of BLADE data that your clearance covers, as it was last read.',
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'Its data type.' }),
    itemId: t.exposeString('itemId', {
      description:
        'Its id among the items of its data type: of the column item_id or, without one, from its content.',
    }),
    classificationMarking: t.exposeString('classificationMarking', {
      description: 'Its classification marking.',
    }),
    data: t.expose('data', { type: 'JSONObject', description: 'The whole row, unknown columns included.' }),
    metadata: t.expose('metadata', {
      type: 'JSONObject',
      description: 'Where it comes from, and what the query job that brought it in added.',
    }),
    catalogId: t.string({
      nullable: true,
      description:
        'Its name in the catalog, `BLADE-<dataType>-<itemId>`; null until the catalog accepted it.',
      resolve: async ({ dataType, itemId, wasUploaded, uploadBatchId }, _args, context) =>
        wasUploaded || (await uploadTimeOf(context, uploadBatchId)) !== null
          ? catalogIdOf(dataType, itemId)
          : null,
    }),
    uploadedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the catalog accepted its present content; null while it has not.',
      resolve: ({ uploadBatchId }, _args, context) => uploadTimeOf(context, uploadBatchId),
    }),
    dataSource: t.prismaField({
      type: 'DataSource',
      nullable: true,
      description: 'The source it was last read from; null once that is deleted.',
      resolve: (query, { dataSourceId }, _args, { prisma }) =>
        dataSourceId === null
          ? null
          : prisma.dataSource.findUnique({ ...query, where: { id: dataSourceId } }),
    }),
    job: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The job that last changed it; null once that is pruned from history.',
      resolve: (query, { jobId }, _args, { prisma }) =>
        prisma.job.findUnique({ ...query, where: { id: jobId } }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first stored.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When its content last changed.' }),
  }),
});

const ItemFilter = builder.inputType('ItemFilter', {
  description: 'Which items; those that fit everything that is given.',
  fields: (t) => ({
    dataTypes: t.stringList({ description: 'Items of one of these data types.' }),
    classificationMarkings: t.stringList({ description: 'Items with one of these markings.' }),
    dataSourceId: t.id({ description: 'Items that were last read from this source.' }),
    jobId: t.id({ description: 'Items that this job last changed.' }),
    isUploaded: t.boolean({
      description: 'Items whose present content the catalog has, or has not, accepted.',
    }),
    itemIdPrefix: t.string({ description: 'Items whose id begins with this.' }),
    data: t.field({
      type: 'JSONObject',
      description: 'Items whose data has these columns with these values, as in `{ "priority": "HIGH" }`.',
    }),
  }),
});

const ITEMS: PagedList<BladeItem, 'BY_ID'> = {
  name: 'items',
  table: {
    name: 'blade_item',
    key: ['dataType', 'itemId'],
    indexes: [[], ['jobId', 'classificationMarking'], ['classificationMarking', 'dataSourceId']],
    collation: 'POSIX',
    fewValued: ['classificationMarking', 'dataSourceId'],
    marking: 'classificationMarking',
    types: { dataSourceId: 'uuid', jobId: 'uuid' },
  },
  identity: ['dataType', 'itemId'],
  orders: { BY_ID: 'ascending' },
};

builder.queryFields((t) => ({
  items: t.connection(
    {
      authScopes: requires('viewer'),
      type: BladeItemNode,
      description: 'The stored items that your clearance covers, by data type and id, paged.',
      args: {
        filter: t.arg({ type: ItemFilter, required: false, description: 'Which items; all when left out.' }),
      },
      resolve: async (_root, { filter, ...page }, context, info) =>
        connectPage(ITEMS, context, info, {
          order: 'BY_ID',
          page,
          filter: await toRowFilter(context, filter),
          read: (keys, query) =>
            context.prisma.bladeItem.findMany({
              ...query,
              where: { OR: keysByType(keys) },
            }),
        }),
    },
    { description: 'A page of items.' },
    { description: 'An item and its place in the list.' },
  ),
  item: t.prismaField({
    authScopes: requires('viewer'),
    type: 'BladeItem',
    nullable: true,
    description: 'One item, by its data type and id; null when there is none.',
    args: {
      dataType: t.arg.string({ required: true, description: 'Its data type.' }),
      itemId: t.arg.string({ required: true, description: 'Its id among the items of the data type.' }),
    },
    resolve: (query, _root, { dataType, itemId }, { prisma }) => {
      checkDataTypes([dataType], 'dataType');
      checkText(itemId, 'itemId');
      return prisma.bladeItem.findUnique({ ...query, where: { dataType_itemId: { dataType, itemId } } });
    },
  }),
}));

function keysByType(keys: readonly Key[]): Prisma.BladeItemWhereInput[] {
  const byType = Map.groupBy(keys, ({ dataType }) => String(dataType));
  return [...byType].map(([dataType, ofType]) => ({
    dataType,
    itemId: { in: ofType.map(({ itemId }) => String(itemId)) },
  }));
}

async function toRowFilter(
  { prisma }: Pick<ApiContext, 'prisma'>,
  filter: typeof ItemFilter.$inferInput | null | undefined,
): Promise<RowFilter<BladeItem>> {
  if (filter == null) return {};
  const { dataTypes, classificationMarkings, dataSourceId, jobId, isUploaded, itemIdPrefix, data } = filter;
  checkDataTypes(dataTypes, 'filter.dataTypes');
  if (itemIdPrefix != null) checkText(itemIdPrefix, 'filter.itemIdPrefix');
  checkData(data);
  const job = jobId == null ? null : uuidOf('Job', jobId, 'filter.jobId');
  const columns = Object.entries(data ?? {});
  distinct(columns, 'filter.data');
  const upload = isUploaded == null ? null : filterByUpload(isUploaded, await findOwedBatches(prisma));
  return {
    equals: {
      // An index has ids in order within a data type.
      ...(itemIdPrefix == null ? {} : { dataType: EVERY }),
      ...(dataTypes == null ? {} : { dataType: distinct(dataTypes, 'filter.dataTypes') }),
      ...(classificationMarkings == null
        ? {}
        : {
            classificationMarking: distinct(
              classificationMarkings.map(knownMarking),
              'filter.classificationMarkings',
            ),
          }),
      ...(dataSourceId == null
        ? {}
        : { dataSourceId: [uuidOf('DataSource', dataSourceId, 'filter.dataSourceId')] }),
      ...(job === null ? {} : { jobId: [job] }),
    },
    bounds:
      itemIdPrefix == null
        ? []
        : [{ field: 'itemId', condition: (id) => Prisma.sql`${id} like ${`${literally(itemIdPrefix)}%`}` }],
    others: [
      ...(upload === null ? [] : [upload.condition]),
      ...columns.map(
        ([column, value]) => Prisma.sql`data -> ${column}::text = ${JSON.stringify(value)}::jsonb`,
      ),
    ],
    ...(upload?.shortcut && { shortcut: upload.shortcut }),
  };
}

/** Batches that are owed are few: those under way, and what jobs that broke off have left. */
async function findOwedBatches(prisma: ApiContext['prisma']): Promise<readonly string[]> {
  const owed = await prisma.uploadBatch.findMany({
    where: { partitionId: { not: null } },
    select: { id: true },
  });
  return owed.map(({ id }) => String(id));
}

/** The condition for items that are, or are not, uploaded; of the latter there are few, which are found by their batches. */
function filterByUpload(
  isUploaded: boolean,
  owed: readonly string[],
): { condition: Prisma.Sql; shortcut?: Shortcut<BladeItem> } {
  const batches = Prisma.sql`(${owed}::text[]::bigint[])`;
  if (isUploaded) return { condition: Prisma.sql`upload_batch_id <> all${batches}` };
  const isRejected = Prisma.sql`upload_batch_id is null`;
  const isOwed = Prisma.sql`upload_batch_id = any${batches}`;
  return {
    condition: Prisma.sql`(${isRejected} or ${isOwed})`,
    shortcut: { column: 'uploadBatchId', conditions: [isRejected, isOwed] },
  };
}

/** The text with what means something to LIKE escaped. */
function literally(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

function checkData(data: JsonObject | null | undefined): void {
  const problem = data == null ? null : metadataProblem(data);
  if (problem !== null) throw new InvalidInputError([{ field: 'filter.data', message: problem }]);
}

function knownMarking(text: string): string {
  const marking = parseMarking(text);
  if (marking !== undefined && isMarking(marking)) return marking;
  throw new InvalidInputError([
    {
      field: 'filter.classificationMarkings',
      message: `${JSON.stringify(text.slice(0, 40))} is no known marking; known are ${markings.join(', ')}`,
    },
  ]);
}
