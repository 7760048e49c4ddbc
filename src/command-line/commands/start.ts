import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { action } from '../context.ts';
import { invalidInput } from '../exit-code.ts';
import { successOf } from '../failure.ts';
import { StartQueryJobDocument, StartSyncDocument } from '../generated/graphql.ts';
import {
  addRunOptions,
  addWatchOptions,
  jobOptionsOf,
  namedValues,
  type RunOptions,
  type WatchOptions,
  wholeNumber,
} from '../option-values.ts';
import { tellStarted } from './control.ts';

/** The commands that start jobs. */
export function addStartCommands(program: Command): void {
  const sync = program
    .command('sync')
    .description('Starts a sync of all enabled sources, and writes the id of its job.')
    .option('--type <type>', 'only sources of this data type')
    .option('--incremental', 'read only what is new; everything when left out')
    .option('--filter <condition>', "only rows such as base_location = 'EDWARDS'")
    .option('--max-items <n>', 'most rows to read of each source', wholeNumber);
  addWatchOptions(addRunOptions(sync)).action(
    action<SyncOptions>(async (context, options) => {
      const { startSync } = await context.api.send(StartSyncDocument, {
        input: {
          syncType: options.incremental ? 'INCREMENTAL' : 'FULL',
          dataType: options.type ?? null,
          filter: options.filter ?? null,
          maxItems: options.maxItems ?? null,
          options: jobOptionsOf(options),
        },
      });
      return tellStarted(context, options, successOf(startSync));
    }),
  );

  const query = program
    .command('query')
    .description('Starts a job that ingests the rows of one SELECT, and writes its id.')
    .requiredOption('--type <type>', 'what the rows are: maintenance, sortie, deployment or logistics')
    .addOption(
      new Option('--sql <select>', 'the SELECT, with full table names and :name parameters').conflicts(
        'file',
      ),
    )
    .option('--file <path>', 'file that holds the SELECT; - for standard input')
    .option('--param <name=value>', 'value of a parameter; once for each', namedValues)
    .option('--classification <marking>', 'the least marking of the items')
    .option('--metadata <name=value>', 'laid over the metadata of every item; once for each', namedValues);
  addWatchOptions(addRunOptions(query)).action(
    action<QueryOptions>(async (context, options) => {
      const { startQueryJob } = await context.api.send(StartQueryJobDocument, {
        input: {
          dataType: options.type,
          sqlQuery: sqlOf(options),
          parameters: options.param ?? null,
          catalogConfig: {
            classification: options.classification ?? null,
            metadata: options.metadata ?? null,
          },
          options: jobOptionsOf(options),
        },
      });
      return tellStarted(context, options, successOf(startQueryJob));
    }),
  );
}

interface SyncOptions extends RunOptions, WatchOptions {
  readonly type?: string;
  readonly incremental?: true;
  readonly filter?: string;
  readonly maxItems?: number;
}

interface QueryOptions extends RunOptions, WatchOptions {
  readonly type: string;
  readonly sql?: string;
  readonly file?: string;
  readonly param?: Readonly<Record<string, unknown>>;
  readonly classification?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const STANDARD_INPUT = 0;

function sqlOf({ sql, file }: QueryOptions): string {
  if (sql !== undefined) return sql;
  if (file === undefined) throw invalidInput('--sql: the query is missing; --sql or --file gives it');
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : file, 'utf8');
  } catch {
    throw invalidInput(`--file: ${file} cannot be read`);
  }
}
