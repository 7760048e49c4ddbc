import { hash } from 'node:crypto';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { TooManyFailedCredentialsError, UnauthenticatedError } from './access-errors.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * Makes an authenticator check no more credentials from an address after too many were refused within a minute. One that
 * was valid before is still checked, so that its owner stays in when somebody guesses from the same address.
 * @param parts.perMinute how many may fail; of those that are checked at once, some more may.
 * @param parts.onLimit called with each address that reaches the limit, once a minute.
 */
export function limitFailedCredentials(
  authenticator: Authenticator,
  parts: { readonly perMinute: number; readonly onLimit: (address: string) => void },
): Authenticator {
  const { perMinute, onLimit } = parts;
  if (!authenticator.asksForCredential) return authenticator;
  const failures = new RateLimiterMemory({ points: perMinute, duration: 60 });
  const valid = new Set<string>();

  return {
    ...authenticator,
    async authenticate(authorization, address) {
      // A missing credential is not a guess, and costs nothing to refuse.
      if (authorization === undefined) return authenticator.authenticate(authorization, address);
      const credential = hash('sha256', authorization, 'base64url');
      const failed = await failures.get(address);
      if (failed !== null && failed.msBeforeNext > 0 && failed.remainingPoints <= 0 && !valid.has(credential))
        throw new TooManyFailedCredentialsError(Math.ceil(failed.msBeforeNext / 1_000));
      try {
        const principal = await authenticator.authenticate(authorization, address);
        rememberCredential(valid, credential);
        return principal;
      } catch (error) {
        if (error instanceof UnauthenticatedError) {
          valid.delete(credential);
          const { consumedPoints } = await failures.penalty(address);
          if (consumedPoints === perMinute) onLimit(address);
        }
        throw error;
      }
    },
  };
}

/** The most valid credentials that are remembered, by their hashes. */
const MAX_REMEMBERED = 10_000;

/** Remembers a credential as the newest, and forgets the oldest of too many. */
function rememberCredential(valid: Set<string>, credential: string): void {
  valid.delete(credential);
  valid.add(credential);
  if (valid.size <= MAX_REMEMBERED) return;
  for (const oldest of valid) {
    valid.delete(oldest);
    return;
  }
}
