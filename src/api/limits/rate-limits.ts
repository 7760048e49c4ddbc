import type { GraphQLError } from 'graphql';
import { getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { localPrincipal, type Principal } from '../../access/principal.ts';
import { rateLimited } from './limit-error.ts';
import type { RateLimits } from './settings.ts';

/** Who requests are counted for: a principal, or an address if everybody shares one principal. */
export type Caller = string;

export function toCaller(principal: Principal, address: string): Caller {
  return principal.id === localPrincipal.id ? `${principal.id} ${address}` : principal.id;
}

/** Requests are counted over this many seconds, so that a page may send many at once. */
const WINDOW_SECONDS = 10;

/** The context of an operation whose caller is counted. */
export interface RateLimitedContext {
  readonly caller: Caller;
}

/**
 * Counts the requests of each caller in this process.
 * @returns `admitRequest` for every request, and a plugin that counts its operations.
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
              `You already have ${limits.maxSubscriptions} subscriptions, the most allowed: end one first.`,
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
    /**
     * @param count of operations in the request.
     * @throws GraphQLError RATE_LIMITED.
     */
    async admitRequest(caller: Caller, count = 1): Promise<void> {
      const error = await take(requests, caller, 'requests', count);
      if (error !== null) throw error;
    },
  };
}

async function take(
  limiter: RateLimiterMemory,
  caller: Caller,
  what: string,
  count = 1,
): Promise<GraphQLError | null> {
  try {
    await limiter.consume(caller, count);
    return null;
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    const seconds = Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
    return rateLimited(`Too many ${what}: try again in ${seconds} s.`, seconds);
  }
}
