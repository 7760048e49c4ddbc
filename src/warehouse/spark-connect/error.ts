import type { ServiceError } from '@grpc/grpc-js';
import { AbortError } from '../abort.ts';
import { createStatementError } from '../spark-sql/statement-error.ts';
import { type ParameterValue, WarehouseError } from '../warehouse.ts';
import { errorInfo, errorStatus } from './messages.ts';

type Parameters = Readonly<Record<string, ParameterValue>>;

/**
 * Converts an error of Spark, or of the connection to it, to one that can be shown: without tokens, cells, parameter values,
 * paths and the stack of the server. Returns errors of other kinds unchanged.
 */
export function toReadableError(error: unknown, parameters: Parameters): unknown {
  const fault = findFault(error);
  if (fault === null) return error;
  const unavailable = describeUnavailable(fault);
  if (unavailable !== null) return new WarehouseError('UNAVAILABLE', unavailable);
  if (isSessionLost(error) || isOperationLost(error))
    return new WarehouseError(
      'INTERRUPTED',
      'Spark has lost the statement, as it does when it is started again.',
    );
  if (isShutdown(fault)) return new WarehouseError('INTERRUPTED', 'Spark was stopped.');
  if (fault.status === STATUS.RESOURCE_EXHAUSTED && /message larger than/i.test(fault.message))
    return new WarehouseError(
      'STATEMENT_FAILED',
      'A batch of the result is larger than a message may be: raise grpc_max_message_size in SPARK_REMOTE, or select fewer or shorter columns.',
    );
  if (fault.message.includes('spark.driver.maxResultSize'))
    return new WarehouseError(
      'STATEMENT_FAILED',
      'The result is larger than the driver of Spark may hold (spark.driver.maxResultSize): raise that, or read the source in parts (partitionRows).',
    );
  return createStatementError(fault.message, fault.sqlState, parameters);
}

/** Converts an error in the middle of a result, where reading again may succeed. */
export function toInterruptionError(error: unknown, parameters: Parameters): unknown {
  const readable = toReadableError(error, parameters);
  return readable instanceof WarehouseError && isTransient(error)
    ? new WarehouseError('INTERRUPTED', readable.message)
    : readable;
}

/** Whether the connection broke, so that the same request may succeed. */
export function isTransient(error: unknown): boolean {
  const fault = findFault(error);
  if (fault === null) return false;
  if (fault.status === STATUS.UNAVAILABLE || fault.status === STATUS.DEADLINE_EXCEEDED)
    return !isCertificate(fault) && !isWithoutTls(fault);
  // Another connection reads the statement: the one that was taken for broken.
  return fault.message.includes('INVALID_CURSOR.DISCONNECTED') || isConnectionReset(fault);
}

/** Whether Spark has ended the session, so a new one helps. */
export function isSessionLost(error: unknown): boolean {
  return /INVALID_HANDLE\.SESSION_(?:NOT_FOUND|CLOSED|CHANGED)/.test(findFault(error)?.message ?? '');
}

/** Whether Spark does not know the statement: it has never arrived, or was given up. */
export function isOperationLost(error: unknown): boolean {
  return /INVALID_HANDLE\.OPERATION_(?:NOT_FOUND|ABANDONED)|INVALID_CURSOR\.(?:POSITION_NOT|NOT_REATTACHABLE)/.test(
    findFault(error)?.message ?? '',
  );
}

interface Fault {
  readonly status: number;
  readonly message: string;
  readonly sqlState: string | null;
}

/** The codes of gRPC; its module is loaded only with the connection. */
const STATUS = {
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

function findFault(error: unknown): Fault | null {
  if (error instanceof WarehouseError || error instanceof AbortError || !isServiceError(error)) return null;
  return { status: error.code, message: error.details, sqlState: findSqlState(error) };
}

function isServiceError(error: unknown): error is ServiceError {
  return (
    error instanceof Error && 'details' in error && 'metadata' in error && typeof error.details === 'string'
  );
}

/** Finds the SQLSTATE, which Spark sends beside the message. */
function findSqlState({ metadata }: ServiceError): string | null {
  const [status] = metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(status)) return null;
  for (const { type_url, value } of errorStatus.deserialize(status).details ?? []) {
    if (type_url?.endsWith('/google.rpc.ErrorInfo') && value !== undefined)
      return errorInfo.deserialize(value).metadata?.sqlState ?? null;
  }
  return null;
}

function describeUnavailable(fault: Fault): string | null {
  const { status, message } = fault;
  if (isWithoutTls(fault))
    return 'Spark does not use TLS at the address: remove use_ssl from SPARK_REMOTE, or correct its port.';
  if (isCertificate(fault))
    return 'The certificate of Spark is not trusted: NODE_EXTRA_CA_CERTS can name the file of its authority.';
  switch (status) {
    case STATUS.UNAUTHENTICATED:
      return 'Spark refused the credentials: check the token in SPARK_REMOTE.';
    case STATUS.PERMISSION_DENIED:
      return 'Spark refused the credentials, or the user may not do this.';
    case STATUS.UNIMPLEMENTED:
      return 'There is no Spark Connect at the address.';
    case STATUS.UNAVAILABLE:
    case STATUS.DEADLINE_EXCEEDED:
      return `Spark cannot be reached${findCode(message)}.`;
    default:
      return isConnectionReset(fault) ? 'The connection to Spark broke.' : null;
  }
}

/** Finds the system's code of a failed connection in a message of gRPC, in parentheses. */
function findCode(message: string): string {
  const [code] = /\bE[A-Z_]{4,}\b/.exec(message) ?? [];
  return code === undefined ? '' : ` (${code})`;
}

/** gRPC reports some broken connections as internal errors. */
function isConnectionReset({ status, message }: Fault): boolean {
  return status === STATUS.INTERNAL && /^Received RST_STREAM|^Stream closed/.test(message);
}

function isCertificate({ status, message }: Fault): boolean {
  return status === STATUS.UNAVAILABLE && /certificate|SELF_SIGNED|ALTNAME/i.test(message);
}

function isWithoutTls({ status, message }: Fault): boolean {
  return status === STATUS.UNAVAILABLE && /wrong version number|packet length too long/i.test(message);
}

function isShutdown({ message }: Fault): boolean {
  return /SparkContext (?:was|has been) shut ?down|stopped SparkContext/i.test(message);
}
