import {
  credentials,
  Client as GrpcClient,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServiceError,
} from '@grpc/grpc-js';
import { parseRemote, type SparkRemote } from '../../../src/warehouse/spark-connect/connection-string.ts';
import {
  type ConfigRequest,
  type ExecutePlanRequest,
  type SessionContext,
  service,
  type UnaryMethods,
} from '../../../src/warehouse/spark-connect/messages.ts';
import { createScanCounter, type SparkServer, toSparkNames } from './connect.ts';

/** Stands between the program and Spark, and hands everything on: only the catalog `blade` is the one that Spark has. */
export interface ConnectProxy {
  readonly remote: SparkRemote;
  readonly statements: readonly { readonly sql: string; readonly tag: string | null }[];
  /** The methods that were called, in order. */
  readonly calls: readonly string[];
  /** The statements that Spark has interrupted. */
  readonly interrupted: readonly string[];
  /** Ends the sessions that came through, as Spark does with those that nobody used for long. */
  endSessions(): Promise<void>;
  takeScannedRows(): number;
  close(): Promise<void>;
}

/** @param prepare may delay a statement; null for at once. */
export async function startConnectProxy(
  spark: SparkServer,
  prepare: (sql: string) => Promise<void> | null = () => null,
): Promise<ConnectProxy> {
  const scans = createScanCounter(spark);
  const statements: { sql: string; tag: string | null }[] = [];
  const calls: string[] = [];
  const interrupted: string[] = [];
  const sessions = new Map<string, SessionContext>();
  const options = { 'grpc.max_receive_message_length': -1 };
  const client = new GrpcClient(spark.address, credentials.createInsecure(), options);
  const server = new Server(options);

  /** Notes a statement, and returns it as Spark takes it. */
  async function admit(request: object): Promise<object> {
    if (!isExecution(request)) return request;
    const { sql } = request.plan.root;
    statements.push({ sql: sql.query, tag: request.tags?.[0] ?? null });
    await prepare(sql.query);
    return { ...request, plan: { root: { common: {}, sql: { ...sql, query: toSparkNames(sql.query) } } } };
  }

  const toStream =
    ({ path, requestSerialize }: Method): handleServerStreamingCall<object, Buffer> =>
    (call) => {
      calls.push(path.slice(path.lastIndexOf('/') + 1));
      void admit(call.request).then((request) => {
        const answer = client.makeServerStreamRequest(
          ...([path, requestSerialize, keep, request, call.metadata, {}] as const),
        );
        // A response goes out before the next one comes in, so that nothing is kept here.
        answer.on('data', (response: Buffer) => {
          scans.count(response);
          answer.pause();
          call.write(response, () => answer.resume());
        });
        answer.on('end', () => call.end());
        answer.on('error', (error: ServiceError) => call.emit('error', error));
        call.on('cancelled', () => answer.cancel());
      });
    };

  const toUnary =
    ({ path, requestSerialize }: Method): handleUnaryCall<object, Buffer> =>
    (call, callback) => {
      calls.push(path.slice(path.lastIndexOf('/') + 1));
      if (isConfig(call.request)) sessions.set(call.request.session_id, call.request);
      client.makeUnaryRequest(
        ...([path, requestSerialize, keep, call.request, call.metadata] as const),
        (error, response) => {
          if (response && path.endsWith('/Interrupt')) interrupted.push(...readInterrupted(response));
          callback(error, response);
        },
      );
    };

  const methods = Object.entries(service).map(
    ([name, method]) => [name, { ...method, responseSerialize: keep }] as const,
  );
  server.addService(
    Object.fromEntries(methods),
    Object.fromEntries(
      methods.map(([name, method]) => [name, method.responseStream ? toStream(method) : toUnary(method)]),
    ),
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const parsed = parseRemote(`sc://127.0.0.1:${port}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return {
    remote: parsed.remote,
    statements,
    calls,
    interrupted,
    async endSessions() {
      const { path, requestSerialize } = findMethod('ReleaseSession');
      for (const session of sessions.values())
        await new Promise((resolve) => {
          client.makeUnaryRequest(path, requestSerialize, keep, session, resolve);
        });
      sessions.clear();
    },
    takeScannedRows: () => scans.take(),
    async close() {
      server.forceShutdown();
      client.close();
    },
  };
}

type Method = Pick<MethodDefinition<object, object>, 'path' | 'requestSerialize'>;

/** Messages that nobody looks into stay bytes. */
const keep = (bytes: Buffer): Buffer => bytes;

function isConfig(request: object): request is ConfigRequest {
  return 'operation' in request;
}

function findMethod(name: string): MethodDefinition<object, object> {
  const method = service[name];
  if (method === undefined) throw new Error(`there is no method ${name}`);
  return method;
}

function readInterrupted(response: Buffer): readonly string[] {
  const { interrupted_ids: ids = [] } = findMethod('Interrupt').responseDeserialize(
    response,
  ) as UnaryMethods['Interrupt']['response'];
  return ids;
}

function isExecution(request: object): request is ExecutePlanRequest {
  return 'plan' in request;
}
