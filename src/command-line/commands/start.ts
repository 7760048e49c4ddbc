import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { invalidInput } from '../command-error.ts';
import { type CommandContext, toAction } from '../context.ts';
import type { ExitCode } from '../exit-code.ts';
import { takeSuccess } from '../failure.ts';
import { findSourceIds } from '../find-source.ts';
import { type Marking, StartQueryJobDocument, StartSyncDocument } from '../generated/graphql.ts';
import { parseMarking } from '../marking.ts';
import {
  addRunOptions,
  addWatchOptions,
  collectNamedValue,
  collectText,
  parseWholeNumber,
  type RunOptions,
  toRunInput,
  type WatchOptions,
} from '../option-values.ts';
import { reportStart } from './control.ts';

/** Adds the commands that start jobs. */
export function addStartCommands(program: Command): void {
  const sync = program
    .command('sync')
    .description('Start a sync of all enabled sources, and print its job id.')
    .addOption(new Option('--type <type>', 'only sources of this data type').conflicts('source'))
    .option('--source <id or name>', 'only this source; repeatable', collectText)
    .option('--incremental', 'read only new rows (default: all rows)')
    .option('--filter <condition>', "only rows that match, such as base_location = 'EDWARDS'")
    .option('--max-items <n>', 'most rows to read per source', parseWholeNumber);
  addWatchOptions(addRunOptions(sync)).action(toAction(startSync));

  const query = program
    .command('query')
    .description('Start a job that ingests the rows of one SELECT, and print its id.')
    .requiredOption('--type <type>', 'data type of the rows')
    .addOption(
      new Option('--sql <select>', 'the SELECT, with full table names and :name parameters').conflicts(
        'file',
      ),
    )
    .option('--file <path>', 'file that holds the SELECT; - for standard input')
    .option('--param <name=value>', 'value of a parameter; repeatable', collectNamedValue)
    .option('--classification <marking>', 'lowest marking of the items', parseMarking)
    .option('--metadata <name=value>', 'metadata to add to every item; repeatable', collectNamedValue)
    .option('--reason <text>', 'why the items have this marking');
  addWatchOptions(addRunOptions(query)).action(toAction(startQueryJob));
}

interface SyncOptions extends RunOptions, WatchOptions {
  readonly type?: string;
  readonly source?: readonly string[];
  readonly incremental?: true;
  readonly filter?: string;
  readonly maxItems?: number;
}

async function startSync(context: CommandContext, options: SyncOptions): Promise<ExitCode | undefined> {
  const { startSync } = await context.api.send(StartSyncDocument, {
    input: {
      syncType: options.incremental ? 'INCREMENTAL' : 'FULL',
      dataType: options.type ?? null,
      dataSourceIds: options.source ? await findSourceIds(context.api, options.source) : null,
      filter: options.filter ?? null,
      maxItems: options.maxItems ?? null,
      ...toRunInput(options),
    },
  });
  return reportStart(context, options, takeSuccess(startSync));
}

interface QueryOptions extends RunOptions, WatchOptions {
  readonly type: string;
  readonly sql?: string;
  readonly file?: string;
  readonly param?: Readonly<Record<string, unknown>>;
  readonly classification?: Marking;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

async function startQueryJob(context: CommandContext, options: QueryOptions): Promise<ExitCode | undefined> {
  const { startQueryJob } = await context.api.send(StartQueryJobDocument, {
    input: {
      dataType: options.type,
      sqlQuery: readQuery(options),
      parameters: options.param ?? null,
      catalogConfig: {
        classification: options.classification ?? null,
        metadata: options.metadata ?? null,
        reason: options.reason ?? null,
      },
      ...toRunInput(options),
    },
  });
  return reportStart(context, options, takeSuccess(startQueryJob));
}

const STANDARD_INPUT = 0;

function readQuery({ sql, file }: QueryOptions): string {
  if (sql !== undefined) return sql;
  if (file === undefined) throw invalidInput('--sql: the query is missing; set --sql or --file');
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8');
  } catch {
    throw invalidInput(`--file: cannot read ${file}`);
  }
}
