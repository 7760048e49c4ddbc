import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { createLRUCache, createYoga, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Authenticator } from '../../access/authenticator.ts';
import type { ClientAddress } from '../../access/client-address.ts';
import type { Principal } from '../../access/principal.ts';
import type { Readiness } from '../../health/health.ts';
import { answerHealth } from '../../health/health-server.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { MetricsEndpoint } from '../../observability/metrics-endpoint.ts';
import { listen } from '../../shared/http-server.ts';
import type { Redact } from '../../shared/secrets.ts';
import type { ApiContext } from '../context.ts';
import { limitDocumentSize } from '../limits/document-size.ts';
import { hideSchema } from '../limits/introspection.ts';
import { limitOperationCost } from '../limits/operation-cost.ts';
import { createRateLimits, toCaller } from '../limits/rate-limits.ts';
import type { ApiLimits } from '../limits/settings.ts';
import { schema } from '../schema/schema.ts';
import { authenticateRequests, type NodeContext } from './authentication.ts';
import type { BackupEndpoint } from './backup-endpoint.ts';
import { admitBody } from './body-size.ts';
import { compressResponses } from './compress-responses.ts';
import type { AuthenticatedConnection } from './connection/authenticate-connections.ts';
import { createOperationProtocol } from './connection/operation-protocol.ts';
import { createDashboardFiles } from './dashboard-files.ts';
import { DEFAULT_QUERY } from './default-query.ts';
import { createErrorMask } from './error-mask.ts';
import { createSingleConnections } from './event-stream/single-connections.ts';
import { createInProcess, type InProcess } from './in-process.ts';
import { type OperationMetrics, observeOperations } from './observe-operations.ts';
import { createOriginPolicy } from './origin.ts';
import { createPersistedOperations } from './persisted-operations.ts';
import { readPersistedOperations } from './persisted-operations-file.ts';
import { refuseUnreadableParameters } from './request-parameters.ts';
import { admitTarget } from './request-target.ts';
import { setContentPolicy, setSecurityHeaders } from './security-headers.ts';
import type { HttpSettings } from './settings.ts';
import { shareExecution } from './shared-execution.ts';
import { answerSubscriptions } from './stream-responses.ts';
import { serveWebSockets } from './web-socket/web-sockets.ts';

export interface ApiServer {
  /** The address of GraphQL, such as `http://127.0.0.1:4000/graphql`; null if it does not listen. */
  readonly url: string | null;
  /** Answers a request without a socket. */
  readonly fetch: InProcess['fetch'];
  /** Stops listening, ends subscriptions so that clients reconnect, and answers pending requests. */
  close(): Promise<void>;
}

export interface ApiServerOptions extends HttpSettings {
  /** Whether to listen at `host` and `port`. */
  readonly listens: boolean;
  /** Creates the context of a principal's requests. */
  readonly createContext: (principal: Principal) => ApiContext;
  /** Authenticates requests. */
  readonly authenticator: Authenticator;
  /** Finds the address that a request comes from. */
  readonly findAddress: ClientAddress;
  readonly limits: ApiLimits;
  /** Counts operations and connections. */
  readonly metrics: OperationMetrics & Pick<Metrics, 'openConnection'>;
  /** Answers requests for metrics; null if they are not served here. */
  readonly metricsEndpoint: MetricsEndpoint | null;
  readonly backupEndpoint: BackupEndpoint;
  readonly readiness: () => Promise<Readiness>;
  readonly log: Logger;
  /** Removes secrets from messages to clients. */
  readonly redact: Redact;
}

const PATH = '/graphql';

/** Serves the API: GraphQL over HTTP, event streams and WebSocket on one path, and GraphiQL in a browser. */
export async function startApiServer({
  createContext,
  authenticator,
  findAddress,
  limits,
  origins,
  introspection,
  graphiql,
  persistedOperationsFile,
  metrics,
  metricsEndpoint,
  backupEndpoint,
  readiness,
  host,
  port,
  listens,
  log,
  redact,
}: ApiServerOptions): Promise<ApiServer> {
  const requests = authenticateRequests(authenticator, findAddress, log);
  const operations = observeOperations(log, metrics);
  const rates = createRateLimits(limits.rates);
  const admission: Plugin<object, NodeContext> = {
    async onRequestParse({ request, serverContext: { req } }) {
      const caller = toCaller(requests.getPrincipal(request), findAddress(req));
      await rates.admitRequest(caller);
      return {
        async onRequestParseDone({ requestParserResult }) {
          const others = Array.isArray(requestParserResult) ? requestParserResult.length - 1 : 0;
          if (others > 0 && others < limits.maxBatchOperations) await rates.admitRequest(caller, others);
        },
      };
    },
  };
  const sites = createOriginPolicy(origins);
  const persisted = createPersistedOperations(
    persistedOperationsFile === undefined ? null : await readPersistedOperations(persistedOperationsFile),
    limits.document.maxCharacters,
  );
  const yoga = createYoga<NodeContext & Partial<AuthenticatedConnection>, RequestContext>({
    schema,
    plugins: [
      compressResponses(),
      operations.plugin,
      requests.plugin,
      admission,
      refuseUnreadableParameters(),
      answerSubscriptions(limits.connections.keepAliveMs),
      persisted.plugin,
      limitDocumentSize(limits.document),
      ...(introspection ? [] : [hideSchema()]),
      limitOperationCost(schema, limits.document),
      shareExecution(log),
      // After the subscribe functions, because it counts only subscriptions that open.
      rates.plugin,
    ],
    context: ({ request, req, ...connection }) => {
      const principal = connection.principal ?? requests.getPrincipal(request);
      return {
        ...createContext(principal),
        caller: toCaller(principal, findAddress(req)),
        // Undefined for an operation over a connection.
        lastEventId: (request as Request | undefined)?.headers.get('last-event-id') ?? null,
      };
    },
    // Documents are cached by their text, so clients that keep sending new ones need a bound.
    parserAndValidationCache: {
      documentCache: createLRUCache({ max: KEPT_DOCUMENTS }),
      errorCache: createLRUCache({ max: KEPT_DOCUMENTS }),
    },
    graphqlEndpoint: PATH,
    landingPage: false,
    logging: yogaLog(log),
    maskedErrors: { maskError: createErrorMask(log, redact) },
    // Uploads have no use here, and any site can send a form without a preflight.
    multipart: false,
    batching: { limit: limits.maxBatchOperations },
    cors: false,
    // `admitBody` has already counted the body; Yoga would copy it to count again.
    maxRequestBodySize: false,
    // 9 MB, which most processes never serve.
    renderGraphiQL: async (page) => (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(page),
    graphiql: graphiql && {
      title: 'BLADE Ingestion',
      defaultQuery: DEFAULT_QUERY,
      shouldPersistHeaders: false,
      // Over WebSocket the page does not send the headers from its editor.
      ...(authenticator.asksForCredential
        ? { subscriptionsProtocol: 'SSE', headers: '{ "authorization": "Bearer " }' }
        : { subscriptionsProtocol: 'WS' }),
    },
  });

  const protocol = createOperationProtocol({
    getEnveloped: (context) => yoga.getEnveloped(context),
    authenticator,
    findAddress,
    rates,
    operations,
    limits,
    log,
  });
  const singleConnections = createSingleConnections({
    path: PATH,
    protocol,
    authenticate: requests.authenticate,
    findAddress,
    rates,
    persisted,
    limits: limits.connections,
    log,
  });

  const dashboard = createDashboardFiles();
  if (dashboard === null)
    log.warn('the dashboard is not built, so / redirects to GraphiQL; build it with npm run build');

  const responses = new Set<ServerResponse>();
  const answer = operations.onRequest((request, response) => {
    setSecurityHeaders(response);
    if (!admitTarget(request, response)) return;
    if (!sites.admit(request, response)) return;
    if (metricsEndpoint?.(request, response)) return;
    if (backupEndpoint(request, response)) return;
    if (dashboard?.(request, response)) return;
    setContentPolicy(response, graphiql && asksForPage(request));
    if (request.url === '/') {
      response.writeHead(302, { location: PATH }).end();
      return;
    }
    if (!admitBody(request, response, limits.maxBodyBytes)) return;
    if (singleConnections(request, response)) return;
    yoga(request, response);
  });
  const server = createServer((request, response) => {
    responses.add(response);
    response.once('close', () => responses.delete(response));
    if (answerHealth(request, response, readiness)) return;
    try {
      answer(request, response);
    } catch (error) {
      // Uncaught, it would end the process.
      log.error({ err: error }, 'a request failed unexpectedly');
      response.destroy();
    }
  });
  server.headersTimeout = HEADERS_TIMEOUT_MS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;

  const closeWebSockets = serveWebSockets({
    server,
    path: PATH,
    protocol,
    sites,
    limits,
    onConnection: metrics.openConnection,
    log,
  });

  const inProcess = createInProcess(server);
  const origin = listens ? await listen(server, host, port) : null;

  return {
    url: origin === null ? null : `${origin}${PATH}`,
    fetch: inProcess.fetch,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await closeWebSockets();
      for (const response of responses) {
        // Destroyed, because an orderly end would mean that the subscription is complete.
        if (isStream(response)) response.destroy();
        else if (!response.headersSent) response.setHeader('connection', 'close');
      }
      server.closeIdleConnections();
      const answered = Promise.all([closed, inProcess.idle()]);
      await Promise.race([answered, setTimeout(ANSWER_TIMEOUT_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      inProcess.close();
      await closed;
      await yoga.dispose();
    },
  };
}

/** How long pending requests may take when the server stops, in milliseconds. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Cached documents: more than all operations of the programs that use one server. */
const KEPT_DOCUMENTS = 200;

/** How long the headers and the whole request may take to arrive, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

interface RequestContext extends ApiContext {
  readonly caller: string;
}

function asksForPage({ method, headers: { accept = '' } }: IncomingMessage): boolean {
  return method === 'GET' && accept.includes('text/html');
}

/** Whether a response is a stream, or may become one. */
function isStream(response: ServerResponse): boolean {
  if (!response.headersSent) return response.req.headers.accept === 'text/event-stream';
  return /^(text\/event-stream|multipart\/mixed)/.test(String(response.getHeader('content-type')));
}

function yogaLog(log: Logger) {
  const write =
    (level: 'debug' | 'warn') =>
    (...values: unknown[]) =>
      log[level](values.map(String).join(' '));
  // Yoga logs expected errors as errors, too; the error mask logs the unexpected ones.
  return { debug: write('debug'), info: write('debug'), warn: write('warn'), error: write('debug') };
}
