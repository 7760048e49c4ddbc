import type { DataSource } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { DataSourceInUseError, DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { saveDataSourceInputSchema } from '../../sources/source-input.ts';
import type { DataSourceTest } from '../../sources/test-source.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { checkDataTypes } from './input-checks.ts';
import { PartitionStateEnum } from './job-enums.ts';
import { columns, givesRow, readsOf } from './read-columns.ts';
import { requires } from './requires.ts';

const reads = readsOf<DataSource>();

const ScheduleType = builder.objectRef<DataSource>('Schedule').implement({
  description:
    'When a data source is synced by itself: INCREMENTAL, once for each time that comes due in the cluster.',
  fields: (t) => ({
    cron: t.string({
      description: 'Minute, hour, day of the month, month, day of the week.',
      ...reads(['scheduleCron'], ({ scheduleCron }) => scheduleCron ?? ''),
    }),
    timeZone: t.exposeString('scheduleTimeZone', {
      description: 'The time zone that the fields are meant in.',
    }),
    nextRuns: t.field({
      type: ['DateTime'],
      description: 'The times at which it comes due next; none while the source is disabled.',
      args: {
        count: t.arg.int({ required: true, defaultValue: 1, description: 'How many, from 1 to 100.' }),
      },
      resolve: (source, { count }, { jobs }) => jobs.nextRuns(source, Math.min(Math.max(count, 1), 100)),
    }),
  }),
});

builder.prismaNode('ScheduledRun', {
  nullable: true,
  id: { field: 'id', description: 'Unique over all types.' },
  description: "A time at which a source's schedule came due, and what came of it.",
  fields: (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it came due.' }),
    job: t.relation('job', {
      nullable: true,
      description:
        'The sync that it started; null when it was skipped, and once the job is pruned from history.',
    }),
    skippedBecause: t.exposeString('skippedBecause', {
      nullable: true,
      description: 'Why no sync was started, such as that another was active; null when one was.',
    }),
  }),
});

/** Sources as the API shows them. */
export const DataSourceNode = builder.prismaNode('DataSource', {
  nullable: true,
  id: { field: 'id', description: 'Unique over all types; `dataSource(id:)` takes it.' },
  description: 'A table of the warehouse that syncs read.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What people call it; unique.' }),
    dataType: t.exposeString('dataType', { description: 'The data type of its rows.' }),
    catalogName: t.exposeString('catalogName', { description: 'The catalog of its table.' }),
    schemaName: t.exposeString('schemaName', { description: 'The schema of its table.' }),
    tableName: t.exposeString('tableName', { description: 'The name of its table in the schema.' }),
    fullTableName: t.string({
      description: 'The three-part name of its table, as a query job would write it.',
      ...reads(
        ['catalogName', 'schemaName', 'tableName'],
        ({ catalogName, schemaName, tableName }) => `${catalogName}.${schemaName}.${tableName}`,
      ),
    }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether syncs read it.' }),
    cursorColumn: t.exposeString('cursorColumn', {
      nullable: true,
      description:
        'The column that tells new rows from old ones; without one every sync reads the whole table.',
    }),
    watermark: t.exposeString('watermark', {
      nullable: true,
      description:
        'The greatest value of the cursor column that has been synced: an INCREMENTAL sync reads what is past it. Told to whoever is cleared for TOP SECRET, for it is of a row that can have any marking.',
    }),
    itemCount: t.exposeInt('itemCount', {
      description:
        'Items that its last completed sync brought in or confirmed, and that your clearance covers.',
    }),
    lastSyncAt: t.expose('lastSyncAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its last sync ended.',
    }),
    lastSyncState: t.expose('lastSyncState', {
      type: PartitionStateEnum,
      nullable: true,
      description: 'How its last sync ended; null when there was none.',
    }),
    lastSyncMessage: t.exposeString('lastSyncMessage', {
      nullable: true,
      description: 'Why its last sync FAILED; null otherwise.',
    }),
    schedule: t.field({
      type: ScheduleType,
      nullable: true,
      description: 'When it is synced by itself; null for by hand only.',
      ...givesRow<DataSource>('scheduleCron'),
      resolve: (source) => (source.scheduleCron === null ? null : source),
    }),
    // No relation: of several sources, Prisma reads every run there is and takes the first in memory.
    scheduledRuns: t.prismaField({
      type: ['ScheduledRun'],
      description: 'The last times its schedule came due, the newest first.',
      extensions: columns<DataSource>(),
      args: { first: t.arg.int({ required: true, defaultValue: 10, description: 'How many, at most 100.' }) },
      resolve: (query, { id }, { first }, { prisma }) =>
        prisma.scheduledRun.findMany({
          ...query,
          where: { dataSourceId: id },
          orderBy: { id: 'desc' },
          take: Math.min(Math.max(first, 0), 100),
        }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When it last changed, syncs included.',
    }),
  }),
});

builder.queryFields((t) => ({
  dataSources: t.prismaField({
    authScopes: requires('viewer'),
    type: ['DataSource'],
    description: 'All data sources by name.',
    args: {
      dataType: t.arg.string({ required: false, description: 'Only sources of this data type.' }),
      enabled: t.arg.boolean({
        required: false,
        description: 'Only sources that are enabled, or that are not.',
      }),
    },
    resolve: (query, _root, { dataType, enabled }, { prisma }) => {
      if (dataType != null) checkDataTypes([dataType], 'dataType');
      return prisma.dataSource.findMany({
        ...query,
        where: { ...(dataType == null ? {} : { dataType }), ...(enabled == null ? {} : { enabled }) },
        orderBy: { name: 'asc' },
      });
    },
  }),
  dataSource: t.prismaField({
    authScopes: requires('viewer'),
    type: 'DataSource',
    nullable: true,
    description: 'One data source, by its id; null when there is none.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the source, as any answer gives it, or its bare UUID.',
      }),
    },
    resolve: (query, _root, { id }, { prisma }) =>
      prisma.dataSource.findUnique({ ...query, where: { id: uuidOf('DataSource', id, 'id') } }),
  }),
}));

const ScheduleInput = builder.inputType('ScheduleInput', {
  description: 'When a data source is synced by itself.',
  fields: (t) => ({
    cron: t.string({
      required: true,
      description:
        'Minute, hour, day of the month, month, day of the week: `30 2 * * *` is half past two each night.',
    }),
    timeZone: t.string({
      description: 'The time zone that the fields are meant in, such as `Europe/Berlin`; UTC when left out.',
    }),
  }),
});

const SaveDataSourceInput = builder
  .inputType('SaveDataSourceInput', {
    description: 'A data source as it is to be.',
    fields: (t) => ({
      id: t.id({ description: 'The source to change; a new one is made when left out.' }),
      name: t.string({ required: true, description: 'What people call it; unique.' }),
      dataType: t.string({
        required: true,
        description: 'The data type of its rows: `maintenance`, `sortie`, `deployment` or `logistics`.',
      }),
      catalogName: t.string({ required: true, description: 'The catalog of its table.' }),
      schemaName: t.string({ required: true, description: 'The schema of its table.' }),
      tableName: t.string({ required: true, description: 'The name of its table in the schema.' }),
      enabled: t.boolean({ description: 'Whether syncs read it; true when left out.' }),
      cursorColumn: t.string({
        description:
          'The column that tells new rows from old ones: a number, date, timestamp or string that grows. Another table or column starts the watermark anew.',
      }),
      schedule: t.field({
        type: ScheduleInput,
        description: 'When it is synced by itself; by hand only when left out.',
      }),
    }),
  })
  .validate(saveDataSourceInputSchema);

const SaveDataSourceSuccess = builder
  .objectRef<{ dataSource: DataSource }>('SaveDataSourceSuccess')
  .implement({
    description: 'The source is saved.',
    fields: (t) => ({
      dataSource: t.field({
        type: DataSourceNode,
        description: 'The source as it is now.',
        resolve: ({ dataSource }) => dataSource,
      }),
    }),
  });

const DeleteDataSourceSuccess = builder
  .objectRef<{ dataSource: DataSource }>('DeleteDataSourceSuccess')
  .implement({
    description: 'The source is deleted; its items and the history of its jobs stay.',
    fields: (t) => ({
      deletedId: t.globalID({
        description: 'The id that the source had.',
        resolve: ({ dataSource }) => ({ type: 'DataSource', id: dataSource.id }),
      }),
      name: t.string({
        description: 'The name that the source had.',
        resolve: ({ dataSource }) => dataSource.name,
      }),
    }),
  });

const TableColumnType = builder.objectRef<{ name: string; type: string }>('TableColumn').implement({
  description: 'A column of a table in the warehouse.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Its name.' }),
    type: t.exposeString('type', { description: 'Its type, as Databricks calls it.' }),
  }),
});

const TestDataSourceSuccess = builder.objectRef<DataSourceTest>('TestDataSourceSuccess').implement({
  description: 'What a look at the source found.',
  fields: (t) => ({
    isReadable: t.exposeBoolean('isReadable', { description: 'Whether its table can be read.' }),
    problem: t.string({
      nullable: true,
      description: 'Why it cannot be read; null when it can.',
      resolve: (test) => (test.isReadable ? null : test.message),
    }),
    columns: t.field({
      type: [TableColumnType],
      description: 'The columns of the table.',
      resolve: (test) => (test.isReadable ? [...test.columns] : []),
    }),
    missingColumns: t.stringList({
      description:
        'Known columns of the data type that the table lacks; no error, unless none identifies an item.',
      resolve: (test) => (test.isReadable ? [...test.missingColumns] : []),
    }),
    surplusColumns: t.stringList({
      description: "Columns that the data type does not know; they are kept in the items' data.",
      resolve: (test) => (test.isReadable ? [...test.surplusColumns] : []),
    }),
    rowCount: t.int({
      nullable: true,
      description:
        'Rows of the table; null when it cannot be read, and for whoever is not cleared for TOP SECRET.',
      resolve: (test) => (test.isReadable ? test.rowCount : null),
    }),
    warnings: t.stringList({
      description: 'What would keep a sync from working well.',
      resolve: (test) => (test.isReadable ? [...test.warnings] : []),
    }),
    dataSource: t.field({
      type: DataSourceNode,
      description: 'The source.',
      resolve: ({ source }) => source,
    }),
  }),
});

builder.mutationFields((t) => ({
  saveDataSource: t.field({
    authScopes: requires('admin'),
    type: SaveDataSourceSuccess,
    description:
      'Makes a data source, or changes the one whose id is given. What it reads cannot be changed while an active job reads it.',
    args: {
      input: t.arg({ required: true, type: SaveDataSourceInput, description: 'The source as it is to be.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'SaveDataSourceResult', description: 'What came of saving a source.' },
    },
    resolve: async (_root, { input: { id, ...input } }, { jobs }) => ({
      dataSource: await jobs.saveDataSource(id == null ? null : uuidOf('DataSource', id, 'input.id'), input),
    }),
  }),
  deleteDataSource: t.field({
    authScopes: requires('admin'),
    type: DeleteDataSourceSuccess,
    description: 'Deletes a data source. Its items stay, and so does the history of its jobs.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the source, as any answer gives it, or its bare UUID.',
      }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'DeleteDataSourceResult', description: 'What came of deleting a source.' },
    },
    resolve: async (_root, { id }, { jobs }) => ({
      dataSource: await jobs.deleteDataSource(uuidOf('DataSource', id, 'id')),
    }),
  }),
  testDataSource: t.field({
    authScopes: requires('operator'),
    type: TestDataSourceSuccess,
    description:
      'Looks whether a data source can be read and whether its table fits its data type; changes nothing.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'The id of the source, as any answer gives it, or its bare UUID.',
      }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError],
      union: { name: 'TestDataSourceResult', description: 'What came of testing a source.' },
    },
    resolve: (_root, { id }, { jobs }) => jobs.testDataSource(uuidOf('DataSource', id, 'id')),
  }),
}));
