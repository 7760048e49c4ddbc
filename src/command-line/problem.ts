import { CommandError, ExitCode } from './exit-code.ts';

/** What people are told of an error. */
export function problemOf(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What scripts are told of it. */
export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof CommandError ? error.exitCode : ExitCode.UNEXPECTED;
}
