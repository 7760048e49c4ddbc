import { ExponentialBackoff } from 'cockatiel';
import type { Agent } from 'undici';
import type { Clock } from './clock.ts';
import { type ExchangeRequest, exchange } from './exchange.ts';
import type { HttpCatalogOptions } from './options.ts';
import type { OutageGuard } from './outage.ts';
import type { RequestQueue } from './request-queue.ts';
import { type Session, SessionEndedError } from './session.ts';
import { judgeAnswer, judgeError, type Verdict } from './verdict.ts';

/** How a request ended. */
export type Decision =
  | Extract<Verdict, { readonly kind: 'ACCEPTED' | 'REFUSED' }>
  /** Every attempt has failed. */
  | { readonly kind: 'GIVEN_UP'; readonly message: string };

export interface RetryOptions
  extends Pick<
    HttpCatalogOptions,
    'token' | 'timeoutMs' | 'maxRetryAfterMs' | 'attempts' | 'backoffMs' | 'maxBackoffMs'
  > {
  readonly queue: RequestQueue;
  readonly guard: Pick<OutageGuard, 'answered' | 'failed'>;
  readonly clock: Clock;
}

const ACCEPTED: ReadonlySet<number> = new Set([200, 201]);

/** 410 says that there is no such item. */
const REMOVED: ReadonlySet<number> = new Set([200, 202, 204, 410]);

/** @returns a function that sends a request until the catalog accepts or refuses it. */
export function createSender(agent: Agent, options: RetryOptions) {
  const { queue, guard, clock, token, timeoutMs, maxRetryAfterMs, attempts } = options;
  const { backoffMs: initialDelay, maxBackoffMs: maxDelay } = options;
  const backoffs = new ExponentialBackoff({ initialDelay, maxDelay });

  async function attempt(request: ExchangeRequest, { cancellations, end }: Session, isFirst: boolean) {
    const verdict = await judge(request, cancellations);
    if (verdict.kind === 'FAILED') return { verdict, isCharged: guard.failed(verdict, isFirst) };
    guard.answered();
    if (verdict.kind === 'UNAUTHORIZED') {
      end(verdict.message);
      throw new SessionEndedError(verdict.message);
    }
    return { verdict, isCharged: false };
  }

  async function judge(request: ExchangeRequest, cancellations: Session['cancellations']): Promise<Verdict> {
    try {
      const answer = await exchange(agent, request, { timeoutMs, cancellations });
      const accepted = request.method === 'DELETE' ? REMOVED : ACCEPTED;
      return judgeAnswer(answer, { accepted, token, maxRetryAfterMs, now: Date.now() });
    } catch (error) {
      return judgeError(error, timeoutMs);
    }
  }

  return async function send(createRequest: () => ExchangeRequest, session: Session): Promise<Decision> {
    const { ending } = session;
    let backoff = backoffs.next();
    let charged = 0;
    while (true) {
      const { verdict, isCharged } = await queue.add(() => attempt(createRequest(), session, charged === 0), {
        signal: ending,
      });
      if (verdict.kind !== 'FAILED') return verdict;
      if (!isCharged) continue;
      charged++;
      if (charged >= attempts) {
        const message = `The catalog ${verdict.message} (attempt ${charged} of ${attempts})`;
        return { kind: 'GIVEN_UP', message };
      }
      await clock.wait(Math.max(backoff.duration, verdict.retryAfterMs ?? 0), ending);
      backoff = backoff.next(undefined);
    }
  };
}
