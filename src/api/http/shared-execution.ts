import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';
import { createSourceEventStream, executeSubscriptionEvent, validateSubscriptionArgs } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { mapIterator } from '../../shared/async-iterator.ts';
import type { ApiContext } from '../context.ts';

/**
 * Executes an event once for all subscribers who are given it and ask for the same: the same document and variables, by
 * principals of the same role and clearance, which is all of a principal that the types of an event look at. What is
 * shared is the result as it is, so that nobody may change it.
 */
export function shareExecution(): Plugin<ApiContext> {
  const subscribe = createSharedSubscribe(({ role, clearance }) => `${role} ${clearance}`);
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  };
}

type Results = AsyncIterableIterator<ExecutionResult>;

/** @param sightOf what of a principal decides what is answered. */
export function createSharedSubscribe(sightOf: (principal: ApiContext['principal']) => string) {
  // Events are kept by nobody else than those who have yet to be told of them.
  const executions = new WeakMap<object, Map<string, ExecutionResult | Promise<ExecutionResult>>>();
  const documents = new WeakMap<DocumentNode, number>();
  let documentCount = 0;

  function keyOf({ document, operationName, variableValues, contextValue }: ExecutionArgs): string {
    let number = documents.get(document);
    if (number === undefined) {
      number = ++documentCount;
      documents.set(document, number);
    }
    const { principal } = contextValue as ApiContext;
    return JSON.stringify([number, operationName ?? null, variableValues ?? null, sightOf(principal)]);
  }

  return async (args: ExecutionArgs): Promise<Results | ExecutionResult> => {
    const validated = validateSubscriptionArgs(args);
    if (!('schema' in validated)) return { errors: validated };
    const stream = await createSourceEventStream(validated);
    if (!(Symbol.asyncIterator in stream)) return stream;
    const key = keyOf(args);

    const execute = (event: unknown): ExecutionResult | Promise<ExecutionResult> => {
      const run = () => executeSubscriptionEvent({ ...validated, rootValue: event });
      if (typeof event !== 'object' || event === null) return run();
      let ofEvent = executions.get(event);
      if (ofEvent === undefined) {
        ofEvent = new Map();
        executions.set(event, ofEvent);
      }
      let result = ofEvent.get(key);
      if (result === undefined) {
        result = run();
        ofEvent.set(key, result);
      }
      return result;
    };

    return mapIterator(stream, execute);
  };
}
