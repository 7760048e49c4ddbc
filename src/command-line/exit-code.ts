/** What the command ends with, for scripts. */
export const ExitCode = {
  DONE: 0,
  FAILED: 1,
  INVALID_INPUT: 2,
  CANCELLED: 3,
  NOT_FOUND: 4,
  CONFLICT: 5,
  NOT_ALLOWED: 6,
  UNREACHABLE: 7,
  UNEXPECTED: 8,
  INTERRUPTED: 130,
  OUTPUT_CLOSED: 141,
  TERMINATED: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What each exit code says, for people. */
export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  [ExitCode.DONE]: 'done; of a watched job: COMPLETED, though single items may have failed',
  [ExitCode.FAILED]: 'the watched job FAILED, or the tested source cannot be read',
  [ExitCode.INVALID_INPUT]: 'an option or argument cannot be used; nothing was started or changed',
  [ExitCode.CANCELLED]: 'the watched job was CANCELLED',
  [ExitCode.NOT_FOUND]: 'there is no such job, source or item, or no source to read',
  [ExitCode.CONFLICT]: 'not as things are now: a sync is active already, the job has ended, …',
  [ExitCode.NOT_ALLOWED]: 'no token that the server knows, or its role does not allow it',
  [ExitCode.UNREACHABLE]: 'the server cannot be reached, or is too busy',
  [ExitCode.UNEXPECTED]: 'something failed unexpectedly',
  [ExitCode.INTERRUPTED]: 'interrupted (Ctrl-C); a job that was watched goes on',
  [ExitCode.OUTPUT_CLOSED]: 'whoever read the output has left',
  [ExitCode.TERMINATED]: 'terminated (SIGTERM); a job that was watched goes on',
};

/** The command cannot do what it was told to: its message is for people, its exit code for scripts. */
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

  /** The same where trying again may help after all. */
  toTransient(): CommandError {
    return new CommandError(this.exitCode, this.message, { isTransient: true });
  }
}

export function invalidInput(message: string): CommandError {
  return new CommandError(ExitCode.INVALID_INPUT, message);
}
