import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { ExecutionArgs } from 'graphql';
import { GraphQLError } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createYoga } from 'graphql-yoga';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { Authenticator } from '../access/authenticator.ts';
import type { Principal } from '../access/principal.ts';
import type { Readiness } from '../health.ts';
import { answerHealth, listen } from '../health-server.ts';
import type { Redact } from '../secrets.ts';
import {
  type AuthenticatedConnection,
  authenticateConnections,
  authenticateRequests,
} from './authentication.ts';
import type { ApiContext } from './context.ts';
import { createDashboardFiles } from './dashboard-files.ts';
import { createErrorMask } from './error-mask.ts';
import { schema } from './schema.ts';
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
  readiness,
  host,
  port,
  log,
  redact,
}: ApiServerOptions): Promise<ApiServer> {
  const requests = authenticateRequests(authenticator, log);
  const yoga = createYoga<Partial<AuthenticatedConnection>>({
    schema,
    plugins: [requests.plugin, shareExecution()],
    context: ({ request, principal }) => contextOf(principal ?? requests.principalOf(request)),
    graphqlEndpoint: PATH,
    landingPage: false,
    logging: yogaLog(log),
    maskedErrors: { maskError: createErrorMask(log, redact) },
    // Uploads are of no use here, and a form is what a page of another site can send without asking.
    multipart: false,
    cors: false,
    renderGraphiQL,
    graphiql: {
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
  const server = createServer((request, response) => {
    responses.add(response);
    response.once('close', () => responses.delete(response));
    if (answerHealth(request, response, readiness)) return;
    if (isOfOtherSite(request)) {
      response.writeHead(403).end();
      return;
    }
    if (dashboard?.(request, response)) return;
    if (request.url === '/') {
      response.writeHead(302, { location: PATH }).end();
      return;
    }
    yoga(request, response);
  });

  const webSockets = new WebSocketServer({
    server,
    path: PATH,
    verifyClient: ({ req }: { req: IncomingMessage }) => !isOfOtherSite(req),
  });
  const graphqlOverWebSocket = useServer<Record<string, unknown>, Partial<AuthenticatedConnection>>(
    {
      ...authenticateConnections(authenticator, log),
      execute: (args) => enveloped(args).execute(args),
      subscribe: (args) => enveloped(args).subscribe(args),
      async onSubscribe(connection, _id, params) {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...connection,
          principal: connection.extra.principal,
          req: connection.extra.request,
          socket: connection.extra.socket,
          params,
        });
        let document: ReturnType<typeof parse>;
        try {
          document = parse(params.query);
        } catch (error) {
          if (error instanceof GraphQLError) return [error];
          throw error;
        }
        const errors = validate(schema, document);
        if (errors.length > 0) return errors;
        const args: EnvelopedArgs = {
          schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        return args;
      },
    },
    webSockets,
  );

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

function asksForEvents({ headers: { accept = '' } }: IncomingMessage): boolean {
  return accept.includes('text/event-stream');
}

/**
 * Whether a page of another site sent the request: a browser says which page did, and lets any page send forms and open
 * WebSockets, so that one which somebody on this network visits could start and cancel jobs.
 */
function isOfOtherSite({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && URL.parse(origin)?.host !== host;
}

/** The functions of the request's own pipeline travel in the root value, as graphql-ws hands on nothing else. */
interface EnvelopedArgs extends ExecutionArgs {
  readonly rootValue: Pick<
    ReturnType<ReturnType<typeof createYoga>['getEnveloped']>,
    'execute' | 'subscribe'
  >;
}

function enveloped(args: ExecutionArgs): EnvelopedArgs['rootValue'] {
  return (args as EnvelopedArgs).rootValue;
}

function yogaLog(log: Logger) {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...values: unknown[]) =>
      log[level](values.map(String).join(' '));
  return { debug: write('debug'), info: write('debug'), warn: write('warn'), error: write('error') };
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
