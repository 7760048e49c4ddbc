import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL, validateMessage } from 'graphql-ws';
import type { Logger } from 'pino';
import type { ClientAddress } from '../../../access/client-address.ts';
import type { Principal } from '../../../access/principal.ts';
import { isObject } from '../../../shared/json.ts';
import { rateLimited } from '../../limits/limit-error.ts';
import { type Caller, type createRateLimits, toCaller } from '../../limits/rate-limits.ts';
import type { ConnectionLimits } from '../../limits/settings.ts';
import type { OperationProtocol } from '../connection/operation-protocol.ts';
import type { PersistedOperations } from '../persisted-operations.ts';
import { refuseRequestWith } from '../refuse-request.ts';
import { createReservedStream, type ReservedStream } from './reserved-stream.ts';

export interface SingleConnectionOptions {
  readonly path: string;
  readonly protocol: OperationProtocol;
  /** @throws GraphQLError. */
  readonly authenticate: (request: IncomingMessage) => Promise<Principal>;
  readonly findAddress: ClientAddress;
  readonly rates: Pick<ReturnType<typeof createRateLimits>, 'admitRequest'>;
  readonly persisted: Pick<PersistedOperations, 'resolve'>;
  readonly limits: ConnectionLimits;
  readonly log: Logger;
}

/** Answers a request of the single connection mode; returns false for any other, which is left alone. */
export type SingleConnections = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Serves graphql-sse's single connection mode, in which one event stream carries all operations of a page: browsers open
 * only six connections to one HTTP/1.1 server. A client reserves a stream (PUT), opens it (GET), and starts (POST) and ends
 * (DELETE) operations. The token of a reservation works only with the credential it was made with.
 */
export function createSingleConnections(options: SingleConnectionOptions): SingleConnections {
  const { path, protocol, authenticate, findAddress, rates, persisted, limits, log } = options;
  const reservations = new Map<string, Reservation>();

  async function reserve(request: IncomingMessage, principal: Principal): Promise<string> {
    const caller = toCaller(principal, findAddress(request));
    const count = [...reservations.values()].filter((other) => other.caller === caller).length;
    if (count >= MOST_STREAMS)
      throw rateLimited(
        `You already have ${MOST_STREAMS} event streams, the most allowed: end one first.`,
        1,
      );
    const token = randomUUID();
    const stream = createReservedStream(limits, () => {
      reservations.delete(token);
      void closed(GOING_AWAY, 'The stream has ended');
    });
    const closed = protocol.opened(
      { protocol: GRAPHQL_TRANSPORT_WS_PROTOCOL, ...stream, send: stream.send, close: stream.close },
      { channel: stream, request, principal, isCounted: true },
    );
    reservations.set(token, { stream, principal, caller });
    setTimeout(() => {
      if (!stream.isOpened) stream.close(GOING_AWAY, 'The stream was not opened');
    }, limits.initTimeoutMs).unref();
    await stream.receive({ type: 'connection_init' });
    return token;
  }

  /** @throws GraphQLError if there is none for this token and principal. */
  function findStream(token: string | null, principal: Principal): ReservedStream {
    const reservation = reservations.get(token ?? '');
    if (reservation !== undefined && isSame(reservation.principal, principal)) return reservation.stream;
    throw refusal(404, 'STREAM_NOT_FOUND', 'There is no such event stream: reserve one with PUT.');
  }

  async function answer(request: IncomingMessage, response: ServerResponse, token: string | null) {
    const principal = await authenticate(request);
    await rates.admitRequest(toCaller(principal, findAddress(request)));
    if (request.method === 'PUT') {
      const reserved = await reserve(request, principal);
      response.writeHead(201, { 'content-type': 'text/plain; charset=utf-8' }).end(reserved);
      return;
    }
    const stream = findStream(token, principal);
    if (request.method === 'GET') {
      if (stream.isOpened) throw refusal(409, 'STREAM_ALREADY_OPEN', 'This event stream is open already.');
      stream.open(response);
      return;
    }
    if (request.method === 'DELETE') {
      const id = toUrl(request).searchParams.get('operationId');
      if (id === null) throw refusal(400, 'BAD_REQUEST', 'Name the operation to end: ?operationId=…');
      await stream.receive({ type: 'complete', id });
      response.writeHead(200).end();
      return;
    }
    const { id, payload } = toOperation(persisted.resolve(await readJson(request)));
    if (stream.hasOperation(id))
      throw refusal(409, 'OPERATION_ALREADY_EXISTS', 'This event stream has an operation with this id.');
    // It takes as long as the operation.
    stream.receive({ type: 'subscribe', id, payload }).catch((error: unknown) => {
      log.error({ err: error }, 'an operation of an event stream failed unexpectedly');
      stream.close(GOING_AWAY, 'Internal server error');
    });
    response.writeHead(202).end();
  }

  return (request, response) => {
    if (toUrl(request).pathname !== path || !isOfSingleConnection(request)) return false;
    answer(request, response, findToken(request)).catch((error: unknown) => {
      if (error instanceof GraphQLError) return refuseRequestWith(response, error);
      log.error({ err: error }, 'a request failed unexpectedly');
      response.destroy();
    });
    return true;
  };
}

/** A stream that one principal has reserved. */
interface Reservation {
  readonly stream: ReservedStream;
  readonly principal: Principal;
  readonly caller: Caller;
}

/** Streams of one caller: a page needs one. */
const MOST_STREAMS = 100;

/** Close code of RFC 6455. */
const GOING_AWAY = 1001;

/** Names of graphql-sse. */
const TOKEN_HEADER = 'x-graphql-event-stream-token';
const TOKEN_PARAMETER = 'token';

function toUrl({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'http://localhost');
}

function findToken(request: IncomingMessage): string | null {
  const header = request.headers[TOKEN_HEADER];
  return typeof header === 'string' ? header : toUrl(request).searchParams.get(TOKEN_PARAMETER);
}

function isOfSingleConnection(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (method === 'PUT' || method === 'DELETE') return true;
  if (findToken(request) === null) return false;
  return method === 'POST' || (method === 'GET' && headers.accept === 'text/event-stream');
}

/** Whether two credentials give the same rights to the same principal, as a renewed token does. */
function isSame(one: Principal, other: Principal): boolean {
  return one.id === other.id && one.role === other.role && one.clearance === other.clearance;
}

/** Reads a body, whose size `admitBody` bounds. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/([\w-]+\+)?json\b/i.test(request.headers['content-type'] ?? ''))
    throw refusal(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'The body must be JSON: send content-type: application/json.',
    );
  const chunks: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', resolve).once('error', reject).once('close', resolve);
  await promise;
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw refusal(400, 'BAD_REQUEST', 'The body must be JSON.');
  }
}

/** @throws GraphQLError if the parameters are not those of an operation with an id. */
function toOperation(params: unknown): { id: string; payload: object } {
  const id = isObject(params) && isObject(params.extensions) ? params.extensions.operationId : undefined;
  if (typeof id !== 'string' || id === '')
    throw refusal(400, 'BAD_REQUEST', 'The extensions of an operation must have an operationId.');
  try {
    validateMessage({ type: 'subscribe', id, payload: params });
    // What is nested too deep cannot be written as a message.
    JSON.stringify(params);
  } catch {
    throw refusal(
      400,
      'BAD_REQUEST',
      'An operation must have a query, and its variables and extensions must be objects that are not nested too deep.',
    );
  }
  return { id, payload: Object(params) };
}

function refusal(status: number, code: string, message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status } } });
}
