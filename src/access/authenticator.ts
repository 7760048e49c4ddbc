import type { PrismaClient } from '../database/generated/prisma/client.ts';
import type { Notifications } from '../database/notifications.ts';
import { UnauthenticatedError } from './access-errors.ts';
import { createApiKeyVerifier } from './api-key-verifier.ts';
import { isApiKey } from './api-keys.ts';
import { findApiKeyId, localPrincipal, type Principal } from './principal.ts';
import { type AccessSettings, asksForCredential } from './settings.ts';
import { createTokenVerifier } from './token-verifier.ts';

/** Authenticates requests, and reports when a credential stops being valid. */
export interface Authenticator {
  /** Whether a credential is needed; otherwise everybody is the local principal. */
  readonly asksForCredential: boolean;
  /**
   * Finds the principal of a credential.
   * @param authorization the header of that name: `Bearer` and a token or an API key.
   * @param address where it comes from.
   * @throws UnauthenticatedError if it is missing or not valid; AuthenticationUnavailableError if it cannot be checked
   * now; TooManyFailedCredentialsError if too many from the address were refused.
   */
  authenticate(authorization: string | undefined, address: string): Promise<Principal>;
  /**
   * Calls back once when a principal's credential expires or is revoked.
   * @returns a function that ends the watching.
   */
  watch(principal: Principal, onEnd: (reason: UnauthenticatedError) => void): () => void;
  /** Accepts an API key no longer that this process has just revoked. */
  forgetApiKey(apiKeyId: string): void;
  close(): Promise<void>;
}

/** @param parts.onError called with failures outside of a request. */
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
        throw new UnauthenticatedError('the authorization must be Bearer and a token or an API key');
      }
      if (isApiKey(credential)) {
        if (apiKeys === null) throw new UnauthenticatedError('this server does not accept API keys');
        return apiKeys.verify(credential);
      }
      if (verifyToken === null) throw new UnauthenticatedError('this server accepts only API keys');
      return verifyToken(credential);
    },

    watch(principal, onEnd) {
      let isOver = false;
      const finish = (message: string) => {
        if (isOver) return;
        stop();
        onEnd(new UnauthenticatedError(message));
      };
      const apiKeyId = findApiKeyId(principal);
      const stopWaiting = callAt(principal.expiresAt, () => finish('the credential has expired'));
      const stopWatching =
        apiKeyId === null ? undefined : apiKeys?.watch(apiKeyId, () => finish('the API key is revoked'));
      const stop = () => {
        isOver = true;
        stopWaiting();
        stopWatching?.();
      };
      return stop;
    },

    forgetApiKey: (apiKeyId) => apiKeys?.forget(apiKeyId),
    close: async () => apiKeys?.close(),
  };
}

/** The authenticator of a server that needs no credential. */
const localAuthenticator: Authenticator = {
  asksForCredential: false,
  authenticate: async () => localPrincipal,
  watch: () => () => {},
  forgetApiKey: () => {},
  close: async () => {},
};

/** How often to look at the clock again, which may have been set, in milliseconds. */
const LOOK_INTERVAL_MS = 30_000;

/**
 * Calls back at a time; never if it is null.
 * @returns a function that ends the waiting.
 */
function callAt(time: Date | null, call: () => void): () => void {
  if (time === null) return () => {};
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = time.getTime() - Date.now();
    timer = setTimeout(left > 0 ? wait : call, Math.min(Math.max(left, 0), LOOK_INTERVAL_MS));
    timer.unref();
  };
  wait();
  return () => clearTimeout(timer);
}
