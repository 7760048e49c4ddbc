import { ExitCode } from './exit-code.ts';

/** The command cannot do what was asked: its message is for people, its exit code for scripts. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** Whether trying again may help: the server is away, or lost its database. */
  readonly isTransient: boolean;

  constructor(exitCode: ExitCode, message: string, { isTransient = false } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.isTransient = isTransient;
  }
}

export function invalidInput(message: string): CommandError {
  return new CommandError(ExitCode.INVALID_INPUT, message);
}

export function notFound(message: string): CommandError {
  return new CommandError(ExitCode.NOT_FOUND, message);
}

/** Describes an error to people: one that nobody expected with its stack. */
export function describeError(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
