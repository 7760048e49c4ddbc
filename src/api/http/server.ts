import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { ExecutionArgs } from 'graphql';
import { GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createLRUCache, createYoga, isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Authenticator } from '../../access/authenticator.ts';
import type { ClientAddress } from '../../access/client-address.ts';
import type { Principal } from '../../access/principal.ts';
import type { Readiness } from '../../health/health.ts';
import { answerHealth } from '../../health/health-server.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { MetricsEndpoint } from '../../observability/metrics-endpoint.ts';
import { listen } from '../../shared/http-server.ts';
import {
  inRequest,
  iterateInRequest,
  newRequestScope,
  type RequestScope,
} from '../../shared/request-scope.ts';
import type { Redact } from '../../shared/secrets.ts';
import type { ApiContext } from '../context.ts';
import { limitDocumentSize } from '../limits/document-size.ts';
import { hideSchema } from '../limits/introspection.ts';
import { tooManyOperations } from '../limits/limit-error.ts';
import { limitOperationCost } from '../limits/operation-cost.ts';
import { callerOf, createRateLimits } from '../limits/rate-limits.ts';
import type { ApiLimits } from '../limits/settings.ts';
import { endUnreadResponse, endUnreadSockets, withoutConsole } from '../limits/slow-readers.ts';
import { schema } from '../schema/schema.ts';
import {
  type AuthenticatedConnection,
  authenticateConnections,
  authenticateRequests,
  type NodeContext,
} from './authentication.ts';
import { admitBody } from './body-size.ts';
import { refuseServerMessages } from './client-messages.ts';
import { createDashboardFiles } from './dashboard-files.ts';
import { createErrorMask } from './error-mask.ts';
import { type OperationMetrics, observeOperations } from './observe-operations.ts';
import { createOriginPolicy } from './origin.ts';
import { refuseUnreadableParameters } from './request-parameters.ts';
import { admitTarget } from './request-target.ts';
import { setContentPolicy, setSecurityHeaders } from './security-headers.ts';
import { sendResults } from './send-results.ts';
import type { OriginSettings } from './settings.ts';
import { shareExecution } from './shared-execution.ts';

export interface ApiServer {
  /** Where GraphQL is served, such as `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** Stops listening, ends subscriptions so that clients connect again, and answers what has come in already. */
  close(): Promise<void>;
}

export interface ApiServerOptions {
  /** What the resolvers have at hand for a request of a principal. */
  readonly contextOf: (principal: Principal) => ApiContext;
  /** Tells who sends a request. */
  readonly authenticator: Authenticator;
  /** Tells from where a request comes. */
  readonly addressOf: ClientAddress;
  /** What one client may ask. */
  readonly limits: ApiLimits;
  /** Which sites' pages may ask. */
  readonly origins: OriginSettings;
  /** Whether clients may ask what the schema is. */
  readonly introspection: boolean;
  /** Whether GraphiQL is served. */
  readonly graphiql: boolean;
  /** Told what clients ask. */
  readonly metrics: OperationMetrics & Pick<Metrics, 'connectionOpened'>;
  /** Answers requests for metrics; null where they are not served here. */
  readonly metricsEndpoint: MetricsEndpoint | null;
  readonly readiness: () => Promise<Readiness>;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly log: Logger;
  /** Takes secrets out of what clients are told. */
  readonly redact: Redact;
}

const PATH = '/graphql';

/** Serves the API: GraphQL over HTTP, server-sent events and WebSocket on one path, and GraphiQL in a browser. */
export async function startApiServer({
  contextOf,
  authenticator,
  addressOf,
  limits,
  origins,
  introspection,
  graphiql,
  metrics,
  metricsEndpoint,
  readiness,
  host,
  port,
  log,
  redact,
}: ApiServerOptions): Promise<ApiServer> {
  const requests = authenticateRequests(authenticator, addressOf, log);
  const operations = observeOperations(log, metrics);
  const rates = createRateLimits(limits.rates);
  const admission: Plugin<object, NodeContext> = {
    onRequestParse: ({ request, serverContext: { req } }) =>
      rates.admitRequest(callerOf(requests.principalOf(request), addressOf(req))),
  };
  const sites = createOriginPolicy(origins);
  const yoga = createYoga<NodeContext & Partial<AuthenticatedConnection>, RequestContext>({
    schema,
    plugins: [
      operations.plugin,
      requests.plugin,
      admission,
      refuseUnreadableParameters(),
      limitDocumentSize(limits.document),
      ...(introspection ? [] : [hideSchema()]),
      limitOperationCost(schema, limits.document),
      shareExecution(),
      // Behind what subscribes, of which it has to know whether it succeeds.
      rates.plugin,
    ],
    context: ({ request, req, ...connection }) => {
      const principal = connection.principal ?? requests.principalOf(request);
      return { ...contextOf(principal), caller: callerOf(principal, addressOf(req)) };
    },
    // Documents are kept by their text, so that whoever sends ever new ones decides how much is kept.
    parserAndValidationCache: {
      documentCache: createLRUCache({ max: KEPT_DOCUMENTS }),
      errorCache: createLRUCache({ max: KEPT_DOCUMENTS }),
    },
    graphqlEndpoint: PATH,
    landingPage: false,
    logging: yogaLog(log),
    maskedErrors: { maskError: createErrorMask(log, redact) },
    // Uploads are of no use here, and a form is what a page of another site can send without asking.
    multipart: false,
    cors: false,
    // Yoga would read every body through a stream of its own to count it; `admitBody` has counted it.
    maxRequestBodySize: false,
    renderGraphiQL,
    graphiql: graphiql && {
      title: 'BLADE Ingestion',
      defaultQuery: DEFAULT_QUERY,
      shouldPersistHeaders: false,
      // Over WebSocket the page would not send what its header editor holds.
      ...(authenticator.asksForCredential
        ? { subscriptionsProtocol: 'SSE', headers: '{ "authorization": "Bearer " }' }
        : { subscriptionsProtocol: 'WS' }),
    },
  });

  const dashboard = createDashboardFiles();
  if (dashboard === null)
    log.warn('the dashboard is not built, so / leads to GraphiQL: npm run build makes it');

  const responses = new Set<ServerResponse>();
  const answer = operations.onRequest((request, response) => {
    setSecurityHeaders(response);
    if (!admitTarget(request, response)) return;
    if (!sites.admit(request, response)) return;
    if (metricsEndpoint?.(request, response)) return;
    if (dashboard?.(request, response)) return;
    setContentPolicy(response, graphiql && asksForPage(request));
    if (request.url === '/') {
      response.writeHead(302, { location: PATH }).end();
      return;
    }
    if (!admitBody(request, response, limits.maxBodyBytes)) return;
    if (asksForEvents(request)) endUnreadResponse(response, limits.connections.keepAliveMs);
    yoga(request, response);
  });
  const server = createServer((request, response) => {
    responses.add(response);
    response.once('close', () => responses.delete(response));
    if (answerHealth(request, response, readiness)) return;
    try {
      answer(request, response);
    } catch (error) {
      // Thrown on, it would end the process and everybody's jobs with it.
      log.error({ err: error }, 'a request failed unexpectedly');
      response.destroy();
    }
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;

  const webSockets = new WebSocketServer({
    server,
    path: PATH,
    maxPayload: limits.maxBodyBytes,
    verifyClient: ({ req }: { req: IncomingMessage }) => !sites.isForeign(req),
  });
  const graphqlOverWebSocket = withoutConsole(webSockets, log, () =>
    useServer<Record<string, unknown>, Partial<AuthenticatedConnection>>(
      {
        ...authenticateConnections(authenticator, addressOf, log),
        jsonMessageReviver: refuseServerMessages,
        connectionInitWaitTimeout: limits.connections.initTimeoutMs,
        execute: (args) => enveloped(args).execute(args),
        subscribe: (args) => enveloped(args).subscribe(args),
        async onSubscribe(connection, id, params) {
          const scope = newRequestScope();
          const refuse = (errors: readonly GraphQLError[]) => {
            operations.refused(scope, errors);
            return errors;
          };
          const { maxOperations } = limits.connections;
          if (Object.keys(connection.subscriptions).length > maxOperations)
            return refuse([tooManyOperations(maxOperations)]);
          const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
            ...connection,
            principal: connection.extra.principal,
            req: connection.extra.request,
            socket: connection.extra.socket,
            params,
          });
          let document: ReturnType<typeof parse>;
          try {
            const { principal, request } = connection.extra;
            if (principal !== undefined) await rates.admitRequest(callerOf(principal, addressOf(request)));
            document = parse(params.query);
          } catch (error) {
            if (error instanceof GraphQLError) return refuse([error]);
            throw error;
          }
          const errors = validate(schema, document);
          if (errors.length > 0) return refuse(errors);
          const args: EnvelopedArgs = {
            schema,
            document,
            operationName: params.operationName ?? null,
            variableValues: params.variables ?? null,
            contextValue: await contextFactory(),
            rootValue: inScope(scope, sendingTo(connection.extra.socket, id, { execute, subscribe })),
          };
          return args;
        },
      },
      webSockets,
      limits.connections.keepAliveMs,
    ),
  );
  endUnreadSockets(webSockets, limits.connections);

  webSockets.on('connection', (socket) => socket.once('close', metrics.connectionOpened()));

  const origin = await listen(server, host, port);

  return {
    url: `${origin}${PATH}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await graphqlOverWebSocket.dispose();
      for (const response of responses) {
        // Broken off, as an end in order would say that there is nothing more to come.
        if (asksForEvents(response.req)) response.destroy();
        else if (!response.headersSent) response.setHeader('connection', 'close');
      }
      server.closeIdleConnections();
      await Promise.race([closed, setTimeout(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
      await yoga.dispose();
    },
  };
}

/** How long requests that have come in already may take to be answered when the server stops, in milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Documents that are kept parsed and checked: more than the operations of the programs that use one server. */
const KEPT_DOCUMENTS = 200;

/** How long the headers and the whole of a request may take to come in, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

interface RequestContext extends ApiContext {
  readonly caller: string;
}

function asksForPage({ method, headers: { accept = '' } }: IncomingMessage): boolean {
  return method === 'GET' && accept.includes('text/html');
}

function asksForEvents({ headers: { accept = '' } }: IncomingMessage): boolean {
  return accept.includes('text/event-stream');
}

/** The functions of the request's own pipeline travel in the root value, as graphql-ws hands on nothing else. */
interface EnvelopedArgs extends ExecutionArgs {
  readonly rootValue: Pick<
    ReturnType<ReturnType<typeof createYoga>['getEnveloped']>,
    'execute' | 'subscribe'
  >;
}

/** The same functions, which tell whose request it is that they answer. */
function inScope(
  scope: RequestScope,
  { execute, subscribe }: EnvelopedArgs['rootValue'],
): EnvelopedArgs['rootValue'] {
  return {
    execute: (args) => inRequest(scope, () => execute(args)),
    async subscribe(args) {
      const result = await inRequest(scope, () => subscribe(args));
      return isAsyncIterable(result) ? iterateInRequest(scope, result) : result;
    },
  };
}

/** The same functions, the second of which sends the results of a subscription itself. */
function sendingTo(
  socket: WebSocket,
  id: string,
  { execute, subscribe }: EnvelopedArgs['rootValue'],
): EnvelopedArgs['rootValue'] {
  return {
    execute,
    async subscribe(args) {
      const result = await subscribe(args);
      return isAsyncIterable(result) ? sendResults(socket, id, result) : result;
    },
  };
}

function enveloped(args: ExecutionArgs): EnvelopedArgs['rootValue'] {
  return (args as EnvelopedArgs).rootValue;
}

function yogaLog(log: Logger) {
  const write =
    (level: 'debug' | 'warn') =>
    (...values: unknown[]) =>
      log[level](values.map(String).join(' '));
  // Its errors are all that is not told as it was thrown, expected ones too: the error mask logs what is unexpected.
  return { debug: write('debug'), info: write('debug'), warn: write('warn'), error: write('debug') };
}

const DEFAULT_QUERY = `# BLADE Ingestion: start a sync, then watch it. The docs (top left) describe every field.

mutation StartSync {
  startSync(input: { syncType: FULL }) {
    __typename
    ... on StartSyncSuccess {
      message
      job { id state }
    }
    ... on Error {
      message
    }
  }
}

subscription WatchSync {
  syncProgress {
    state
    job {
      id
      revision
      progress {
        currentOperation
        percent
        processedItems
        totalItems
        errorCount
        itemsPerSecond
        estimatedCompletion
        byType { dataType processedItems totalItems errorCount }
      }
      recentErrors
    }
  }
}

query History {
  jobs(first: 10) {
    totalCount
    edges { node { id kind state createdAt finishedAt progress { processedItems errorCount } } }
    pageInfo { hasNextPage endCursor }
  }
}

mutation StopSync {
  stopSync {
    __typename
    ... on StopSyncSuccess { message job { id state } }
    ... on Error { message }
  }
}
`;
