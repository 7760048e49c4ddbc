import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { Notifications } from '../database/notifications.ts';
import { UnauthenticatedError } from './access-errors.ts';
import { createApiKeyVerifier } from './api-key-verifier.ts';
import { isApiKey } from './api-keys.ts';
import { findApiKeyId, localPrincipal, type Principal } from './principal.ts';
import { type AccessSettings, asksForCredential } from './settings.ts';
import { createTokenVerifier } from './token-verifier.ts';

/** Tells who sends a request, and when their right to go on ends. */
export interface Authenticator {
  /** Whether a credential is needed; without, everybody is the local principal. */
  readonly asksForCredential: boolean;
  /**
   * @param authorization as the header of that name has it: `Bearer` and a token or an API key.
   * @param address from where it was sent.
   * @throws UnauthenticatedError where there is none or it is not good; AuthenticationUnavailableError where that
   * cannot be told now; TooManyFailedCredentialsError where so many of the address were no good that it is not looked at.
   */
  authenticate(authorization: string | undefined, address: string): Promise<Principal>;
  /**
   * Calls once when the right of a principal ends: its credential has expired or is revoked.
   * @returns ends the watching.
   */
  watch(principal: Principal, onEnd: (reason: UnauthenticatedError) => void): () => void;
  close(): Promise<void>;
}

/** @param parts.onError is told of what fails beside a request. */
export async function createAuthenticator(
  settings: Pick<AccessSettings, 'tokens' | 'useApiKeys'>,
  parts: { prisma: PrismaClient; notifications: Notifications; onError: (error: unknown) => void },
): Promise<Authenticator> {
  if (!asksForCredential(settings)) return localAuthenticator;
  const verifyToken = settings.tokens === null ? null : createTokenVerifier(settings.tokens);
  const apiKeys = settings.useApiKeys ? await createApiKeyVerifier(parts) : null;

  return {
    asksForCredential: true,

    async authenticate(authorization) {
      if (authorization === undefined) {
        throw new UnauthenticatedError('this needs a credential: authorization: Bearer …', true);
      }
      const credential = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      if (credential === undefined) {
        throw new UnauthenticatedError('the authorization has to be Bearer and a token or an API key');
      }
      if (isApiKey(credential)) {
        if (apiKeys === null) throw new UnauthenticatedError('this server takes no API keys');
        return apiKeys.verify(credential);
      }
      if (verifyToken === null) throw new UnauthenticatedError('this server takes API keys only');
      return verifyToken(credential);
    },

    watch(principal, onEnd) {
      let isOver = false;
      const end = (message: string) => {
        if (isOver) return;
        stop();
        onEnd(new UnauthenticatedError(message));
      };
      const apiKeyId = findApiKeyId(principal);
      const stopWaiting = callAt(principal.expiresAt, () => end('the credential has expired'));
      const stopWatching =
        apiKeyId === null ? undefined : apiKeys?.watch(apiKeyId, () => end('the API key is revoked'));
      const stop = () => {
        isOver = true;
        stopWaiting();
        stopWatching?.();
      };
      return stop;
    },

    close: async () => apiKeys?.close(),
  };
}

/** Of a server that knows no principals. */
const localAuthenticator: Authenticator = {
  asksForCredential: false,
  authenticate: async () => localPrincipal,
  watch: () => () => {},
  close: async () => {},
};

/** The longest time that a timer takes, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** @returns ends the waiting. */
function callAt(time: Date | null, call: () => void): () => void {
  if (time === null) return () => {};
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = time.getTime() - Date.now();
    timer = setTimeout(left > LONGEST_TIMER_MS ? wait : call, Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}
