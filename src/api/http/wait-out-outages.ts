import type { ExecutionResult } from 'graphql';
import type { Logger } from 'pino';
import type { PrismaClient } from '../../database/generated/prisma/client.ts';
import { isOutage, waitOutOutage } from '../../database/outage.ts';

/** How often an operation fails as in an outage while the database answers, until its error counts. */
const MOST_FAILURES = 5;

/** Repeats what an outage of the database has made fail: to most clients an error is the end of their subscription. */
export interface OutagePatience {
  /** Repeats an attempt until it succeeds, or until the database demonstrably answers and it still fails. */
  persist<Result extends object>(
    prisma: PrismaClient,
    attempt: () => Result | Promise<Result>,
  ): Result | Promise<Result>;
  /** Whether a result has the error of an outage that was not one. */
  hasGivenUp(result: object): boolean;
}

export function createOutagePatience(log: Logger): OutagePatience {
  const givenUp = new WeakSet<object>();
  let waiting = 0;
  let since = 0;

  function beginWaiting(error: Error): void {
    waiting += 1;
    if (waiting > 1) return;
    since = performance.now();
    log.warn({ err: error }, 'the database does not answer: subscriptions wait until it does');
  }

  function endWaiting(): void {
    waiting -= 1;
    if (waiting > 0) return;
    const seconds = Math.round((performance.now() - since) / 1_000);
    log.info({ seconds }, 'no subscription waits for the database any longer');
  }

  async function repeat<Result extends object>(
    prisma: PrismaClient,
    failure: Error,
    attempt: () => Result | Promise<Result>,
  ): Promise<Result> {
    beginWaiting(failure);
    try {
      let failures = 1;
      for (;;) {
        if (await waitOutOutage(prisma)) failures = 0;
        const result = await attempt();
        const error = findOutage(result);
        if (error === undefined) return result;
        failures += 1;
        if (failures < MOST_FAILURES) continue;
        log.error({ err: error }, 'the database answers, but a subscription cannot read it and ends');
        givenUp.add(result);
        return result;
      }
    } finally {
      endWaiting();
    }
  }

  return {
    persist(prisma, attempt) {
      const pending = attempt();
      // A result that is there at once has read nothing.
      if (!(pending instanceof Promise)) return pending;
      return pending.then((result) => {
        const error = findOutage(result);
        return error === undefined ? result : repeat(prisma, error, attempt);
      });
    },
    hasGivenUp: (result) => givenUp.has(result),
  };
}

function findOutage(result: object): Error | undefined {
  const { errors = [] }: ExecutionResult = result;
  return errors.find(({ originalError }) => isOutage(originalError))?.originalError;
}
