import { CommandError } from './command-error.ts';
import { ExitCode } from './exit-code.ts';
import type { RefusalFragment } from './generated/graphql.ts';
import { toPrintable } from './text.ts';

/** An error of GraphQL. */
export interface AnswerError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

interface InputIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/** The exit code of an error with which a mutation is refused, also of one from a newer server. */
function toRefusalExitCode(name: string): ExitCode {
  if (name === 'InvalidInputError') return ExitCode.INVALID_INPUT;
  if (name === 'ForbiddenError') return ExitCode.NOT_ALLOWED;
  return name === 'NoDataSourceError' || name.endsWith('NotFoundError')
    ? ExitCode.NOT_FOUND
    : ExitCode.CONFLICT;
}

type Success = { readonly __typename: `${string}Success` };

/**
 * Returns the success of a mutation.
 * @throws CommandError for a refusal; the fields of its input go by the names of their options.
 */
export function takeSuccess<Result extends Success | RefusalFragment>(
  result: Result,
): Extract<Result, Success> {
  if (!result.__typename.endsWith('Success')) throw toRefusalError(result as RefusalFragment);
  return result as Extract<Result, Success>;
}

function toRefusalError(refusal: RefusalFragment): CommandError {
  return new CommandError(toRefusalExitCode(refusal.__typename), describeRefusal(refusal));
}

function describeRefusal(refusal: RefusalFragment): string {
  switch (refusal.__typename) {
    case 'InvalidInputError':
      return formatIssues(refusal.issues);
    case 'SyncAlreadyRunningError': {
      const { activeJob } = refusal;
      const watch = activeJob === null ? '' : `watch it: blade job ${activeJob.id} --watch; `;
      return `a sync is already running; ${watch}stop it: blade stop`;
    }
    case 'RepairAlreadyRunningError': {
      const { activeJob } = refusal;
      const help = activeJob === null ? '' : `; watch it: blade job ${activeJob.id} --watch`;
      return `a repair of the catalog is already running${help}`;
    }
    case 'NoDataSourceError': {
      const { dataType } = refusal;
      const kind = dataType === null ? '' : ` of type ${toPrintable(dataType)}`;
      return `there is no enabled data source${kind}; see blade sources --help`;
    }
    default:
      return toPrintable(refusal.message ?? refusal.__typename);
  }
}

/** Exit codes by the `code` of an error of GraphQL. */
const ERROR_EXIT_CODES = new Map<unknown, ExitCode>([
  ['BAD_USER_INPUT', ExitCode.INVALID_INPUT],
  ['REQUEST_TOO_LARGE', ExitCode.INVALID_INPUT],
  ['AMBIGUOUS_JOB_ID', ExitCode.INVALID_INPUT],
  ['UNAUTHENTICATED', ExitCode.NOT_ALLOWED],
  ['FORBIDDEN', ExitCode.NOT_ALLOWED],
  ['JOB_NOT_FOUND', ExitCode.NOT_FOUND],
  ['NOT_EMBEDDED', ExitCode.CONFLICT],
  ['BACKUP_RUNNING', ExitCode.CONFLICT],
  ['BACKUP_IMPOSSIBLE', ExitCode.CONFLICT],
  ['SERVICE_UNAVAILABLE', ExitCode.UNREACHABLE],
  ['RATE_LIMITED', ExitCode.UNREACHABLE],
  ['TOO_MANY_OPERATIONS', ExitCode.UNREACHABLE],
]);

/** Codes of a server that is there, and will be able to answer again. */
const TRANSIENT_CODES = new Set<unknown>([
  'INTERNAL_SERVER_ERROR',
  'SERVICE_UNAVAILABLE',
  'RATE_LIMITED',
  'TOO_MANY_OPERATIONS',
]);

/** Turns the errors of an answer into one for people and scripts. */
export function toCommandError(errors: readonly AnswerError[]): CommandError {
  const [{ message, extensions = {} } = { message: 'the server sent an empty answer' }] = errors;
  const { code, issues } = extensions;
  const text = Array.isArray(issues) ? formatIssues(issues as InputIssue[]) : toPrintable(message);
  return new CommandError(ERROR_EXIT_CODES.get(code) ?? ExitCode.UNEXPECTED, text, {
    isTransient: TRANSIENT_CODES.has(code),
  });
}

/** The options and arguments that set the input fields of the API. */
const FLAGS = [
  ['id', 'ID'],
  ['input.id', 'ID'],
  ['input.syncType', '--incremental'],
  ['input.dataType', '--type'],
  ['input.dataSourceIds', '--source'],
  ['input.labels', '--label'],
  ['input.idempotencyKey', '--idempotency-key'],
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
  ['input.catalogConfig.reason', '--reason'],
  ['input.expectedFloor', '--from'],
  ['input.newFloor', '--to'],
  ['input.reason', '--reason'],
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
  ['filter.dataSourceIds', '--source'],
  ['filter.startedByIds', '--started-by'],
  ['filter.labels', '--label'],
  ['filter.sqlContains', '--sql'],
  ['filter.jobId', '--job'],
  ['filter.dataSourceId', '--source'],
  ['filter.itemIdPrefix', '--prefix'],
  ['filter.data', '--data'],
] as const;

function formatIssues(issues: readonly InputIssue[]): string {
  return issues
    .map(({ path, message }) => `${formatFlag(path.join('.'))}: ${toPrintable(message)}`)
    .join('\n');
}

/** Names the option that sets a field, and the name at fault if the option takes names: `--param base`. */
function formatFlag(field: string): string {
  for (const [known, flag] of FLAGS) {
    if (field === known) return flag;
    if (field.startsWith(`${known}.`)) return `${flag} ${toPrintable(field.slice(known.length + 1))}`;
  }
  return toPrintable(field);
}
