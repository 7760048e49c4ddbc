import { type ExecutionArgs, GraphQLError, getOperationAST } from 'graphql';
import { type Context, makeServer, type Server } from 'graphql-ws';
import { type createYoga, isAsyncIterable } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Authenticator } from '../../../access/authenticator.ts';
import type { ClientAddress } from '../../../access/client-address.ts';
import {
  createRequestScope,
  iterateInRequest,
  type RequestScope,
  runInRequest,
} from '../../../shared/request-scope.ts';
import { tooManyOperations } from '../../limits/limit-error.ts';
import { type createRateLimits, toCaller } from '../../limits/rate-limits.ts';
import type { ApiLimits } from '../../limits/settings.ts';
import { toClientError, toClientResult, withCode } from '../client-errors.ts';
import type { OperationObserver } from '../observe-operations.ts';
import { authenticateConnections } from './authenticate-connections.ts';
import type { Extra } from './channel.ts';
import { refuseServerMessages } from './client-messages.ts';
import { sendResults } from './send-results.ts';

export interface ProtocolOptions {
  /** Executes the operations, with the plugins that those over HTTP pass through. */
  readonly getEnveloped: (context: object) => Pipeline;
  readonly authenticator: Authenticator;
  readonly findAddress: ClientAddress;
  readonly rates: Pick<ReturnType<typeof createRateLimits>, 'admitRequest'>;
  readonly operations: Pick<OperationObserver, 'refused'>;
  readonly limits: ApiLimits;
  readonly log: Logger;
}

/** The functions of one operation, as yoga's plugins wrap them. */
type Pipeline = ReturnType<ReturnType<typeof createYoga>['getEnveloped']>;

export type OperationProtocol = Server<Extra>;

/**
 * Runs the operations of connections, in the messages of graphql-transport-ws. Other protocols are translated into these
 * messages, so that execution, limits and authentication are the same for all.
 */
export function createOperationProtocol({
  getEnveloped,
  authenticator,
  findAddress,
  rates,
  operations,
  limits,
  log,
}: ProtocolOptions): OperationProtocol {
  // graphql-ws executes each operation through one function, so its own pipeline is found by its arguments.
  const pipelines = new WeakMap<object, Pick<Pipeline, 'execute' | 'subscribe'>>();
  const findPipeline = (args: object) => {
    const pipeline = pipelines.get(args);
    if (pipeline === undefined) throw new Error('the operation has not been admitted');
    return pipeline;
  };

  return makeServer<Record<string, unknown>, Extra>({
    ...authenticateConnections(authenticator, findAddress, log),
    jsonMessageReviver: refuseServerMessages,
    connectionInitWaitTimeout: limits.connections.initTimeoutMs,
    execute: (args) => findPipeline(args).execute(args),
    subscribe: (args) => findPipeline(args).subscribe(args),

    async onSubscribe(connection: Context<Record<string, unknown>, Extra>, _id, params) {
      const { channel, request, principal, isCounted = false } = connection.extra;
      const scope = createRequestScope();
      const refuse = (errors: readonly GraphQLError[]) => {
        operations.refused(scope, errors);
        return errors.map(withCode);
      };
      const { maxOperations } = limits.connections;
      if (Object.keys(connection.subscriptions).length > maxOperations) {
        return refuse([tooManyOperations(maxOperations)]);
      }
      const { transport } = channel;
      const pipeline = getEnveloped({ ...connection, principal, req: request, transport, params });
      try {
        if (principal !== undefined && !isCounted)
          await rates.admitRequest(toCaller(principal, findAddress(request)));
        const document = pipeline.parse(params.query);
        const errors: readonly GraphQLError[] = pipeline.validate(pipeline.schema, document);
        if (errors.length > 0) return refuse(errors);
        if (!getOperationAST(document, params.operationName)) return refuse([noSuchOperation()]);
        const args: ExecutionArgs = {
          schema: pipeline.schema,
          document,
          operationName: params.operationName ?? null,
          variableValues: params.variables ?? null,
          contextValue: await pipeline.contextFactory(),
        };
        pipelines.set(args, bindToRequest(scope, pipeline));
        return args;
      } catch (error) {
        if (error instanceof GraphQLError) return refuse([error]);
        throw error;
      }
    },

    onOperation({ extra: { channel } }, id, _params, _args, result) {
      return isAsyncIterable(result) ? sendResults(channel, id, result) : result;
    },

    onNext: (_connection, _id, _params, _args, result) => toClientResult(result),
    onError: (_connection, _id, _params, errors) => errors.map(toClientError),
  });
}

/** The same error as for a request over HTTP. */
function noSuchOperation(): GraphQLError {
  return new GraphQLError('Could not determine what operation to execute.', {
    extensions: { code: 'OPERATION_RESOLUTION_FAILURE' },
  });
}

/** The functions of a pipeline, run as part of answering a request. */
function bindToRequest(
  scope: RequestScope,
  { execute, subscribe }: Pipeline,
): Pick<Pipeline, 'execute' | 'subscribe'> {
  return {
    execute: (args: ExecutionArgs) => runInRequest(scope, () => execute(args)),
    async subscribe(args: ExecutionArgs) {
      const result = await runInRequest(scope, () => subscribe(args));
      return isAsyncIterable(result) ? iterateInRequest(scope, result) : result;
    },
  };
}
