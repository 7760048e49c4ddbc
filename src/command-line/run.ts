// Runs what the command line says.
import { CommanderError } from 'commander';
import { CommandError, describeError } from './command-error.ts';
import { ExitCode } from './exit-code.ts';
import { createProgram } from './program.ts';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.OUTPUT_CLOSED);
});

await createProgram()
  .parseAsync()
  .catch((error: unknown) => {
    if (error instanceof CommanderError) {
      // Commander has already written it. Help that was asked for is no error.
      process.exitCode = error.exitCode === 0 ? ExitCode.DONE : ExitCode.INVALID_INPUT;
      return;
    }
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = error instanceof CommandError ? error.exitCode : ExitCode.UNEXPECTED;
  });
