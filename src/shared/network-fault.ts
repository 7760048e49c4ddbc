/** Whether a request failed in the network, rather than for a permanent reason such as an untrusted certificate. */
export function isNetworkFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code !== '') return NETWORK_FAULTS.has(code);
  // `fetch` hides the fault in its cause.
  if (error.cause instanceof Error) return isNetworkFault(error.cause);
  return /socket hang up|premature close|network timeout|request timed out/i.test(error.message);
}

const NETWORK_FAULTS: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_SOCKET'],
]);
