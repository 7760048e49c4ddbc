import { catalogIdOf } from '../../data-types/blade-item.ts';
import { isMarking, markings, parseMarking } from '../../data-types/marking.ts';
import { type BladeItem, Prisma, type PrismaClient } from '../../database/generated/prisma/client.ts';
import { EVERY, type Key, type RowFilter, type Shortcut } from '../../database/paging/paged-table.ts';
import { checkMetadata } from '../../jobs/input/check-metadata.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import type { JsonObject } from '../../shared/json.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { checkDataTypes, checkText, distinct } from './input-checks.ts';
import { PrincipalType } from './me.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires } from './requires.ts';
import { findUploadTime } from './upload-times.ts';

const MarkingFloorType = builder.objectRef<RaisedItem>('MarkingFloor').implement({
  description:
    'A marking below which an item does not fall, whatever its sources state. A query job raises it to its own marking; it stays until somebody who is cleared for the item lowers it.',
  fields: (t) => ({
    marking: t.exposeString('floorMarking', { description: 'The marking.' }),
    raisedBy: t.field({
      type: PrincipalType,
      nullable: true,
      description:
        'Who set it: who started the query job, or who lowered it to this. Null for jobs from before principals were known.',
      resolve: ({ floorById: id, floorByName: name }) => (id === null ? null : { id, name: name ?? id }),
    }),
    job: t.prismaField({
      type: 'Job',
      nullable: true,
      description:
        'The query job that raised it. Null once that is pruned, and where somebody lowered it to this.',
      resolve: (query, { floorJobId }, _args, { prisma }) =>
        floorJobId === null ? null : prisma.job.findUnique({ ...query, where: { id: floorJobId } }),
    }),
    raisedAt: t.expose('floorAt', { type: 'DateTime', description: 'When it was set.' }),
    reason: t.exposeString('floorReason', { description: 'Why it was set.' }),
  }),
});

/** An item with a floor: the database has either all of it or none. */
type RaisedItem = BladeItem & { floorMarking: string; floorAt: Date; floorReason: string };

function isRaised(item: BladeItem): item is RaisedItem {
  return item.floorMarking !== null && item.floorAt !== null && item.floorReason !== null;
}

export const BladeItemNode = builder.prismaNode('BladeItem', {
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
      description:
        'Its classification marking: the highest of what its sources state and of `markingFloor`. It is what a principal has to be cleared for.',
    }),
    rowMarking: t.string({
      description:
        'What the source it was last read from states, or the default of the data type. A row without a marking does not lower it.',
      resolve: ({ rowMarking, classificationMarking }) => rowMarking ?? classificationMarking,
    }),
    markingFloor: t.field({
      type: MarkingFloorType,
      nullable: true,
      description: 'The marking that it was raised to; null where nobody has raised it.',
      resolve: (item) => (isRaised(item) ? item : null),
    }),
    data: t.expose('data', { type: 'JSONObject', description: 'The whole row, unknown columns included.' }),
    metadata: t.field({
      type: 'JSONObject',
      description:
        'What the catalog gets as its metadata: `sourceMetadata` with `queryMetadata` laid over it.',
      resolve: async (item, _args, { prisma }) => ({
        ...(await readSourceMetadata(prisma, item)),
        ...(item.queryMetadata as JsonObject | null),
      }),
    }),
    sourceMetadata: t.field({
      type: 'JSONObject',
      description:
        'Where it comes from: the name of its data source, and the table that a sync read it from.',
      resolve: (item, _args, { prisma }) => readSourceMetadata(prisma, item),
    }),
    queryMetadata: t.expose('queryMetadata', {
      type: 'JSONObject',
      nullable: true,
      description:
        'What query jobs have added; null where none has brought it in. A sync leaves it as it is. A later query job adds to what earlier ones added: of a key that both have, such as `query_job_id`, the later value counts.',
    }),
    catalogId: t.string({
      nullable: true,
      description:
        'Its name in the catalog, `BLADE-<dataType>-<itemId>`; null until the catalog accepted it.',
      resolve: async ({ dataType, itemId, wasUploaded, uploadBatchId }, _args, context) =>
        wasUploaded || (await findUploadTime(context, uploadBatchId)) !== null
          ? catalogIdOf(dataType, itemId)
          : null,
    }),
    uploadedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the catalog accepted its present content; null while it has not.',
      resolve: ({ uploadBatchId }, _args, context) => findUploadTime(context, uploadBatchId),
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

/** The source may have been renamed since the item was read. */
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
  // Of the table itself: the view would look whether the principal sees an item of each.
  const owed = await prisma.$queryRaw<{ id: string }[]>`
    select id::text from public.upload_batch where partition_id is not null`;
  return owed.map(({ id }) => id);
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
  const problem = data == null ? null : checkMetadata(data);
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
