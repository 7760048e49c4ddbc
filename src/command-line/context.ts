import type { Command } from 'commander';
import { type Api, createApi } from './api.ts';
import { type ConnectionOptions, connectionOf } from './connection.ts';
import type { ExitCode } from './exit-code.ts';
import { createOutput, type Output } from './output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly api: Api;
  readonly output: Output;
}

/** The options of every command. */
interface GlobalOptions extends ConnectionOptions {
  readonly json?: true;
}

/**
 * What commander calls: gives the command its context, options and arguments, and takes its exit code.
 * @param run resolves to nothing where it is done.
 */
export function action<Options, Arguments extends string[] = []>(
  run: (context: CommandContext, options: Options, ...args: Arguments) => Promise<ExitCode | undefined>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const globals = command.optsWithGlobals<GlobalOptions>();
    const context = {
      api: createApi(connectionOf(globals, process.env)),
      output: createOutput(globals.json ? 'json' : 'text'),
    };
    process.exitCode = (await run(context, command.opts() as Options, ...(command.args as Arguments))) ?? 0;
  };
}
