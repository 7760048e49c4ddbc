import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { generate } from 'selfsigned';
import type { DatabricksOptions } from '../../src/warehouse/databricks/session.ts';
import { type Engine, openEngine } from './databricks/execution.ts';
import { createService, type ResultForm, type Service, type ServiceOptions } from './databricks/service.ts';
import { createProcessor, readOperation } from './databricks/thrift-library.ts';

/** A Databricks SQL warehouse for tests: the driver's service over HTTPS, backed by DuckDB or by Spark. */
export interface DatabricksServer {
  readonly configuration: DatabricksOptions;
  /** The requested operations in order, including those that met a fault. */
  readonly wire: readonly string[];
  readonly statements: Service['statements'];
  /** The user agents of the requests. */
  readonly userAgents: ReadonlySet<string>;
  /** Runs a statement of the engine, such as one that creates `blade.field.sortie`. */
  run(sql: string): Promise<void>;
  /** Makes requests fail. */
  fail(fault: Fault): void;
  expireSessions(): void;
  /** Blocks new statements until the returned function is called. */
  hold(): () => void;
  /** Resolves when an operation has been requested this many times. */
  seen(operation: string, times?: number): Promise<void>;
  close(): Promise<void>;
}

export interface Fault {
  readonly operation: string;
  /** Requests of the operation that succeed first (default: none). */
  readonly after?: number;
  /** Requests that fail (default: one). */
  readonly times?: number;
  /** The HTTP status of the answer; without it, the connection is cut. */
  readonly status?: number;
  readonly retryAfter?: string;
  /** Whether the request is carried out before its answer is lost. */
  readonly isCarriedOut?: boolean;
}

export interface DatabricksServerOptions {
  readonly form?: ResultForm;
  /** The most rows per page (default: no limit). */
  readonly pageRows?: number;
  /** How long an answer waits for a statement to finish, in milliseconds (default: 100). */
  readonly directMs?: number;
  /** The engine that runs the statements (default: a new DuckDB). */
  readonly engine?: Engine;
  /** Changes a page before it is sent. */
  readonly alter?: ServiceOptions['alter'];
}

export const testToken = 'token-of-the-test';
export const testClient = { clientId: 'client-of-the-test', clientSecret: 'secret-of-the-test' };

const httpPath = '/sql/1.0/warehouses/test';
const certificate = generate([{ name: 'commonName', value: 'test warehouse' }], {
  keyType: 'ec',
  algorithm: 'sha256',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
});

export async function startDatabricksServer(
  options: DatabricksServerOptions = {},
): Promise<DatabricksServer> {
  const { cert, private: key } = await certificate;
  const engine = options.engine ?? (await openEngine());
  const files = new Map<string, Buffer>();
  const wire: string[] = [];
  const waiting = new Set<() => void>();
  const userAgents = new Set<string>();
  const faults: ActiveFault[] = [];

  const service = createService({
    engine,
    form: options.form ?? 'arrow',
    pageRows: options.pageRows ?? Number.POSITIVE_INFINITY,
    directMs: options.directMs ?? 100,
    alter: options.alter,
    storeFile(file) {
      const name = `/files/${randomUUID()}`;
      files.set(name, file);
      return `https://127.0.0.1:${port()}${name}`;
    },
  });
  const process = createProcessor(service.handlers);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    userAgents.add(String(request.headers['user-agent']));
    const body = await readBody(request);
    if (request.url === '/oidc/v1/token') {
      record('token');
      return meetsFault('token', response) ? undefined : answerToken(request, response);
    }
    const file = files.get(request.url ?? '');
    if (file !== undefined || request.url?.startsWith('/files/')) {
      record('download');
      if (meetsFault('download', response)) return;
      response.writeHead(file ? 200 : 404).end(file);
      return;
    }
    const operation = request.url === httpPath ? readOperation(body) : 'unknown';
    record(operation);
    const authorization = request.headers.authorization;
    if (authorization !== `Bearer ${testToken}`) {
      response.writeHead(authorization ? 403 : 401).end();
      return;
    }
    const fault = takeFault(operation);
    if (fault !== null && fault.isCarriedOut !== true) return refuse(fault, response);
    const message = await process(body);
    if (fault !== null) return refuse(fault, response);
    response.writeHead(200, { 'content-type': 'application/x-thrift' }).end(message);
  }

  function record(operation: string): void {
    wire.push(operation);
    for (const check of [...waiting]) check();
  }

  function takeFault(operation: string): Fault | null {
    for (const fault of faults) {
      if (fault.operation !== operation || fault.left === 0) continue;
      if (fault.passing > 0) {
        fault.passing -= 1;
        continue;
      }
      fault.left -= 1;
      return fault;
    }
    return null;
  }

  function meetsFault(operation: string, response: ServerResponse): boolean {
    const fault = takeFault(operation);
    if (fault !== null) refuse(fault, response);
    return fault !== null;
  }

  const server = createServer({ key, cert }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = () => (server.address() as AddressInfo).port;

  return {
    configuration: {
      host: '127.0.0.1',
      port: port(),
      httpPath,
      credentials: { kind: 'token', token: testToken },
      certificateAuthority: cert,
      retryDelayMs: 1,
      waitingNoticeMs: 20,
    },
    wire,
    statements: service.statements,
    userAgents,
    run: (sql) => engine.run(sql),
    fail: (fault) => faults.push({ ...fault, passing: fault.after ?? 0, left: fault.times ?? 1 }),
    expireSessions: () => service.expireSessions(),
    hold: () => service.hold(),
    seen(operation, times = 1) {
      return new Promise((resolve) => {
        const check = () => {
          if (wire.filter((name) => name === operation).length < times) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await engine.close();
    },
  };
}

interface ActiveFault extends Fault {
  passing: number;
  left: number;
}

function refuse({ status, retryAfter }: Fault, response: ServerResponse): void {
  if (status === undefined) response.destroy();
  else response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end();
}

function answerToken(request: IncomingMessage, response: ServerResponse): void {
  const { clientId, clientSecret } = testClient;
  const expected = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const isKnown = request.headers.authorization === expected;
  response
    .writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    .end(
      JSON.stringify(isKnown ? { access_token: testToken, expires_in: 3600 } : { error: 'invalid_client' }),
    );
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}
