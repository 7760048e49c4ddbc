import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Api } from '../api.ts';
import { action, type CommandContext } from '../context.ts';
import { CommandError, ExitCode, invalidInput } from '../exit-code.ts';
import { successOf } from '../failure.ts';
import {
  DataSourceDocument,
  type DataSourceFactsFragment,
  DataSourcesDocument,
  DeleteDataSourceDocument,
  SaveDataSourceDocument,
  type SaveDataSourceInput,
  TestDataSourceDocument,
} from '../generated/graphql.ts';
import { formatCount, formatTime, NO_VALUE } from '../text.ts';

/** The commands about data sources. */
export function addSourceCommands(program: Command): void {
  const sources = program.command('sources').description('Keeps the tables that syncs read.');

  sources
    .command('list')
    .description('Lists sources by name.')
    .option('--type <type>', 'only sources of this data type')
    .addOption(new Option('--enabled', 'only sources that syncs read').conflicts('disabled'))
    .option('--disabled', 'only sources that they do not')
    .action(action(listSources));

  const add = sources
    .command('add')
    .description('Adds a source.')
    .requiredOption('--name <name>', 'what people call it; unique')
    .requiredOption('--type <type>', 'what its rows are')
    .requiredOption('--table <name>', 'its table: catalog.schema.table', tableName)
    .option('--cursor <column>', 'the column that tells new rows from old ones')
    .option('--cron <fields>', 'sync it by itself: minute, hour, day, month, day of the week')
    .option('--time-zone <zone>', 'what the fields are meant in; UTC when left out')
    .option('--disabled', 'do not let syncs read it yet');
  add.action(
    action<SourceOptions>(async (context, options) => {
      const { name = '', type = '', table, disabled } = options;
      if (table === undefined) throw invalidInput('--table: is missing');
      await save(context, 'Added', {
        name,
        dataType: type,
        ...table,
        cursorColumn: options.cursor || null,
        enabled: disabled !== true,
        schedule: scheduleOf(options, null),
      });
      return undefined;
    }),
  );

  const edit = sources
    .command('edit')
    .description('Changes a source; what is left out stays as it is.')
    .argument('<source>', 'its id or name')
    .option('--name <name>', 'what people call it; unique')
    .option('--type <type>', 'what its rows are')
    .option('--table <name>', 'its table: catalog.schema.table', tableName)
    .option('--cursor <column>', 'the column that tells new rows from old ones')
    .option('--no-cursor', 'read the whole table each time')
    .option('--cron <fields>', 'sync it by itself: minute, hour, day, month, day of the week')
    .option('--no-cron', 'sync it by hand only')
    .option('--time-zone <zone>', 'what the fields are meant in')
    .addOption(new Option('--enabled', 'let syncs read it').conflicts('disabled'))
    .option('--disabled', 'do not let syncs read it');
  edit.action(
    action<EditOptions, [string]>(async (context, options, wanted) => {
      const source = await findSource(context.api, wanted);
      const { cursor } = options;
      await save(context, 'Changed', {
        id: source.id,
        name: options.name ?? source.name,
        dataType: options.type ?? source.dataType,
        ...(options.table ?? tableOf(source)),
        cursorColumn: cursor === false ? null : (cursor ?? source.cursorColumn),
        enabled: options.enabled === true || (options.disabled !== true && source.enabled),
        schedule: scheduleOf(options, source.schedule),
      });
      return undefined;
    }),
  );

  sources
    .command('delete')
    .description('Deletes a source. Its items stay, and so does the history of its jobs.')
    .argument('<source>', 'its id or name')
    .action(
      action<object, [string]>(async ({ api, output }, _options, wanted) => {
        const { id } = await findSource(api, wanted);
        const { deletedId, name } = successOf(
          (await api.send(DeleteDataSourceDocument, { id })).deleteDataSource,
        );
        if (output.format === 'json') output.writeJson({ deletedId, name });
        else output.say(`Deleted the source ${name} (${deletedId}).`);
        return undefined;
      }),
    );

  sources
    .command('test')
    .description('Looks whether a source can be read and fits its data type; changes nothing.')
    .argument('<source>', 'its id or name')
    .action(action(testSource));
}

interface Table {
  readonly catalogName: string;
  readonly schemaName: string;
  readonly tableName: string;
}

interface SourceOptions {
  readonly name?: string;
  readonly type?: string;
  readonly table?: Table;
  readonly cursor?: string;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly disabled?: true;
}

interface EditOptions extends Omit<SourceOptions, 'cursor' | 'cron'> {
  readonly cursor?: string | false;
  readonly cron?: string | false;
  readonly enabled?: true;
}

function tableName(text: string): Table {
  const [catalogName, schemaName, tableName, ...rest] = text.split('.');
  if (!catalogName || !schemaName || !tableName || rest.length > 0) {
    throw new InvalidArgumentError('It must be catalog.schema.table.');
  }
  return { catalogName, schemaName, tableName };
}

function tableOf({ catalogName, schemaName, tableName }: DataSourceFactsFragment): Table {
  return { catalogName, schemaName, tableName };
}

/** @param before the schedule that the source has. */
function scheduleOf(
  { cron, timeZone }: Pick<EditOptions, 'cron' | 'timeZone'>,
  before: DataSourceFactsFragment['schedule'],
): SaveDataSourceInput['schedule'] {
  if (cron === false) return null;
  const fields = cron ?? before?.cron;
  if (fields !== undefined) return { cron: fields, timeZone: timeZone ?? before?.timeZone ?? null };
  if (timeZone !== undefined) throw invalidInput('--time-zone: goes with --cron');
  return null;
}

async function save(
  { api, output }: CommandContext,
  done: string,
  input: SaveDataSourceInput,
): Promise<void> {
  const { dataSource } = successOf((await api.send(SaveDataSourceDocument, { input })).saveDataSource);
  if (output.format === 'json') {
    output.writeJson(dataSource);
    return;
  }
  output.say(`${done} the source ${dataSource.name}.`);
  output.write(dataSource.id);
}

interface ListOptions {
  readonly type?: string;
  readonly enabled?: true;
  readonly disabled?: true;
}

async function listSources({ api, output }: CommandContext, options: ListOptions): Promise<undefined> {
  const enabled = options.enabled ?? (options.disabled ? false : null);
  const { dataSources } = await api.send(DataSourcesDocument, { dataType: options.type ?? null, enabled });
  if (output.format === 'json') {
    output.writeJson(dataSources);
    return;
  }
  output.writeTable([
    ['ID', 'NAME', 'TYPE', 'TABLE', 'ENABLED', 'CURSOR', 'CRON', 'ITEMS', 'LAST SYNC', 'ENDED'],
    ...dataSources.map((source) => [
      source.id,
      source.name,
      source.dataType,
      source.fullTableName,
      source.enabled ? 'yes' : 'no',
      source.cursorColumn ?? NO_VALUE,
      source.schedule === null ? NO_VALUE : `${source.schedule.cron} ${source.schedule.timeZone}`,
      formatCount(source.itemCount),
      formatTime(source.lastSyncAt),
      source.lastSyncState ?? NO_VALUE,
    ]),
  ]);
}

const ID = /^(DataSource:)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The source of this id or name. @throws CommandError where there is none. */
async function findSource(api: Api, wanted: string): Promise<DataSourceFactsFragment> {
  const source = ID.test(wanted)
    ? (await api.send(DataSourceDocument, { id: wanted })).dataSource
    : (await api.send(DataSourcesDocument, {})).dataSources.find(({ name }) => name === wanted);
  if (source) return source;
  throw new CommandError(ExitCode.NOT_FOUND, `there is no data source ${wanted}`);
}

async function testSource(
  { api, output }: CommandContext,
  _options: object,
  wanted: string,
): Promise<ExitCode> {
  const { id } = await findSource(api, wanted);
  const found = successOf((await api.send(TestDataSourceDocument, { id })).testDataSource);
  const { __typename, ...facts } = found;
  if (output.format === 'json') output.writeJson(facts);
  else {
    output.writeFacts([
      ['Source', `${found.dataSource.name} (${found.dataSource.fullTableName})`],
      ['Readable', found.isReadable ? 'yes' : `no: ${found.problem}`],
      ...(found.isReadable
        ? ([
            ['Rows', formatCount(found.rowCount)],
            ['Columns', found.columns.map(({ name, type }) => `${name} ${type}`).join(', ')],
            ['Missing', found.missingColumns.join(', ') || 'none'],
            ['Surplus', found.surplusColumns.join(', ') || 'none'],
          ] as const)
        : []),
      ...found.warnings.map((warning) => ['Warning', warning] as const),
    ]);
  }
  return found.isReadable ? ExitCode.DONE : ExitCode.FAILED;
}
