import {
  type DataSource,
  DeletePolicy,
  Prisma,
  ScheduledRunState,
} from '../../database/generated/prisma/client.ts';
import type { RowFilter } from '../../database/paging/paged-table.ts';
import { containsText } from '../../database/paging/text-search.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { listNextDueTimes } from '../../sources/schedule.ts';
import { setWatermarkInputSchema } from '../../sources/set-watermark.ts';
import {
  DataSourceChangedError,
  DataSourceInUseError,
  DataSourceNotFoundError,
  WatermarkChangedError,
} from '../../sources/source-errors.ts';
import { createNewSourceSchema, createSourceChangesSchema } from '../../sources/source-input.ts';
import type { DataSourceTest } from '../../sources/test-source.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { describeErrorType } from './error.ts';
import { encodeGlobalId, parseUuid } from './global-id.ts';
import { createIdInput } from './id-input.ts';
import { checkText, removeDuplicates } from './input-checks.ts';
import { PartitionStateEnum } from './job-enums.ts';
import { DELETED_COUNT } from './job-progress.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { parseInput } from './parse-input.ts';
import { createColumnReader, declareColumns, passRow } from './read-columns.ts';
import { READ_MODE, ReadModeEnum } from './read-mode.ts';
import { requires } from './requires.ts';
import { OnSchemaChangeEnum, TableColumnType } from './table-schema.ts';

const readColumns = createColumnReader<DataSource>();

const ScheduleType = builder.objectRef<DataSource>('Schedule').implement({
  description:
    'When a data source is synced automatically. Sources that come due together start one INCREMENTAL sync in the whole cluster; while another sync is active they wait for its end.',
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
      description:
        'The next times at which it comes due, as they will start; empty while the source is disabled. The first is in the past while no worker runs.',
      args: {
        count: t.arg.int({ required: false, defaultValue: 1, description: 'How many, from 1 to 100.' }),
      },
      extensions: declareColumns<DataSource>('enabled', 'scheduleCron', 'scheduleTimeZone', 'nextDueAt'),
      resolve: (source, { count }) => listNextDueTimes(source, Math.min(Math.max(count ?? 1, 1), 100)),
    }),
  }),
});

const ScheduledRunStateEnum = builder.enumType('ScheduledRunState', {
  description: 'What became of a time at which a schedule came due.',
  values: {
    [ScheduledRunState.WAITING]: {
      description: 'It waits for the end of the active sync. What comes due meanwhile joins it.',
    },
    [ScheduledRunState.STARTED]: { description: 'A sync was started for it: see `job`.' },
    [ScheduledRunState.SKIPPED]: {
      description: 'No sync was started, because none was wanted any more: see `skippedBecause`.',
    },
    [ScheduledRunState.MISSED]: {
      description:
        'It came due while no worker looked. Of what was missed, the last due time is started as soon as one does.',
    },
  } as const,
});

builder.prismaNode('ScheduledRun', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id.' },
  description:
    'What became of a time at which the schedule of a source came due, or of several in a row that one sync stands for or that have the same reason.',
  fields: (t) => ({
    state: t.expose('state', { type: ScheduledRunStateEnum, description: 'What became of it.' }),
    dueAt: t.expose('dueAt', {
      type: 'DateTime',
      description: 'The due time; of several, the last.',
    }),
    firstDueAt: t.expose('firstDueAt', {
      type: 'DateTime',
      description: 'The first of several due times; otherwise the same as `dueAt`.',
    }),
    dueTimes: t.exposeInt('dueTimes', {
      description: 'How many due times it accounts for. More than 1,000 that were missed count as 1,000.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was recorded.' }),
    job: t.relation('job', {
      nullable: true,
      description: 'The sync it started; null if there is none, or once the job is pruned from history.',
    }),
    skippedBecause: t.exposeString('skippedBecause', {
      nullable: true,
      description: 'Why no sync was started, if it is SKIPPED or MISSED; otherwise null.',
    }),
  }),
});

const DELETE_POLICY = 'What a complete FULL sync does with items whose rows are gone from the table.';

const MAX_DELETE_PERCENT =
  'The greatest share of its items that a sync may delete, from 0 to 100. More deletes wait for an admin: see `waitingDeletes`.';

const DeletePolicyEnum = builder.enumType('DeletePolicy', {
  description:
    'What a complete FULL sync of a source does with items whose rows are gone from the table. Other syncs delete nothing.',
  values: {
    [DeletePolicy.KEEP]: { description: 'They stay as they are.' },
    [DeletePolicy.MARK]: {
      description:
        'They get a `deletedAt`, which hides them from lists unless asked for. The catalog keeps them. A row that comes back makes its item again.',
    },
    [DeletePolicy.REMOVE]: {
      description:
        'They are removed from the catalog, and then here: see `pendingRemovals`. Until then they have a `deletedAt`. A row that comes back is a new item.',
    },
  } as const,
});

/** A source as the API shows it. */
export const DataSourceNode = builder.prismaNode('DataSource', {
  nullable: true,
  id: { field: 'id', description: 'Globally unique id, for `dataSource(id:)`.' },
  description: 'A table of the warehouse that syncs read.',
  fields: (t) => ({
    revision: t.exposeInt('revision', {
      description: 'Increases with every change of its settings, for `updateDataSource`.',
    }),
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
        'The greatest synced value of the cursor column; INCREMENTAL syncs read rows from it on. Null before the first sync, and without clearance for TOP SECRET, because it comes from a row that can have any marking.',
    }),
    tableVersion: t.expose('tableVersion', {
      type: 'SafeInt',
      nullable: true,
      description:
        'The version of the table that its last completed sync read, such as that of a Delta table; null for a table without versions.',
    }),
    tableTimestamp: t.expose('tableTimestamp', {
      type: 'DateTime',
      nullable: true,
      description: 'When that version was committed; null if there is none.',
    }),
    drift: t.expose('drift', {
      type: 'SafeInt',
      nullable: true,
      description:
        'How far the copy was from the table after its last completed sync: how many rows were not in the copy or, below zero, how many items had no row any more. A net number: an item without a row hides a row that is missing. Rows that share an id count once. Null if that is not known (the sync had a filter or a limit, something else changed its items meanwhile, or the rows could not be counted without reading them), and without clearance for TOP SECRET.',
    }),
    driftMessage: t.exposeString('driftMessage', {
      nullable: true,
      description: 'The drift in words, with what to do; null if there is none, or it is not known.',
    }),
    lookback: t.exposeFloat('lookback', {
      description:
        'How far behind the watermark INCREMENTAL syncs read: seconds for a cursor column of times, otherwise a difference of numbers.',
    }),
    deletePolicy: t.expose('deletePolicy', {
      type: DeletePolicyEnum,
      description: DELETE_POLICY,
    }),
    maxDeletePercent: t.exposeInt('maxDeletePercent', { description: MAX_DELETE_PERCENT }),
    deletedCount: t.expose('deletedCount', {
      ...DELETED_COUNT,
      description: 'Items that its last completed sync deleted and that your clearance covers.',
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
      description:
        'Why its last sync FAILED, or what it found about the source, such as times that are too far ahead, or another table under its name; null for nothing.',
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
      description:
        'What became of the latest times at which its schedule came due, the latest record first. At most 1,000 are kept.',
      extensions: declareColumns<DataSource>(),
      args: {
        first: t.arg.int({ required: false, defaultValue: 10, description: 'How many; at most 100.' }),
      },
      resolve: (query, { id }, { first }, { prisma }) =>
        prisma.scheduledRun.findMany({
          ...query,
          where: { dataSourceId: id },
          orderBy: { id: 'desc' },
          take: Math.min(Math.max(first ?? 10, 0), 100),
        }),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When it last changed, by an edit or a sync.',
    }),
  }),
});

const DataSourceFilter = builder.inputType('DataSourceFilter', {
  description: 'Conditions on data sources, combined with AND. An empty list of values matches none.',
  fields: (t) => ({
    dataTypes: t.stringList({ description: 'Sources of any of these data types.' }),
    enabled: t.boolean({ description: 'Enabled (true) or disabled (false) sources.' }),
    isScheduled: t.boolean({ description: 'Sources with a schedule (true) or without one (false).' }),
    search: t.string({
      description:
        'Sources whose name or three-part table name contains this text. The case of the letters A to Z does not matter.',
    }),
  }),
});

const DataSourceOrder = createOrderInput('DataSourceOrder', 'data sources', {
  NAME: 'Its name.',
  CREATED_AT: 'When it was created.',
});

const BY_NAME = { field: 'NAME', direction: 'ASC' } as const;

const SOURCE_TABLE = {
  name: 'data_source',
  indexes: [[]],
  fewValued: [],
  types: { id: 'uuid', createdAt: 'timestamptz' },
} as const;

const SOURCES: PagedList<DataSource, 'NAME' | 'CREATED_AT'> = {
  name: 'dataSources',
  identity: ['id'],
  orders: {
    NAME: { ...SOURCE_TABLE, key: ['name', 'id'] },
    CREATED_AT: { ...SOURCE_TABLE, key: ['createdAt', 'id'] },
  },
};

function toRowFilter(
  { dataTypes: known }: Pick<ApiContext, 'dataTypes'>,
  filter: typeof DataSourceFilter.$inferInput | null | undefined,
): RowFilter<DataSource> {
  if (filter == null) return {};
  const { dataTypes, enabled, isScheduled, search } = filter;
  known.check(dataTypes, 'filter.dataTypes');
  if (search != null) checkText(search, 'filter.search');
  const { sql } = Prisma;
  return {
    equals: dataTypes == null ? {} : { dataType: removeDuplicates(dataTypes, 'filter.dataTypes') },
    others: [
      ...(enabled == null ? [] : [sql`enabled = ${enabled}`]),
      ...(isScheduled == null ? [] : [sql`(schedule_cron is not null) = ${isScheduled}`]),
      ...(search == null
        ? []
        : [
            containsText([sql`name`, sql`(catalog_name || '.' || schema_name || '.' || table_name)`], search),
          ]),
    ],
  };
}

builder.queryFields((t) => ({
  dataSources: t.connection(
    {
      authScopes: requires('viewer'),
      nullable: true,
      type: DataSourceNode,
      description: 'All data sources.',
      args: {
        filter: t.arg({
          type: DataSourceFilter,
          required: false,
          description: 'Which sources. Default: all.',
        }),
        orderBy: t.arg({
          type: DataSourceOrder,
          required: false,
          defaultValue: BY_NAME,
          description: 'Order of the sources.',
        }),
      },
      resolve: (_root, { filter, orderBy, ...page }, context, info) =>
        connectPage(SOURCES, context, info, {
          order: orderBy ?? BY_NAME,
          page,
          filter: toRowFilter(context, filter),
          read: (query) => context.prisma.dataSource.findMany(query),
        }),
    },
    { name: 'DataSourceConnection', description: 'A page of data sources.' },
    { name: 'DataSourceEdge', description: 'A data source and its cursor.' },
  ),
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
        'Five fields: minute, hour, day of the month, month, day of the week. `30 2 * * *` is 02:30 every night, also when the clocks change: once, and at the end of the gap if they skip it. One that never comes due is refused.',
    }),
    timeZone: t.string({
      description: 'Time zone of the fields, such as `Europe/Berlin`. Default: UTC.',
    }),
  }),
});

const SOURCE_ID = 'Id of the source, globally unique or a bare UUID.';

const CURSOR_COLUMN =
  'The column that tells new rows from old ones: a number, date, timestamp or string that increases.';

const LOOKBACK =
  'How far behind the watermark INCREMENTAL syncs read, for rows that arrive late: seconds for a cursor column of times, otherwise a difference of numbers.';

const DATA_TYPE = 'Data type of its rows, such as `sortie`; the query `dataTypes` lists all.';

const ON_SCHEMA_CHANGE = 'What a sync does if the schema of its table has changed.';

const CreateDataSourceInput = builder.inputType('CreateDataSourceInput', {
  description: 'A new data source.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Unique display name.' }),
    dataType: t.string({ required: true, description: DATA_TYPE }),
    catalogName: t.string({ required: true, description: 'Catalog of its table.' }),
    schemaName: t.string({ required: true, description: 'Schema of its table.' }),
    tableName: t.string({ required: true, description: 'Name of its table within the schema.' }),
    enabled: t.boolean({ description: 'Whether syncs read it. Default: true.' }),
    cursorColumn: t.string({ description: `${CURSOR_COLUMN} Default: none.` }),
    lookback: t.float({ description: `${LOOKBACK} Default: 0.` }),
    deletePolicy: t.field({ type: DeletePolicyEnum, description: `${DELETE_POLICY} Default: KEEP.` }),
    maxDeletePercent: t.int({ description: `${MAX_DELETE_PERCENT} Default: 20.` }),
    readMode: t.field({ type: ReadModeEnum, description: `${READ_MODE} Default: AUTO.` }),
    onSchemaChange: t.field({
      type: OnSchemaChangeEnum,
      description: `${ON_SCHEMA_CHANGE} Default: CONTINUE.`,
    }),
    schedule: t.field({
      type: ScheduleInput,
      description: 'When to sync it automatically. Default: only manually.',
    }),
  }),
});

const UpdateDataSourceInput = builder.inputType('UpdateDataSourceInput', {
  description: 'Changes of a data source. What is left out stays as it is.',
  fields: (t) => ({
    id: t.id({ required: true, description: SOURCE_ID }),
    expectedRevision: t.int({
      description:
        'The revision that you have read: if the source has another one by now, nothing changes. Default: any.',
    }),
    name: t.string({ description: 'Unique display name.' }),
    dataType: t.string({ description: `${DATA_TYPE} Another one resets the watermark.` }),
    catalogName: t.string({ description: 'Catalog of its table. Another table resets the watermark.' }),
    schemaName: t.string({ description: 'Schema of its table.' }),
    tableName: t.string({ description: 'Name of its table within the schema.' }),
    enabled: t.boolean({ description: 'Whether syncs read it.' }),
    cursorColumn: t.string({
      description: `${CURSOR_COLUMN} Null for none. Another one resets the watermark.`,
    }),
    lookback: t.float({ description: `${LOOKBACK} Null for 0.` }),
    deletePolicy: t.field({
      type: DeletePolicyEnum,
      description: `${DELETE_POLICY} Another one has the next sync read all rows, and is refused while an active job reads the source.`,
    }),
    maxDeletePercent: t.int({ description: MAX_DELETE_PERCENT }),
    readMode: t.field({ type: ReadModeEnum, description: READ_MODE }),
    onSchemaChange: t.field({ type: OnSchemaChangeEnum, description: ON_SCHEMA_CHANGE }),
    schedule: t.field({
      type: ScheduleInput,
      description: 'When to sync it automatically. Null for only manually.',
    }),
  }),
});

const DeleteDataSourceInput = createIdInput('DeleteDataSourceInput', 'The source to delete.', SOURCE_ID);

const TestDataSourceInput = createIdInput('TestDataSourceInput', 'The source to test.', SOURCE_ID);

type Fields<Parent> = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Parent>;

interface SavedSource {
  readonly dataSource: DataSource;
}

function exposeSavedSource(t: Fields<SavedSource>) {
  return {
    dataSource: t.field({
      type: DataSourceNode,
      description: 'The saved source.',
      resolve: ({ dataSource }) => dataSource,
    }),
  };
}

const CreateDataSourceSuccess = builder.objectRef<SavedSource>('CreateDataSourceSuccess').implement({
  description: 'The source was created.',
  fields: exposeSavedSource,
});

const UpdateDataSourceSuccess = builder.objectRef<SavedSource>('UpdateDataSourceSuccess').implement({
  description: 'The source was changed.',
  fields: exposeSavedSource,
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

const SetWatermarkInput = builder.inputType('SetWatermarkInput', {
  description: 'The watermark to set.',
  fields: (t) => ({
    id: t.id({ required: true, description: SOURCE_ID }),
    value: t.string({
      description:
        'From where the next INCREMENTAL sync reads, as text of the type of the cursor column. Null to read everything again. A source that reads a change feed goes on with that, unless this is null.',
    }),
    expected: t.string({
      description: 'The present watermark, so that no change of somebody else is lost; null for none.',
    }),
  }),
});

const SetWatermarkSuccess = builder.objectRef<{ dataSource: DataSource }>('SetWatermarkSuccess').implement({
  description: 'The watermark was set.',
  fields: (t) => ({
    dataSource: t.field({
      type: DataSourceNode,
      description: 'The source.',
      resolve: ({ dataSource }) => dataSource,
    }),
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
  ...describeErrorType(DataSourceNotFoundError, 'No data source has this id.'),
  fields: (t) => ({ dataSourceId: exposeDataSourceId(t) }),
});

builder.objectType(DataSourceChangedError, {
  ...describeErrorType(
    DataSourceChangedError,
    'The data source does not have the expected revision: somebody changed it in the meantime.',
  ),
  fields: (t) => ({
    dataSourceId: exposeDataSourceId(t),
    currentRevision: t.exposeInt('currentRevision', { description: 'Its current revision.' }),
    current: t.prismaField({
      type: 'DataSource',
      nullable: true,
      description: 'The source as it is now; null if it was deleted since.',
      resolve: (query, { dataSourceId }, _args, { prisma }) =>
        prisma.dataSource.findUnique({ ...query, where: { id: dataSourceId } }),
    }),
  }),
});

builder.objectType(DataSourceInUseError, {
  ...describeErrorType(DataSourceInUseError, 'An active job is reading the data source.'),
  fields: (t) => ({ dataSourceId: exposeDataSourceId(t) }),
});

builder.objectType(WatermarkChangedError, {
  ...describeErrorType(
    WatermarkChangedError,
    'The watermark of the source is not the expected one, or the caller is not cleared to see it.',
  ),
  fields: (t) => ({ dataSourceId: exposeDataSourceId(t) }),
});

builder.mutationFields((t) => ({
  createDataSource: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: CreateDataSourceSuccess,
    description: 'Creates a data source.',
    args: {
      input: t.arg({ required: true, type: CreateDataSourceInput, description: 'The new source.' }),
    },
    errors: {
      types: [InvalidInputError],
      union: { name: 'CreateDataSourceResult', description: 'The result of creating a source.' },
    },
    resolve: async (_root, { input }, { jobs, dataTypes }) => ({
      dataSource: await jobs.createDataSource(await parseInput(createNewSourceSchema(dataTypes), input)),
    }),
  }),
  updateDataSource: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: UpdateDataSourceSuccess,
    description:
      'Changes settings of a data source; what is left out stays. What it reads cannot be changed while an active job reads it.',
    args: {
      input: t.arg({ required: true, type: UpdateDataSourceInput, description: 'What to change.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceChangedError, DataSourceInUseError],
      union: { name: 'UpdateDataSourceResult', description: 'The result of changing a source.' },
    },
    resolve: async (_root, { input }, { jobs, dataTypes }) => {
      const sourceId = parseUuid('DataSource', input.id, 'input.id');
      const changes = await parseInput(createSourceChangesSchema(dataTypes), input);
      return { dataSource: await jobs.updateDataSource(sourceId, changes) };
    },
  }),
  deleteDataSource: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: DeleteDataSourceSuccess,
    description: 'Deletes a data source. Its items and the history of its jobs are kept.',
    args: {
      input: t.arg({ required: true, type: DeleteDataSourceInput, description: 'The source to delete.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError],
      union: { name: 'DeleteDataSourceResult', description: 'The result of deleting a source.' },
    },
    resolve: async (_root, { input: { id } }, { jobs }) => ({
      dataSource: await jobs.deleteDataSource(parseUuid('DataSource', id, 'input.id')),
    }),
  }),
  setWatermark: t.field({
    authScopes: requires('admin'),
    nullable: true,
    type: SetWatermarkSuccess,
    description:
      'Sets the watermark of a data source, from which its next INCREMENTAL sync reads. Refused while an active job reads the source.',
    args: {
      input: t.arg({ required: true, type: SetWatermarkInput, description: 'The watermark to set.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError, DataSourceInUseError, WatermarkChangedError],
      union: { name: 'SetWatermarkResult', description: 'The result of setting a watermark.' },
    },
    resolve: async (_root, args, { jobs }) => {
      const { id, ...change } = await parseInput(setWatermarkInputSchema, args.input);
      return { dataSource: await jobs.setWatermark(parseUuid('DataSource', id, 'input.id'), change) };
    },
  }),
  testDataSource: t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: TestDataSourceSuccess,
    description: 'Tests whether a data source can be read and its table fits its data type. Changes nothing.',
    args: {
      input: t.arg({ required: true, type: TestDataSourceInput, description: 'The source to test.' }),
    },
    errors: {
      types: [InvalidInputError, DataSourceNotFoundError],
      union: {
        name: 'TestDataSourceResult',
        description: 'The result of testing a source, or why it could not be tested.',
      },
    },
    resolve: (_root, { input: { id } }, { jobs }) =>
      jobs.testDataSource(parseUuid('DataSource', id, 'input.id')),
  }),
}));

function exposeDataSourceId<Parent extends { dataSourceId: string }>(t: Fields<Parent>) {
  return t.id({
    description: 'Id of the data source.',
    resolve: (error) => encodeGlobalId('DataSource', error.dataSourceId),
  });
}
