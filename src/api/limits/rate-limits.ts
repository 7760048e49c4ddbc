import type { GraphQLError } from 'graphql';
import { getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { localPrincipal, type Principal } from '../../access/principal.ts';
import { rateLimited } from './limit-error.ts';
import type { RateLimits } from './settings.ts';

/** Who is counted: a principal, or an address where there is but one principal for all. */
export type Caller = string;

export function callerOf(principal: Principal, address: string): Caller {
  return principal.id === localPrincipal.id ? `${principal.id} ${address}` : principal.id;
}

/** Requests of a second are counted over this many, so that a page that asks for many things at once may. */
const WINDOW_SECONDS = 10;

/** The context of an operation: what counts its caller. */
export interface RateLimitedContext {
  readonly caller: Caller;
}

/**
 * Counts what each caller asks of this process.
 * @returns `admitRequest` for every request, whatever is in it, and a plugin for the operations.
 */
export function createRateLimits(limits: RateLimits) {
  const requests = new RateLimiterMemory({
    points: limits.requestsPerSecond * WINDOW_SECONDS,
    duration: WINDOW_SECONDS,
  });
  const mutations = new RateLimiterMemory({ points: limits.mutationsPerMinute, duration: 60 });
  const subscriptions = new RateLimiterMemory({ points: limits.subscriptionsPerMinute, duration: 60 });
  const open = new Map<Caller, number>();

  function release(caller: Caller): void {
    const others = (open.get(caller) ?? 0) - 1;
    if (others > 0) open.set(caller, others);
    else open.delete(caller);
  }

  const plugin: Plugin<RateLimitedContext> = {
    async onExecute({ args, setResultAndStopExecution }) {
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== 'mutation') return;
      const error = await take(mutations, args.contextValue.caller, 'mutations');
      if (error !== null) setResultAndStopExecution({ errors: [error] });
    },

    async onSubscribe({ args, subscribeFn, setSubscribeFn, setResultAndStopExecution }) {
      const { caller } = args.contextValue;
      const error =
        (open.get(caller) ?? 0) >= limits.maxSubscriptions
          ? rateLimited(
              `There are ${limits.maxSubscriptions} subscriptions already, which is the most: end one.`,
              1,
            )
          : await take(subscriptions, caller, 'subscriptions');
      if (error !== null) {
        setResultAndStopExecution({ errors: [error] });
        return undefined;
      }
      open.set(caller, (open.get(caller) ?? 0) + 1);
      let isOpen = true;
      const end = () => {
        if (isOpen) release(caller);
        isOpen = false;
      };
      setSubscribeFn(async (subscribeArgs: Parameters<typeof subscribeFn>[0]) => {
        try {
          return await subscribeFn(subscribeArgs);
        } catch (failure) {
          end();
          throw failure;
        }
      });
      return {
        onSubscribeResult({ result }) {
          if (Symbol.asyncIterator in result) return { onEnd: end };
          end();
          return undefined;
        },
      };
    },
  };

  return {
    plugin,
    /** @throws GraphQLError RATE_LIMITED. */
    async admitRequest(caller: Caller): Promise<void> {
      const error = await take(requests, caller, 'requests');
      if (error !== null) throw error;
    },
  };
}

async function take(limiter: RateLimiterMemory, caller: Caller, what: string): Promise<GraphQLError | null> {
  try {
    await limiter.consume(caller);
    return null;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
    return rateLimited(`Too many ${what}: ask again in ${seconds} s.`, seconds);
  }
}
