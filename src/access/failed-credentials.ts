import { hash } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { TooManyFailedCredentialsError, UnauthenticatedError } from './access-errors.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * An authenticator that looks at no more credentials of an address that has sent too many that were no good within a
 * minute. A credential that was good before is still looked at, so that whoever is in stays in when somebody at the same
 * address guesses.
 * @param parts.perMinute how many may fail; those that are under way at once may be more.
 * @param parts.onLimit told of each address that has come to the limit, once a minute.
 */
export function limitFailedCredentials(
  authenticator: Authenticator,
  parts: { readonly perMinute: number; readonly onLimit: (address: string) => void },
): Authenticator {
  const { perMinute, onLimit } = parts;
  if (!authenticator.asksForCredential) return authenticator;
  const failures = new RateLimiterMemory({ points: perMinute, duration: 60 });
  const good = new Set<string>();

  return {
    ...authenticator,
    async authenticate(authorization, address) {
      // None at all is no guess, and costs nothing to refuse.
      if (authorization === undefined) return authenticator.authenticate(authorization, address);
      const credential = hash('sha256', authorization, 'base64url');
      const failed = await failures.get(address);
      if (failed !== null && failed.msBeforeNext > 0 && failed.remainingPoints <= 0 && !good.has(credential))
        throw new TooManyFailedCredentialsError(Math.ceil(failed.msBeforeNext / 1_000));
      try {
        const principal = await authenticator.authenticate(authorization, address);
        rememberCredential(good, credential);
        return principal;
      } catch (error) {
        if (error instanceof UnauthenticatedError) {
          good.delete(credential);
          const { consumedPoints } = await failures.penalty(address);
          if (consumedPoints === perMinute) onLimit(address);
        }
        throw error;
      }
    },
  };
}

/** Good credentials that are remembered at once, by their hashes. */
const MAX_REMEMBERED = 10_000;

/** Keeps what was good last: what is remembered already moves behind the others. */
function rememberCredential(good: Set<string>, credential: string): void {
  good.delete(credential);
  good.add(credential);
  if (good.size <= MAX_REMEMBERED) return;
  for (const oldest of good) {
    good.delete(oldest);
    return;
  }
}
