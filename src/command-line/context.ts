import type { Command } from 'commander';
import { type ApiLink, createApiLink } from './api-link.ts';
import type { ExitCode } from './exit-code.ts';
import { createOutput, type Output } from './output.ts';
import { parseServerAddress, type ServerOptions } from './server-address.ts';

/** What a command works with. */
export interface CommandContext {
  readonly api: ApiLink;
  readonly output: Output;
}

/** The options of every command. */
interface GlobalOptions extends ServerOptions {
  readonly json?: true;
}

/**
 * Turns a command into what commander calls, and sets the exit code of the process.
 * @param run receives the context, options and arguments; resolves to undefined for success.
 */
export function toAction<Options = object, Arguments extends string[] = []>(
  run: (context: CommandContext, options: Options, ...args: Arguments) => Promise<ExitCode | undefined>,
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command;
    const globals = command.optsWithGlobals<GlobalOptions>();
    const context = {
      api: createApiLink(parseServerAddress(globals, process.env)),
      output: createOutput(globals.json ? 'json' : 'text'),
    };
    process.exitCode = (await run(context, command.opts() as Options, ...(command.args as Arguments))) ?? 0;
  };
}
