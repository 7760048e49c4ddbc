import { isMarking, markings, parseMarking } from '../data-types/marking.ts';
import type { Prisma } from '../database/generated/prisma/client.ts';
import { metadataProblem } from '../ingestion/transform.ts';
import { InvalidInputError } from '../jobs/job-errors.ts';
import type { JsonObject } from '../json.ts';
import { builder } from './builder.ts';
import { pageSchema } from './cursor.ts';
import { uuidOf } from './global-id.ts';
import { checkDataTypes, checkText, isItemKey } from './input-checks.ts';
import { requires } from './requires.ts';

builder.prismaNode('BladeItem', {
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
    catalogId: t.exposeString('catalogId', {
      nullable: true,
      description:
        'Its name in the catalog, `BLADE-<dataType>-<itemId>`; null until the catalog accepted it.',
    }),
    uploadedAt: t.expose('uploadedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the catalog accepted its present content; null while it has not.',
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

builder.queryFields((t) => ({
  items: t.prismaConnection(
    {
      authScopes: requires('viewer'),
      type: 'BladeItem',
      cursor: 'dataType_itemId',
      description: 'The stored items that your clearance covers, by data type and id, paged.',
      args: {
        filter: t.arg({ type: ItemFilter, required: false, description: 'Which items; all when left out.' }),
      },
      totalCount: (_root, { filter }, { prisma }) => prisma.bladeItem.count({ where: whereOf(filter) }),
      validate: pageSchema(isItemKey),
      resolve: (query, _root, { filter }, { prisma }) =>
        prisma.bladeItem.findMany({
          ...query,
          where: whereOf(filter),
          orderBy: [{ dataType: 'asc' }, { itemId: 'asc' }],
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

function whereOf(filter: typeof ItemFilter.$inferInput | null | undefined): Prisma.BladeItemWhereInput {
  if (filter == null) return {};
  checkDataTypes(filter.dataTypes, 'filter.dataTypes');
  const conditions: Prisma.BladeItemWhereInput[] = [];
  if (filter.dataTypes != null) conditions.push({ dataType: { in: filter.dataTypes } });
  if (filter.classificationMarkings != null) {
    conditions.push({ classificationMarking: { in: filter.classificationMarkings.map(knownMarking) } });
  }
  if (filter.dataSourceId != null) {
    conditions.push({ dataSourceId: uuidOf('DataSource', filter.dataSourceId, 'filter.dataSourceId') });
  }
  if (filter.jobId != null) conditions.push({ jobId: uuidOf('Job', filter.jobId, 'filter.jobId') });
  if (filter.isUploaded != null) conditions.push({ uploadedAt: filter.isUploaded ? { not: null } : null });
  if (filter.itemIdPrefix != null) {
    checkText(filter.itemIdPrefix, 'filter.itemIdPrefix');
    conditions.push({ itemId: { startsWith: literally(filter.itemIdPrefix) } });
  }
  checkData(filter.data);
  for (const [column, value] of Object.entries(filter.data ?? {})) {
    conditions.push({ data: { path: [column], equals: value as Prisma.InputJsonValue } });
  }
  return { AND: conditions };
}

/** The text for `startsWith`, which Prisma makes a LIKE of without escaping what means something there. */
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
