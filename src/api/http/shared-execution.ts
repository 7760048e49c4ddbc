import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';
import { createSourceEventStream, executeSubscriptionEvent, validateSubscriptionArgs } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Logger } from 'pino';
import { createIterator, DONE } from '../../shared/async-iterator.ts';
import type { ApiContext } from '../context.ts';
import { createOutagePatience } from './wait-out-outages.ts';

/**
 * Executes an event once for all subscribers with the same document, variables, role and clearance; event types depend on
 * nothing else of a principal. Subscribers share the result, so it must not be changed.
 */
export function shareExecution(log: Logger): Plugin<ApiContext> {
  const subscribe = createSharedSubscribe(({ role, clearance }) => `${role} ${clearance}`, log);
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  };
}

type Results = AsyncIterableIterator<ExecutionResult>;

/** @param toSight returns the parts of a principal that the result depends on. */
export function createSharedSubscribe(toSight: (principal: ApiContext['principal']) => string, log: Logger) {
  const patience = createOutagePatience(log);
  // An event lives only as long as subscribers wait for it.
  const executions = new WeakMap<object, Map<string, ExecutionResult | Promise<ExecutionResult>>>();
  const documents = new WeakMap<DocumentNode, number>();
  let documentCount = 0;

  function toKey({ document, operationName, variableValues, contextValue }: ExecutionArgs): string {
    let number = documents.get(document);
    if (number === undefined) {
      number = ++documentCount;
      documents.set(document, number);
    }
    const { principal } = contextValue as ApiContext;
    return JSON.stringify([number, operationName ?? null, variableValues ?? null, toSight(principal)]);
  }

  return async (args: ExecutionArgs): Promise<Results | ExecutionResult> => {
    const validated = validateSubscriptionArgs(args);
    if (!('schema' in validated)) return { errors: validated };
    const { prisma } = args.contextValue as ApiContext;
    const stream = await patience.persist(prisma, () => createSourceEventStream(validated));
    if (!(Symbol.asyncIterator in stream)) return stream;
    const key = toKey(args);

    const execute = (event: unknown): ExecutionResult | Promise<ExecutionResult> => {
      const run = () =>
        patience.persist(prisma, () => executeSubscriptionEvent({ ...validated, rootValue: event }));
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

    const events = stream[Symbol.asyncIterator]();
    let hasEnded = false;
    return createIterator<ExecutionResult>(
      async () => {
        if (hasEnded) return DONE;
        const event = await events.next();
        if (event.done) return DONE;
        const result = await execute(event.value);
        const cursor = findEventCursor(event.value);
        if (patience.hasGivenUp(result)) {
          hasEnded = true;
          await events.return?.();
        } else if (cursor !== null) cursors.set(result, cursor);
        return { done: false, value: result };
      },
      () => events.return?.(),
    );
  };
}

/** The cursors of results, whether a client asks for them or not. */
const cursors = new WeakMap<object, string>();

/** Finds the cursor of the event that a result is of; null if it has none. */
export function findCursor(result: object): string | null {
  return cursors.get(result) ?? null;
}

function findEventCursor(event: unknown): string | null {
  if (typeof event !== 'object' || event === null || !('cursor' in event)) return null;
  return typeof event.cursor === 'string' ? event.cursor : null;
}
