import { isObject } from '../../shared/json.ts';
import { isNetworkFault } from '../../shared/network-fault.ts';
import { AbortError } from '../abort.ts';
import { createStatementError } from '../spark-sql/statement-error.ts';
import { type ParameterValue, WarehouseError } from '../warehouse.ts';

/**
 * Converts an error of Databricks, or of the connection to it, to one that can be shown: without tokens, cells, parameter
 * values, paths and the stack of the server. Returns errors of other kinds unchanged.
 */
export function toReadableError(
  error: unknown,
  parameters: Readonly<Record<string, ParameterValue>>,
): unknown {
  if (error instanceof WarehouseError || error instanceof AbortError) return error;
  const fault = toFault(error);
  if (fault.httpStatus !== null) return createHttpError(fault.httpStatus);
  if (fault.isNetwork)
    return new WarehouseError('UNAVAILABLE', `The warehouse cannot be reached${parenthesize(fault.code)}.`);
  if (fault.isCertificate)
    return new WarehouseError(
      'UNAVAILABLE',
      `The certificate of the warehouse is not trusted${parenthesize(fault.code)}.`,
    );
  if (/^CloudFetch/.test(fault.message))
    return new WarehouseError('INTERRUPTED', 'A part of the result could not be downloaded.');
  if (!fault.isDriverError) return error;
  return createStatementError(fault.message, fault.sqlState, parameters);
}

/** Converts an error in the middle of a result, where reading again may succeed. */
export function toInterruptionError(
  error: unknown,
  parameters: Readonly<Record<string, ParameterValue>>,
): unknown {
  if (isSessionLost(error))
    return new WarehouseError('INTERRUPTED', 'The warehouse ended the session in the middle of the result.');
  const readable = toReadableError(error, parameters);
  const { isNetwork, httpStatus } = toFault(error);
  return readable instanceof WarehouseError && (isNetwork || (httpStatus ?? 0) >= 429)
    ? new WarehouseError('INTERRUPTED', readable.message)
    : readable;
}

/** Whether the warehouse has lost the session or the statement, so a new session helps. */
export function isSessionLost(error: unknown): boolean {
  const { message } = toFault(error);
  return /invalid (?:session|operation) ?handle|session(?: was closed or)? (?:has |is )?(?:expired|closed|invalid)|session[^.]{0,80} does ?n.t exist|session[^.]{0,80} not found/i.test(
    message,
  );
}

interface Fault {
  readonly message: string;
  readonly code: string | null;
  readonly sqlState: string | null;
  readonly httpStatus: number | null;
  readonly isNetwork: boolean;
  readonly isCertificate: boolean;
  /** Whether it comes from the warehouse or the driver, rather than from a fault of this program. */
  readonly isDriverError: boolean;
}

/** Extracts the code, state and message of an error. The driver throws many classes, and not all extend `Error`. */
function toFault(error: unknown): Fault {
  const fields = isObject(error) ? error : {};
  const status = isObject(fields.response) ? fields.response : {};
  const httpStatus = typeof fields.statusCode === 'number' ? fields.statusCode : null;
  const code = typeof fields.code === 'string' ? fields.code : null;
  return {
    message:
      [
        status.displayMessage,
        status.errorMessage,
        httpStatus === null ? null : findReason(fields.response),
        fields.message,
      ]
        .filter((text) => typeof text === 'string' && text !== '')
        .map(String)[0] ?? '',
    code,
    sqlState: typeof status.sqlState === 'string' ? status.sqlState : null,
    httpStatus,
    isNetwork: isNetworkFault(error),
    isCertificate: code !== null && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(code),
    isDriverError:
      fields.name === 'Status Error' || isNamed(error, /^(OperationState|HiveDriver|Parameter)Error$/),
  };
}

function isNamed(error: unknown, name: RegExp): boolean {
  return error instanceof Error && name.test(error.constructor.name);
}

/** Finds the reason of a refused request in its headers. */
function findReason(response: unknown): string | null {
  if (!isObject(response) || !(response.headers instanceof Object) || !('get' in response.headers))
    return null;
  const { get } = response.headers;
  if (typeof get !== 'function') return null;
  const reason: unknown = get.call(response.headers, 'x-thriftserver-error-message');
  return typeof reason === 'string' ? reason : null;
}

function createHttpError(status: number): WarehouseError {
  return new WarehouseError('UNAVAILABLE', `${describeStatus(status)} (HTTP ${status}).`);
}

function describeStatus(status: number): string {
  if (status === 401 || status === 403) return 'The warehouse refused the credentials';
  if (status === 400 || status === 404) return 'There is no warehouse at the HTTP path';
  if (status === 429) return 'The warehouse accepts no more requests at this time';
  return 'The warehouse is not available';
}

function parenthesize(code: string | null): string {
  return code === null ? '' : ` (${code})`;
}
