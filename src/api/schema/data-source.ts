import type { DataSource } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { DataSourceInUseError, DataSourceNotFoundError } from '../../sources/source-errors.ts';
import { createSaveDataSourceInputSchema } from '../../sources/source-input.ts';
import type { DataSourceTest } from '../../sources/test-source.ts';
import { builder } from './builder.ts';
import { ErrorInterface } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { PartitionStateEnum } from './job-enums.ts';
import { parseInput } from './parse-input.ts';
import { createColumnReader, declareColumns, passRow } from './read-columns.ts';
import { requires } from './requires.ts';

const readColumns = createColumnReader<DataSource>();

const ScheduleType = builder.objectRef<DataSource>('Schedule').implement({
  description:
    'When a data source is synced automatically. Each run starts one INCREMENTAL sync in the whole cluster.',
  fields: (t) => ({
    cron: t.string({
      description: 'Five fields: minute, hour, day of the month, month, day of the week.',
      ...readColumns(['scheduleCron'], ({ scheduleCron }) => scheduleCron ?? ''),
    }),
    timeZone: t.exposeString('scheduleTimeZone', {
      description: 'Time zone of the fields.',
    }),
    nextRuns: t.field({
      type: ['DateTime'],
      description: 'The next runs; empty while the source is disabled.',
      args: {
        count: t.arg.int({ required: true, defaultValue: 1, description: 'How many, from 1 to 100.' }),
      },
      resolve: (source, { count }, { jobs }) => jobs.nextRuns(source, Math.min(Math.max(count, 1), 100)),
    }),
  }),
});

builder.prismaNode('ScheduledRun', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description: 'A scheduled run of a source, and its outcome.',
  fields: (t) => ({
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the run was due.' }),
    job: t.relation('job', {
      nullable: true,
      description: 'The sync it started; null if it was skipped, or once the job is pruned from history.',
    }),
    skippedBecause: t.exposeString('skippedBecause', {
      nullable: true,
      description: 'Why no sync was started, such as another active sync; null if one was.',
    }),
  }),
});

/** A source as the API shows it. */
export const DataSourceNode = builder.prismaNode('DataSource', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id, for `dataSource(id:)`.' },
  description: 'A table of the warehouse that syncs read.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique display name.' }),
    dataType: t.exposeString('dataType', { description: 'Data type of its rows.' }),
    catalogName: t.exposeString('catalogName', { description: 'Catalog of its table.' }),
    schemaName: t.exposeString('schemaName', { description: 'Schema of its table.' }),
    tableName: t.exposeString('tableName', { description: 'Name of its table within the schema.' }),
    fullTableName: t.string({
      description: 'Three-part name of its table, as SQL of a query job writes it.',
      ...readColumns(
        ['catalogName', 'schemaName', 'tableName'],
        ({ catalogName, schemaName, tableName }) => `${catalogName}.${schemaName}.${tableName}`,
      ),
    }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether syncs read it.' }),
    cursorColumn: t.exposeString('cursorColumn', {
      nullable: true,
      description:
        'The column that tells new rows from old ones. Null if there is none; every sync then reads the whole table.',
    }),
    watermark: t.exposeString('watermark', {
      nullable: true,
      description:
        'The greatest synced value of the cursor column; INCREMENTAL syncs read rows past it. Null before the first sync, and without clearance for TOP SECRET, because it comes from a row that can have any marking.',
    }),
    itemCount: t.expose('itemCount', {
      type: 'SafeInt',
      description:
        'Number of items that its last completed sync stored or confirmed and that your clearance covers.',
    }),
    lastSyncAt: t.expose('lastSyncAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When its last sync ended; null if there was none.',
    }),
    lastSyncState: t.expose('lastSyncState', {
      type: PartitionStateEnum,
      nullable: true,
      description: 'How its last sync ended; null if there was none.',
    }),
    lastSyncMessage: t.exposeString('lastSyncMessage', {
      nullable: true,
      description: 'Why its last sync FAILED; null if it did not.',
    }),
    schedule: t.field({
      type: ScheduleType,
      nullable: true,
      description: 'When it is synced automatically; null if only manually.',
      ...passRow<DataSource>('scheduleCron'),
      resolve: (source) => (source.scheduleCron === null ? null : source),
    }),
    // Not a relation: for several sources, Prisma would read every run and pick the first in memory.
    scheduledRuns: t.prismaField({
      type: ['ScheduledRun'],
      description: 'Its latest scheduled runs, newest first.',
      extensions: declareColumns<DataSource>(),
      args: { first: t.arg.int({ required: true, defaultValue: 10, description: 'How many; at most 100.' }) },
      resolve: (query, { id }, { first }, { prisma }) =>
        prisma.scheduledRun.findMany({
          ...query,
          where: { dataSourceId: id },
          orderBy: { id: 'desc' },
          take: Math.min(Math.max(first, 0), 100),
        }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When it last changed, by an edit or a sync.',
    }),
  }),
});

builder.queryFields((t) => ({
  dataSources: t.prismaField({
    authScopes: requires('viewer'),
    type: ['DataSource'],
    description: 'All data sources, ordered by name.',
    args: {
      dataType: t.arg.string({ required: false, description: 'Only sources of this data type.' }),
      enabled: t.arg.boolean({
        required: false,
        description: 'Only enabled (true) or disabled (false) sources.',
      }),
    },
    resolve: (query, _root, { dataType, enabled }, { prisma, dataTypes }) => {
      dataTypes.check(dataType, 'dataType');
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
    description: 'One data source by its id; null if there is none.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the source, globally unique or a bare UUID.',
      }),
    },
    resolve: (query, _root, { id }, { prisma }) =>
      prisma.dataSource.findUnique({ ...query, where: { id: parseUuid('DataSource', id, 'id') } }),
  }),
}));

const ScheduleInput = builder.inputType('ScheduleInput', {
  description: 'When a data source is synced automatically.',
  fields: (t) => ({
    cron: t.string({
      required: true,
      description:
        'Five fields: minute, hour, day of the month, month, day of the week. `30 2 * * *` is 02:30 every night.',
    }),
    timeZone: t.string({
      description: 'Time zone of the fields, such as `Europe/Berlin`. Default: UTC.',
    }),
  }),
});

const SaveDataSourceInput = builder.inputType('SaveDataSourceInput', {
  description: 'A new data source, or all settings of an existing one.',
  fields: (t) => ({
    id: t.id({ description: 'The source to change. Default: create a new one.' }),
    name: t.string({ required: true, description: 'Unique display name.' }),
    dataType: t.string({
      required: true,
      description: 'Data type of its rows, such as `sortie`; the query `dataTypes` lists all.',
    }),
    catalogName: t.string({ required: true, description: 'Catalog of its table.' }),
    schemaName: t.string({ required: true, description: 'Schema of its table.' }),
    tableName: t.string({ required: true, description: 'Name of its table within the schema.' }),
    enabled: t.boolean({ description: 'Whether syncs read it. Default: true.' }),
    cursorColumn: t.string({
      description:
        'The column that tells new rows from old ones: a number, date, timestamp or string that increases. Changing the table or this column resets the watermark.',
    }),
    schedule: t.field({
      type: ScheduleInput,
      description: 'When to sync it automatically. Default: only manually.',
    }),
  }),
});

const SaveDataSourceSuccess = builder
  .objectRef<{ dataSource: DataSource }>('SaveDataSourceSuccess')
  .implement({
    description: 'The source was saved.',
    fields: (t) => ({
      dataSource: t.field({
        type: DataSourceNode,
        description: 'The saved source.',
        resolve: ({ dataSource }) => dataSource,
      }),
    }),
  });

const DeleteDataSourceSuccess = builder
  .objectRef<{ dataSource: DataSource }>('DeleteDataSourceSuccess')
  .implement({
    description: 'The source was deleted. Its items and the history of its jobs are kept.',
    fields: (t) => ({
      deletedId: t.globalID({
        description: 'Id of the deleted source.',
        resolve: ({ dataSource }) => ({ type: 'DataSource', id: dataSource.id }),
      }),
      name: t.string({
        description: 'Name of the deleted source.',
        resolve: ({ dataSource }) => dataSource.name,
      }),
    }),
  });

const TableColumnType = builder.objectRef<{ name: string; type: string }>('TableColumn').implement({
  description: 'A column of a table in the warehouse.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Column name.' }),
    type: t.exposeString('type', { description: 'Databricks name of its type.' }),
  }),
});

const TestDataSourceSuccess = builder.objectRef<DataSourceTest>('TestDataSourceSuccess').implement({
  description: 'Result of testing a source.',
  fields: (t) => ({
    isReadable: t.exposeBoolean('isReadable', { description: 'Whether its table can be read.' }),
    problem: t.string({
      nullable: true,
      description: 'Why it cannot be read; null if it can.',
      resolve: (test) => (test.isReadable ? null : test.message),
    }),
    columns: t.field({
      type: [TableColumnType],
      description: 'The columns of the table; empty if it cannot be read.',
      resolve: (test) => (test.isReadable ? [...test.columns] : []),
    }),
    missingColumns: t.stringList({
      description:
        'Known columns of the data type that the table lacks. This is no error as long as a column that identifies items is left.',
      resolve: (test) => (test.isReadable ? [...test.missingColumns] : []),
    }),
    surplusColumns: t.stringList({
      description: "Columns unknown to the data type. They are kept in the items' data.",
      resolve: (test) => (test.isReadable ? [...test.surplusColumns] : []),
    }),
    rowCount: t.field({
      type: 'SafeInt',
      nullable: true,
      description:
        'Number of rows in the table. Null if it cannot be read, and without clearance for TOP SECRET.',
      resolve: (test) => (test.isReadable ? test.rowCount : null),
    }),
    warnings: t.stringList({
      description: 'Problems that a sync of it would have.',
      resolve: (test) => (test.isReadable ? [...test.warnings] : []),
    }),
    dataSource: t.field({
      type: DataSourceNode,
      description: 'The tested source.',
      resolve: ({ source }) => source,
    }),
  }),
});

builder.objectType(DataSourceNotFoundError, {
  name: 'DataSourceNotFoundError',
  description: 'No data source has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeDataSourceId(t) }),
});

builder.objectType(DataSourceInUseError, {
  name: 'DataSourceInUseError',
  description: 'An active job is reading the data source.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: exposeDataSourceId(t) }),
});

builder.mutationFields((t) => ({
  saveDataSource: t.field({
    authScopes: requires('admin'),
    type: SaveDataSourceSuccess,
    description:
      'Creates a data source, or changes the one with the given id. What it reads cannot be changed while an active job reads it.',
    args: {
      input: t.arg({ required: true, type: SaveDataSourceInput, description: 'The source to save.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'SaveDataSourceResult', description: 'The result of saving a source.' },
    },
    resolve: async (_root, args, { jobs, dataTypes }) => {
      const { id, ...input } = parseInput(createSaveDataSourceInputSchema(dataTypes), args.input);
      const sourceId = id == null ? null : parseUuid('DataSource', id, 'input.id');
      return { dataSource: await jobs.saveDataSource(sourceId, input) };
    },
  }),
  deleteDataSource: t.field({
    authScopes: requires('admin'),
    type: DeleteDataSourceSuccess,
    description: 'Deletes a data source. Its items and the history of its jobs are kept.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the source, globally unique or a bare UUID.',
      }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'DeleteDataSourceResult', description: 'The result of deleting a source.' },
    },
    resolve: async (_root, { id }, { jobs }) => ({
      dataSource: await jobs.deleteDataSource(parseUuid('DataSource', id, 'id')),
    }),
  }),
  testDataSource: t.field({
    authScopes: requires('operator'),
    type: TestDataSourceSuccess,
    description: 'Tests whether a data source can be read and its table fits its data type. Changes nothing.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the source, globally unique or a bare UUID.',
      }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError],
      union: {
        name: 'TestDataSourceResult',
        description: 'The result of testing a source, or why it could not be tested.',
      },
    },
    resolve: (_root, { id }, { jobs }) => jobs.testDataSource(parseUuid('DataSource', id, 'id')),
  }),
}));

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

function exposeDataSourceId<Parent extends { dataSourceId: string }>(t: Fields<Parent>) {
  return t.id({
    description: 'Id of the data source.',
    resolve: (error) => encodeGlobalId('DataSource', error.dataSourceId),
  });
}
