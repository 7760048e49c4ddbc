import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionArgs, type ExecutionResult, getOperationAST, Kind } from 'graphql';
import { isAsyncIterable, type Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import type { Metrics, OperationOutcome, OperationType } from '../../observability/metrics.ts';
import { startOperationSpan } from '../../observability/spans.ts';
import {
  createOperationScope,
  createRequestScope,
  getCurrentRequest,
  type RequestScope,
  runInRequest,
} from '../../shared/request-scope.ts';
import type { ApiContext } from '../context.ts';
import type { Channel } from './connection/channel.ts';
import { toErrorCode, UNEXPECTED } from './error-mask.ts';

/** Reports operations to the log, the metrics and the traces. */
export interface OperationObserver {
  /** Observes every operation on every transport. */
  readonly plugin: Plugin;
  /** Answers an HTTP request with an id in its headers, and observes refusals outside GraphQL. */
  onRequest(
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): (request: IncomingMessage, response: ServerResponse) => void;
  /** Reports an operation over a connection that was refused before it started. */
  refused(scope: RequestScope, errors: readonly unknown[]): void;
}

/** The metrics of operations. */
export type OperationMetrics = Pick<Metrics, 'recordOperation' | 'openSubscription'>;

export function observeOperations(log: Logger, metrics: OperationMetrics): OperationObserver {
  function begin({ document, operationName, contextValue, schema }: ExecutionArgs) {
    const context = contextValue as ObservedContext;
    const operation = getOperationAST(document, operationName);
    const type: OperationType = operation?.operation ?? 'unknown';
    const root = operation == null ? undefined : schema.getRootType(operation.operation);
    // Only names from the schema: clients choose the operation's name freely.
    const fields = (operation?.selectionSet.selections ?? []).flatMap((selection) =>
      selection.kind === Kind.FIELD && root?.getFields()[selection.name.value] !== undefined
        ? [selection.name.value]
        : [],
    );
    const request = getCurrentRequest() ?? createRequestScope();
    const scope = createOperationScope(request);
    const span = startOperationSpan(`${type} ${fields[0] ?? ''}`.trimEnd(), context.req?.headers ?? {}, {
      'graphql.operation.type': type,
      'blade.request_id': scope.requestId,
    });
    const startedAt = performance.now();
    return {
      transport: context.transport ?? ('http' as const),
      run: <Result>(work: () => Result) => span.run(() => runInRequest(scope, work)),
      end(result: ExecutionResult): void {
        const seconds = (performance.now() - startedAt) / 1_000;
        const { outcome, codes } = toOutcome(result, scope);
        metrics.recordOperation(type, outcome, seconds);
        span.end({ 'blade.outcome': outcome }, outcome === 'failed' ? codes.join() : undefined);
        request.isLogged = true;
        log[toLogLevel(type, outcome)](
          {
            requestId: scope.requestId,
            principal: context.principal.id,
            operation: fields,
            ...request.facts,
            ...scope.facts,
            outcome,
            ...(codes.length === 0 ? {} : { codes }),
            ms: Math.round(seconds * 1_000),
            ...(span.traceId === undefined ? {} : { traceId: span.traceId }),
          },
          type,
        );
      },
    };
  }

  function refused(scope: RequestScope, errors: readonly unknown[]): void {
    if (scope.isLogged) return;
    scope.isLogged = true;
    const codes = toCodes(errors);
    const outcome = codes.includes(UNEXPECTED) ? 'failed' : 'refused';
    metrics.recordOperation('unknown', outcome, 0);
    log[toLogLevel('unknown', outcome)](
      { requestId: scope.requestId, ...scope.facts, outcome, codes },
      'request refused',
    );
  }

  return {
    refused,

    plugin: {
      onExecute({ args, executeFn, setExecuteFn }) {
        const operation = begin(args as ExecutionArgs);
        setExecuteFn((given) => operation.run(() => executeFn(given)));
        return {
          onExecuteDone({ result }) {
            if (!isAsyncIterable(result)) operation.end(result);
          },
        };
      },

      onSubscribe({ args }) {
        const operation = begin(args as ExecutionArgs);
        return {
          onSubscribeResult({ result }) {
            if (!isAsyncIterable(result)) {
              operation.end(result);
              return undefined;
            }
            operation.end({});
            return { onEnd: metrics.openSubscription(operation.transport) };
          },
        };
      },

      onResultProcess({ result }) {
        const scope = getCurrentRequest();
        if (scope === undefined || isAsyncIterable(result)) return;
        const results = Array.isArray(result) ? result : [result];
        const errors = results.flatMap(({ errors: ofResult }) => ofResult ?? []);
        if (errors.length > 0) refused(scope, errors);
      },
    },

    onRequest: (answer) => (request, response) => {
      const scope = createRequestScope(request.headers['x-request-id']);
      response.setHeader('x-request-id', scope.requestId);
      response.once('finish', () => {
        const { statusCode: status } = response;
        if (status < 400 || scope.isLogged) return;
        const [path] = (request.url ?? '').split('?', 1);
        log.info({ requestId: scope.requestId, method: request.method, path, status }, 'request refused');
      });
      runInRequest(scope, () => answer(request, response));
    },
  };
}

/** The parts of an operation's context that are observed. */
interface ObservedContext extends Pick<ApiContext, 'principal'> {
  readonly req?: { readonly headers: IncomingHttpHeaders };
  /** Set for operations over a connection. */
  readonly transport?: Channel['transport'];
}

/** A typed error counts as a refusal, whatever the client selected of it. */
function toOutcome(
  { errors = [] }: ExecutionResult,
  { refusals }: Pick<RequestScope, 'refusals'>,
): { outcome: OperationOutcome; codes: string[] } {
  const codes = toCodes(errors);
  if (codes.includes(UNEXPECTED)) return { outcome: 'failed', codes };
  const all = [...codes, ...refusals];
  return { outcome: all.length > 0 ? 'refused' : 'done', codes: all };
}

function toCodes(errors: readonly unknown[]): string[] {
  return [...new Set(errors.map(toErrorCode))];
}

function toLogLevel(type: OperationType, outcome: OperationOutcome): 'debug' | 'info' | 'warn' {
  if (outcome === 'failed') return 'warn';
  return type === 'mutation' || outcome === 'refused' ? 'info' : 'debug';
}
