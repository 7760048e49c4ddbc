import type { DocumentNode, ExecutionArgs, ExecutionResult } from 'graphql';
import { createSourceEventStream, executeSubscriptionEvent, validateSubscriptionArgs } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isOutage, waitOutOutage } from '../../database/outage.ts';
import { mapIterator } from '../../shared/async-iterator.ts';
import type { ApiContext } from '../context.ts';

/**
 * Executes an event once for all subscribers with the same document, variables, role and clearance; event types depend on
 * nothing else of a principal. Subscribers share the result, so it must not be changed.
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

/** @param toSight returns the parts of a principal that the result depends on. */
export function createSharedSubscribe(toSight: (principal: ApiContext['principal']) => string) {
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
    const stream = await persist(args, () => createSourceEventStream(validated));
    if (!(Symbol.asyncIterator in stream)) return stream;
    const key = toKey(args);

    const execute = (event: unknown): ExecutionResult | Promise<ExecutionResult> => {
      const run = () => persist(args, () => executeSubscriptionEvent({ ...validated, rootValue: event }));
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

    return mapIterator(stream, async (event) => {
      const result = await execute(event);
      const cursor = findEventCursor(event);
      if (cursor !== null) cursors.set(result, cursor);
      return result;
    });
  };
}

/** Repeats what an outage of the database has made fail: to most clients an error is the end of their subscription. */
function persist<Result extends object>(
  args: ExecutionArgs,
  attempt: () => Result | Promise<Result>,
): Result | Promise<Result> {
  const pending = attempt();
  // A result that is there at once has read nothing.
  if (!(pending instanceof Promise)) return pending;
  return pending.then(async (result) => {
    if (!hasOutage(result)) return result;
    await waitOutOutage((args.contextValue as ApiContext).prisma);
    return persist(args, attempt);
  });
}

function hasOutage(result: object): boolean {
  const { errors = [] }: ExecutionResult = result;
  return errors.some(({ originalError }) => isOutage(originalError));
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
