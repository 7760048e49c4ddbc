import type { ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { isAsyncIterable, type Plugin, processRegularResult } from 'graphql-yoga';
import { endUnreadResponse } from '../limits/slow-readers.ts';
import { toEventStream } from './event-stream/event-stream.ts';
import { toMultipartResponse } from './multipart-subscription.ts';

/** Answers subscriptions over HTTP in the form that a client accepts, and tells others which forms there are. */
export function answerSubscriptions(keepAliveMs: number): Plugin<object, StreamContext> {
  /** Requests with several operations. */
  const batches = new WeakSet<Request>();
  return {
    onRequestParse: ({ request }) => ({
      onRequestParseDone({ requestParserResult }) {
        if (!Array.isArray(requestParserResult)) return;
        if (requestParserResult.length === 0) throw emptyBatch();
        batches.add(request);
      },
    }),

    onSubscribe({ args: { contextValue }, setResultAndStopExecution }) {
      const { request } = contextValue as { request?: Request };
      // Undefined for an operation over a connection.
      if (request === undefined) return;
      const accept = request.headers.get('accept') ?? '*/*';
      if (batches.has(request)) setResultAndStopExecution({ errors: [notInBatch()] });
      else if (!acceptsEvents(accept) && !acceptsMultipart(accept))
        setResultAndStopExecution({ errors: [notAcceptable(accept)] });
    },

    onResultProcess({ result, resultProcessor, setResultProcessor, serverContext: { res } }) {
      if (isAsyncIterable(result)) {
        // The server sends nothing to a client that has left meanwhile, and so would never end the stream.
        if (res.closed) void result[Symbol.asyncIterator]().return?.();
        prepareStream(res, keepAliveMs);
        // Yoga has found a processor only if the client accepts an event stream.
        if (resultProcessor === undefined)
          setResultProcessor(
            (results, fetchAPI) => toMultipartResponse(results, fetchAPI, keepAliveMs),
            'multipart/mixed',
          );
        else
          setResultProcessor(
            (results, fetchAPI) => toEventStream(results, fetchAPI, keepAliveMs),
            'text/event-stream',
          );
        return;
      }
      // An answer in another form than the client accepts helps more than none.
      if (resultProcessor === undefined)
        setResultProcessor(processRegularResult, 'application/graphql-response+json');
    },
  };
}

/** The server context of each HTTP request in yoga. */
interface StreamContext {
  readonly res: ServerResponse;
}

/** Lets a response stream through proxies, to a client that reads. */
export function prepareStream(response: ServerResponse, patienceMs: number): void {
  endUnreadResponse(response, patienceMs);
  // nginx would keep events back until they fill its buffer.
  response.setHeader('x-accel-buffering', 'no');
}

function acceptsEvents(accept: string): boolean {
  return /(^|[\s,])(text\/event-stream|text\/\*|\*\/\*)/i.test(accept);
}

/** Multipart has other forms, for deferred fields; this one is Apollo's, for subscriptions. */
function acceptsMultipart(accept: string): boolean {
  return /multipart\/mixed[^,]*;\s*subscriptionSpec="?1\.0/i.test(accept);
}

function notAcceptable(accept: string): GraphQLError {
  return new GraphQLError(
    `A subscription cannot be answered as ${accept.slice(0, MOST_ACCEPT_CHARACTERS)}: send accept: text/event-stream or ` +
      'accept: multipart/mixed;subscriptionSpec=1.0, or open a WebSocket (graphql-transport-ws or graphql-ws).',
    // `spec`: 200 for clients of application/json, some of which show no error of another answer.
    { extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406, spec: true } } },
  );
}

/** Longer ones are cut off. */
const MOST_ACCEPT_CHARACTERS = 100;

function emptyBatch(): GraphQLError {
  return new GraphQLError('A batch must have at least one operation.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}

function notInBatch(): GraphQLError {
  return new GraphQLError('A subscription cannot be part of a batch: send it in a request of its own.', {
    extensions: { code: 'BAD_REQUEST' },
  });
}
