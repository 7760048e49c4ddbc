/** Where a Spark Connect server is, and how to sign in to it. Plain data. */
export interface SparkRemote {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
  readonly token: string | null;
  readonly userId: string | null;
  readonly userAgent: string | null;
  /** The session to share; null for a new one for each thread. */
  readonly sessionId: string | null;
  /** The largest message to accept, in bytes. */
  readonly maxMessageBytes: number;
  /** Sent with every request, such as the address of a cluster behind a gateway. */
  readonly headers: Readonly<Record<string, string>>;
}

export type ParsedRemote =
  | { readonly ok: true; readonly remote: SparkRemote }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses the URL of a Spark Connect server by the rules of Spark's own clients: `sc://host:port/;name=value;name=value`.
 * A parameter that they do not know is a header.
 * @returns the problem, without any value of a parameter, if there is one.
 */
export function parseRemote(url: string): ParsedRemote {
  try {
    return { ok: true, remote: parse(url) };
  } catch (error) {
    if (error instanceof RemoteProblem) return { ok: false, problem: error.message };
    throw error;
  }
}

/** Finds what must not be shown in the URL: the token, and the values of headers. */
export function findRemoteSecrets(url: string): readonly string[] {
  const parsed = parseRemote(url);
  if (!parsed.ok) return [url];
  const { token, headers } = parsed.remote;
  return [token ?? '', ...Object.values(headers)].filter((value) => value !== '');
}

class RemoteProblem extends Error {}

const DEFAULT_PORT = 15_002;
const DEFAULT_MESSAGE_BYTES = 128 * 1024 * 1024;
const EXAMPLE = 'sc://spark.example.com:15002/;use_ssl=true';

function parse(url: string): SparkRemote {
  const [, authority, path = '', rest = ''] = /^sc:\/\/([^/;?#]*)([^;]*)(?:;(.*))?$/s.exec(url) ?? [];
  if (authority === undefined) throw new RemoteProblem(`must be a URL such as ${EXAMPLE}`);
  if (path !== '' && path !== '/')
    throw new RemoteProblem(
      `must have nothing between the port and the parameters but "/", as in ${EXAMPLE}`,
    );
  const { host, port } = parseAuthority(authority);
  const parameters = parseParameters(rest);
  const { token, use_ssl, user_id, user_agent, session_id, grpc_max_message_size, ...headers } = parameters;
  if (session_id !== undefined && !UUID.test(session_id))
    throw new RemoteProblem('session_id must be a UUID');
  for (const [name, value] of Object.entries(headers)) checkHeader(name, value);
  if (token !== undefined) checkHeader('token', token);
  return {
    host,
    port,
    // A token makes the connection secure, but on the same machine.
    isSecure: parseFlag(use_ssl) || (token !== undefined && !(use_ssl === undefined && isLocal(host))),
    token: token ?? null,
    userId: user_id ?? null,
    userAgent: user_agent ?? null,
    sessionId: session_id ?? null,
    maxMessageBytes: parseSize(grpc_max_message_size),
    headers,
  };
}

function parseAuthority(authority: string): { host: string; port: number } {
  if (authority.includes('@'))
    throw new RemoteProblem('must not have a user before the host: use the parameters user_id and token');
  const [, host, port] = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(authority) ?? [];
  if (host === undefined)
    throw new RemoteProblem(`must have a host, and a port if not 15002, as in ${EXAMPLE}`);
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number < 1 || number > 65_535) throw new RemoteProblem('must have a port from 1 to 65535');
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

function parseParameters(text: string): Partial<Record<string, string>> & Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [index, part] of text.split(';').entries()) {
    if (part === '') continue;
    const [, name, value] = /^([A-Za-z][\w.-]*)=(.*)$/s.exec(part) ?? [];
    // The part may be a piece of a token.
    if (name === undefined || value === undefined)
      throw new RemoteProblem(`its parameter ${index + 1} must be written name=value`);
    if (Object.hasOwn(parameters, name)) throw new RemoteProblem(`has the parameter ${name} twice`);
    parameters[name] = decodeValue(name, value);
  }
  return parameters;
}

function decodeValue(name: string, value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new RemoteProblem(`its parameter ${name} has a "%" without two hexadecimal digits: write %25`);
  }
}

function parseFlag(value: string | undefined): boolean {
  if (value === undefined || /^false$/i.test(value)) return false;
  if (/^true$/i.test(value)) return true;
  throw new RemoteProblem('use_ssl must be true or false');
}

function parseSize(value: string | undefined): number {
  if (value === undefined) return DEFAULT_MESSAGE_BYTES;
  if (/^\d{4,10}$/.test(value)) return Number(value);
  throw new RemoteProblem('grpc_max_message_size must be a number of bytes');
}

function checkHeader(name: string, value: string): void {
  if (/-bin$/i.test(name) || /^grpc-/i.test(name))
    throw new RemoteProblem(`cannot have the parameter ${name}, which no header can be called`);
  if (!/^[\x20-\x7e]*$/.test(value))
    throw new RemoteProblem(`its parameter ${name} has characters that a header cannot have`);
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
