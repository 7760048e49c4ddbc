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
  ITEMS_FAILED: 9,
  SOURCES_FAILED: 10,
  INTERRUPTED: 130,
  OUTPUT_CLOSED: 141,
  TERMINATED: 143,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** What each exit code means, for people. */
export const EXIT_CODE_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [ExitCode.DONE]: 'success; the watched job is done, even if some of its items failed',
  [ExitCode.FAILED]:
    'nothing of the watched job succeeded, the tested source cannot be read, or a backup or restore failed',
  [ExitCode.INVALID_INPUT]: 'an option or argument is invalid; nothing was started or changed',
  [ExitCode.CANCELLED]: 'the watched job was CANCELLED',
  [ExitCode.NOT_FOUND]: 'no such job, source or item, or no source to read',
  [ExitCode.CONFLICT]: 'not possible now: a sync is already active, the job has ended, …',
  [ExitCode.NOT_ALLOWED]: 'the token is missing or unknown, or its role does not allow this',
  [ExitCode.UNREACHABLE]: 'the server is unreachable or too busy',
  [ExitCode.UNEXPECTED]: 'unexpected error',
  [ExitCode.ITEMS_FAILED]: 'some items of the watched job failed, with --fail-on-errors',
  [ExitCode.SOURCES_FAILED]: 'some sources of the watched job failed',
  [ExitCode.INTERRUPTED]: 'interrupted (Ctrl-C); a watched job keeps running',
  [ExitCode.OUTPUT_CLOSED]: 'the reader of the output closed it',
  [ExitCode.TERMINATED]: 'terminated (SIGTERM); a watched job keeps running',
};
