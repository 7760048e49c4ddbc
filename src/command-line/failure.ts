import { CommandError, ExitCode } from './exit-code.ts';
import { printable } from './text.ts';

/** An answer of the API as it comes. */
export interface GraphQLAnswer {
  readonly data?: unknown;
  readonly errors?: readonly AnswerError[];
}

interface AnswerError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface InputIssue {
  readonly field: string;
  readonly message: string;
}

/** What scripts are told of each failure that can be expected of a mutation. */
const exitCodeOfFailure = {
  InvalidInputError: ExitCode.INVALID_INPUT,
  JobNotFoundError: ExitCode.NOT_FOUND,
  DataSourceNotFoundError: ExitCode.NOT_FOUND,
  NoDataSourceError: ExitCode.NOT_FOUND,
  SyncAlreadyRunningError: ExitCode.CONFLICT,
  NoActiveSyncError: ExitCode.CONFLICT,
  JobAlreadyFinishedError: ExitCode.CONFLICT,
  JobNotFinishedError: ExitCode.CONFLICT,
  JobNotPausableError: ExitCode.CONFLICT,
  JobNotPausedError: ExitCode.CONFLICT,
  NothingToRetryError: ExitCode.CONFLICT,
  DataSourceInUseError: ExitCode.CONFLICT,
  ForbiddenError: ExitCode.NOT_ALLOWED,
} as const;

type Success = { readonly __typename: `${string}Success` };

/** A member of a mutation's union, with what is asked for of each failure. */
interface Member {
  readonly __typename: keyof typeof exitCodeOfFailure | Success['__typename'];
  readonly message?: string;
  readonly issues?: readonly InputIssue[];
  readonly activeJob?: { readonly id: string } | null;
}

/**
 * The success of a mutation.
 * @throws CommandError for each failure; input fields that are at fault are called by their options.
 */
export function successOf<Result extends Member>(result: Result): Extract<Result, Success> {
  if (isSuccess(result)) return result;
  const { __typename: name, message, issues, activeJob } = result;
  const codes: Readonly<Record<string, ExitCode>> = exitCodeOfFailure;
  const exitCode = codes[name] ?? ExitCode.UNEXPECTED;
  if (issues !== undefined) throw new CommandError(exitCode, linesOf(issues));
  const advice = activeJob ? `\nTo watch it: blade job ${activeJob.id} --watch` : '';
  throw new CommandError(exitCode, printable(message ?? name) + advice);
}

function isSuccess<Result extends Member>(result: Result): result is Extract<Result, Success> {
  return result.__typename.endsWith('Success');
}

/** What the errors of an answer say to people and scripts. */
export function failureOfErrors(errors: readonly AnswerError[]): CommandError {
  const [{ message, extensions = {} } = { message: 'the server gave no answer' }] = errors;
  const { code, issues } = extensions;
  const text = Array.isArray(issues) ? linesOf(issues as InputIssue[]) : printable(message);
  return new CommandError(exitCodeOfCode(code), text, { isTransient: TRANSIENT_CODES.has(code) });
}

/** The server is there, and will be able to answer again. */
const TRANSIENT_CODES = new Set<unknown>([
  'INTERNAL_SERVER_ERROR',
  'SERVICE_UNAVAILABLE',
  'RATE_LIMITED',
  'TOO_MANY_OPERATIONS',
]);

function exitCodeOfCode(code: unknown): ExitCode {
  switch (code) {
    case 'BAD_USER_INPUT':
    case 'REQUEST_TOO_LARGE':
      return ExitCode.INVALID_INPUT;
    case 'UNAUTHENTICATED':
    case 'FORBIDDEN':
      return ExitCode.NOT_ALLOWED;
    case 'JOB_NOT_FOUND':
      return ExitCode.NOT_FOUND;
    case 'SERVICE_UNAVAILABLE':
    case 'RATE_LIMITED':
    case 'TOO_MANY_OPERATIONS':
      return ExitCode.UNREACHABLE;
    default:
      return ExitCode.UNEXPECTED;
  }
}

/** How the input fields of the API are called by the options and arguments that set them. */
const flagOfField = new Map([
  ['id', 'ID'],
  ['input.id', 'SOURCE'],
  ['input.syncType', '--incremental'],
  ['input.dataType', '--type'],
  ['input.filter', '--filter'],
  ['input.maxItems', '--max-items'],
  ['input.options.batchSize', '--batch-size'],
  ['input.options.maxErrors', '--max-errors'],
  ['input.options.maxAttempts', '--max-attempts'],
  ['input.options.partitionRows', '--partition-rows'],
  ['input.sqlQuery', '--sql'],
  ['input.parameters', '--param'],
  ['input.catalogConfig.classification', '--classification'],
  ['input.catalogConfig.metadata', '--metadata'],
  ['input.name', '--name'],
  ['input.catalogName', '--table'],
  ['input.schemaName', '--table'],
  ['input.tableName', '--table'],
  ['input.cursorColumn', '--cursor'],
  ['input.schedule.cron', '--cron'],
  ['input.schedule.timeZone', '--time-zone'],
  ['dataType', '--type'],
  ['after', '--after'],
  ['filter.dataTypes', '--type'],
  ['filter.jobId', '--job'],
  ['filter.dataSourceId', '--source'],
  ['filter.itemIdPrefix', '--prefix'],
  ['filter.classificationMarkings', '--marking'],
  ['filter.data', '--data'],
]);

function linesOf(issues: readonly InputIssue[]): string {
  return issues.map(({ field, message }) => `${flagOf(field)}: ${printable(message)}`).join('\n');
}

/** The option that sets a field, with the name of what is at fault in it: `--param base`. */
function flagOf(field: string): string {
  for (const [known, flag] of flagOfField) {
    if (field === known) return flag;
    if (field.startsWith(`${known}.`)) return `${flag} ${printable(field.slice(known.length + 1))}`;
  }
  return printable(field);
}
