import { type Command, InvalidArgumentError, Option } from 'commander';
import { invalidInput } from '../command-error.ts';
import { type CommandContext, toAction } from '../context.ts';
import { ExitCode } from '../exit-code.ts';
import { takeSuccess } from '../failure.ts';
import { findSource, listSources as loadSources } from '../find-source.ts';
import {
  ApproveDeletesDocument,
  CreateDataSourceDocument,
  type DataSourceFactsFragment,
  DeleteDataSourceDocument,
  RejectDeletesDocument,
  type ScheduleInput,
  TestDataSourceDocument,
  UpdateDataSourceDocument,
} from '../generated/graphql.ts';
import { parseWholeNumber } from '../option-values.ts';
import type { Output } from '../output.ts';
import { formatCount, formatCounted, formatTime, NO_VALUE, toPrintable } from '../text.ts';
import { addAcceptSchemaCommand, READ_MODES, SCHEMA_CHOICES } from './source-schema.ts';

/** Adds the commands that manage data sources. */
export function addSourceCommands(program: Command): void {
  const sources = program.command('sources').description('Manage the tables that syncs read.');

  sources
    .command('list')
    .description('List sources by name.')
    .option('--type <type>', 'only sources of this data type')
    .addOption(new Option('--enabled', 'only sources that syncs read').conflicts('disabled'))
    .option('--disabled', 'only sources that syncs skip')
    .action(toAction(listSources));

  sources
    .command('add')
    .description('Add a source, and print its id.')
    .requiredOption('--name <name>', 'a unique name')
    .requiredOption('--type <type>', 'data type of its rows')
    .requiredOption('--table <name>', 'catalog.schema.table', parseTable)
    .option('--cursor <column>', 'cursor column: its values grow with each new row')
    .option('--cron <fields>', 'schedule: minute, hour, day, month, day of the week')
    .option('--time-zone <zone>', 'time zone of the schedule (default: UTC)')
    .addOption(
      new Option(
        '--deletes <policy>',
        'what a FULL sync does with items whose rows are gone (default: keep)',
      ).choices(Object.keys(POLICIES)),
    )
    .option(
      '--max-delete-percent <number>',
      'share of its items that a sync may delete (default: 20)',
      parseWholeNumber,
    )
    .addOption(
      new Option('--read-mode <mode>', 'how INCREMENTAL syncs find changes (default: auto)').choices(
        Object.keys(READ_MODES),
      ),
    )
    .addOption(
      new Option(
        '--on-schema-change <choice>',
        'what a sync does once the schema has changed (default: continue)',
      ).choices(Object.keys(SCHEMA_CHOICES)),
    )
    .option('--disabled', 'let syncs skip it for now')
    .action(toAction(addSource));

  sources
    .command('edit')
    .description('Change a source, and print its id. Options that are left out change nothing.')
    .argument('<source>', 'id or name')
    .option('--name <name>', 'a unique name')
    .option('--type <type>', 'data type of its rows')
    .option('--table <name>', 'catalog.schema.table', parseTable)
    .option('--cursor <column>', 'cursor column: its values grow with each new row')
    .option('--no-cursor', 'read the whole table every time')
    .option('--cron <fields>', 'schedule: minute, hour, day, month, day of the week')
    .option('--no-cron', 'remove the schedule')
    .option('--time-zone <zone>', 'time zone of the schedule')
    .addOption(
      new Option('--deletes <policy>', 'what a FULL sync does with items whose rows are gone').choices(
        Object.keys(POLICIES),
      ),
    )
    .option('--max-delete-percent <number>', 'share of its items that a sync may delete', parseWholeNumber)
    .addOption(
      new Option('--read-mode <mode>', 'how INCREMENTAL syncs find changes').choices(Object.keys(READ_MODES)),
    )
    .addOption(
      new Option('--on-schema-change <choice>', 'what a sync does once the schema has changed').choices(
        Object.keys(SCHEMA_CHOICES),
      ),
    )
    .addOption(new Option('--enabled', 'let syncs read it').conflicts('disabled'))
    .option('--disabled', 'let syncs skip it')
    .action(toAction(editSource));

  sources
    .command('delete')
    .description('Delete a source. Its items and the history of its jobs stay.')
    .argument('<source>', 'id or name')
    .action(toAction(deleteSource));

  sources
    .command('approve-deletes')
    .description('Delete the items that wait for an admin, because a sync may not delete so many.')
    .argument('<source>', 'id or name')
    .requiredOption(
      '--expect <count>',
      'how many: nothing is deleted if it is another number',
      parseWholeNumber,
    )
    .action(toAction(approveDeletes));

  sources
    .command('reject-deletes')
    .description('Keep the items that wait to be deleted, until a FULL sync proposes them again.')
    .argument('<source>', 'id or name')
    .action(toAction(rejectDeletes));

  sources
    .command('test')
    .description('Check that a source can be read and fits its data type. Changes nothing.')
    .argument('<source>', 'id or name')
    .action(toAction(testSource));

  addAcceptSchemaCommand(sources);
}

interface ListOptions {
  readonly type?: string;
  readonly enabled?: true;
  readonly disabled?: true;
}

async function listSources({ api, output }: CommandContext, options: ListOptions): Promise<undefined> {
  const enabled = options.enabled ?? (options.disabled ? false : null);
  const dataSources = await loadSources(api, {
    ...(options.type === undefined ? {} : { dataTypes: [options.type] }),
    enabled,
  });
  output.writeResult(dataSources, () => {
    output.writeTable([
      [
        ...[
          'ID',
          'NAME',
          'TYPE',
          'TABLE',
          'ENABLED',
          'CURSOR',
          'CRON',
          'DELETES',
          'ITEMS',
          ...['INSERTED', 'UPDATED', 'UNCHANGED', 'FAILED'],
          'DELETED',
          'DRIFT',
        ],
        ...['LAST SYNC', 'ENDED'],
      ],
      ...dataSources.map((source) => [
        source.id,
        source.name,
        source.dataType,
        source.fullTableName,
        source.enabled ? 'yes' : 'no',
        source.cursorColumn ?? NO_VALUE,
        source.schedule === null ? NO_VALUE : `${source.schedule.cron} ${source.schedule.timeZone}`,
        source.deletePolicy.toLowerCase(),
        formatCount(source.itemCount),
        ...[source.insertedCount, source.updatedCount].map(formatCount),
        ...[source.unchangedCount, source.failedCount].map(formatCount),
        formatCount(source.deletedCount),
        source.drift === null ? NO_VALUE : formatCount(source.drift),
        formatTime(source.lastSyncAt),
        source.lastSyncState ?? NO_VALUE,
      ]),
    ]);
    for (const { name, pendingRemovals, removalMessage } of dataSources)
      if (removalMessage !== null)
        output.say(
          `${toPrintable(name)}: ${formatCounted(pendingRemovals, 'deleted item')} still in the catalog. ${toPrintable(removalMessage)}`,
        );
  });
}

interface Table {
  readonly catalogName: string;
  readonly schemaName: string;
  readonly tableName: string;
}

function parseTable(text: string): Table {
  const [catalogName, schemaName, tableName, ...rest] = text.split('.');
  if (!catalogName || !schemaName || !tableName || rest.length > 0) {
    throw new InvalidArgumentError('It must be catalog.schema.table.');
  }
  return { catalogName, schemaName, tableName };
}

interface ScheduleOptions {
  /** False to remove the schedule. */
  readonly cron?: string | false;
  readonly timeZone?: string;
}

interface DeleteOptions {
  readonly deletes?: keyof typeof POLICIES;
  readonly maxDeletePercent?: number;
}

const POLICIES = { keep: 'KEEP', mark: 'MARK', remove: 'REMOVE' } as const;

/** @returns nothing for options that are left out. */
function toDeletePolicy({ deletes, maxDeletePercent }: DeleteOptions) {
  return {
    ...(deletes === undefined ? {} : { deletePolicy: POLICIES[deletes] }),
    ...(maxDeletePercent === undefined ? {} : { maxDeletePercent }),
  };
}

interface ReadOptions {
  readonly readMode?: keyof typeof READ_MODES;
  readonly onSchemaChange?: keyof typeof SCHEMA_CHOICES;
}

/** @returns nothing for options that are left out. */
function toReadChoices({ readMode, onSchemaChange }: ReadOptions) {
  return {
    ...(readMode === undefined ? {} : { readMode: READ_MODES[readMode] }),
    ...(onSchemaChange === undefined ? {} : { onSchemaChange: SCHEMA_CHOICES[onSchemaChange] }),
  };
}

interface AddOptions extends ScheduleOptions, DeleteOptions, ReadOptions {
  readonly name: string;
  readonly type: string;
  readonly table: Table;
  readonly cursor?: string;
  readonly disabled?: true;
}

async function addSource({ api, output }: CommandContext, options: AddOptions): Promise<undefined> {
  const { createDataSource } = await api.send(CreateDataSourceDocument, {
    input: {
      name: options.name,
      dataType: options.type,
      ...options.table,
      cursorColumn: options.cursor || null,
      ...toDeletePolicy(options),
      ...toReadChoices(options),
      enabled: options.disabled !== true,
      schedule: toSchedule(options, null) ?? null,
    },
  });
  writeSaved(output, 'Added', takeSuccess(createDataSource).dataSource);
}

interface EditOptions extends ScheduleOptions, DeleteOptions, ReadOptions {
  readonly name?: string;
  readonly type?: string;
  readonly table?: Table;
  /** False to read the whole table every time. */
  readonly cursor?: string | false;
  readonly enabled?: true;
  readonly disabled?: true;
}

async function editSource(
  { api, output }: CommandContext,
  options: EditOptions,
  idOrName: string,
): Promise<undefined> {
  const { id, revision, schedule: before } = await findSource(api, idOrName);
  const { name, type, table, cursor, enabled, disabled } = options;
  const schedule = toSchedule(options, before);
  const { updateDataSource } = await api.send(UpdateDataSourceDocument, {
    input: {
      id,
      expectedRevision: revision,
      ...(name === undefined ? {} : { name }),
      ...(type === undefined ? {} : { dataType: type }),
      ...table,
      ...(cursor === undefined ? {} : { cursorColumn: cursor === false ? null : cursor }),
      ...toDeletePolicy(options),
      ...toReadChoices(options),
      ...(enabled === true || disabled === true ? { enabled: enabled === true } : {}),
      ...(schedule === undefined ? {} : { schedule }),
    },
  });
  writeSaved(output, 'Changed', takeSuccess(updateDataSource).dataSource);
}

/**
 * @param before the current schedule of the source.
 * @returns undefined to leave it as it is.
 */
function toSchedule(
  { cron, timeZone }: ScheduleOptions,
  before: DataSourceFactsFragment['schedule'],
): ScheduleInput | null | undefined {
  if (cron === false) return null;
  if (cron === undefined && timeZone === undefined) return undefined;
  const fields = cron ?? before?.cron;
  if (fields === undefined) throw invalidInput('--time-zone: needs --cron');
  return { cron: fields, timeZone: timeZone ?? before?.timeZone ?? null };
}

function writeSaved(output: Output, done: 'Added' | 'Changed', source: DataSourceFactsFragment): void {
  output.writeResult(source, () => {
    output.say(`${done} the source ${source.name}.`);
    output.write(source.id);
  });
}

async function deleteSource(
  { api, output }: CommandContext,
  _options: object,
  idOrName: string,
): Promise<undefined> {
  const { id } = await findSource(api, idOrName);
  const { deleteDataSource } = await api.send(DeleteDataSourceDocument, { input: { id } });
  const { deletedId, name } = takeSuccess(deleteDataSource);
  output.writeResult({ deletedId, name }, () => output.say(`Deleted the source ${name} (${deletedId}).`));
}

async function approveDeletes(
  { api, output }: CommandContext,
  { expect: expectedCount }: { readonly expect: number },
  idOrName: string,
): Promise<undefined> {
  const source = await findSource(api, idOrName);
  const input = { ...findWaiting(source), expectedCount };
  const { approveDeletes: result } = await api.send(ApproveDeletesDocument, { input });
  const { deletedCount, dataSource } = takeSuccess(result);
  output.writeResult({ deletedCount, dataSource }, () =>
    output.say(`Deleted ${formatCounted(deletedCount, 'item')} of ${dataSource.name}.`),
  );
}

async function rejectDeletes(
  { api, output }: CommandContext,
  _options: object,
  idOrName: string,
): Promise<undefined> {
  const source = await findSource(api, idOrName);
  const { rejectDeletes: result } = await api.send(RejectDeletesDocument, { input: findWaiting(source) });
  const { dataSource } = takeSuccess(result);
  output.writeResult(dataSource, () => output.say(`The items of ${dataSource.name} stay.`));
}

/** Finds the deletes of a source that wait. @throws CommandError if none do. */
function findWaiting({ id, name, waitingDeletes }: DataSourceFactsFragment) {
  if (waitingDeletes === null) throw invalidInput(`no deletes of ${name} wait for an admin`);
  return { jobId: waitingDeletes.jobId, dataSourceId: id };
}

async function testSource(
  { api, output }: CommandContext,
  _options: object,
  idOrName: string,
): Promise<ExitCode> {
  const { id } = await findSource(api, idOrName);
  const { testDataSource } = await api.send(TestDataSourceDocument, { input: { id } });
  const { __typename, ...test } = takeSuccess(testDataSource);
  output.writeResult(test, () =>
    output.writeFacts([
      ['Source', `${test.dataSource.name} (${test.dataSource.fullTableName})`],
      ['Readable', test.isReadable ? 'yes' : `no: ${test.problem}`],
      ...(test.isReadable
        ? ([
            ['Rows', formatCount(test.rowCount)],
            ['Columns', test.columns.map(({ name, type }) => `${name} ${type}`).join(', ')],
            ['Missing columns', test.missingColumns.join(', ') || 'none'],
            ['Extra columns', test.surplusColumns.join(', ') || 'none'],
          ] as const)
        : []),
      ...test.warnings.map((warning) => ['Warning', warning] as const),
    ]),
  );
  return test.isReadable ? ExitCode.DONE : ExitCode.FAILED;
}
