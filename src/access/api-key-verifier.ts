import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import type { Notifications } from '../database/notifications.ts';
import { AuthenticationUnavailableError, UnauthenticatedError } from './access-errors.ts';
import { hashKey, toPrincipal } from './api-keys.ts';
import type { Principal } from './principal.ts';

/** Tells whose API keys are, and when one is revoked. */
export interface ApiKeyVerifier {
  /**
   * @throws UnauthenticatedError for a key that is unknown, has expired or is revoked; AuthenticationUnavailableError
   * while the database does not answer.
   */
  verify(key: string): Promise<Principal>;
  /**
   * Calls once when a key is revoked, by whichever process.
   * @returns ends the watching.
   */
  watch(apiKeyId: string, onRevoked: () => void): () => void;
  close(): Promise<void>;
}

/** The channel that the triggers on the table of keys notify. */
const CHANNEL = 'blade_api_key';

/** How long a key that was found is believed, in milliseconds; a revoked one is forgotten at once where notifications come. */
const BELIEVED_MS = 5_000;

/** How often the use of a key is written down at the most, in milliseconds. */
const USE_INTERVAL_MS = 60_000;

/** Keys that are remembered at once: the oldest of more are read again when they are used. */
const MAX_REMEMBERED = 10_000;

interface RememberedKey {
  readonly apiKey: ApiKey;
  readonly believedUntil: number;
}

/**
 * @param parts.onError is told when the use of a key could not be written down, or revoked keys could not be looked for.
 */
export async function createApiKeyVerifier(parts: {
  prisma: PrismaClient;
  notifications: Notifications;
  onError: (error: unknown) => void;
}): Promise<ApiKeyVerifier> {
  const { prisma, notifications, onError } = parts;
  const remembered = new Map<string, RememberedKey>();
  const usedAt = new Map<string, number>();
  const watchers = new Map<string, Set<() => void>>();
  /** Raised with every notification: what was read before it is not remembered. */
  let generation = 0;

  async function find(hash: string): Promise<ApiKey | null> {
    const known = remembered.get(hash);
    if (known !== undefined && Date.now() < known.believedUntil) return known.apiKey;
    const generationOfRead = generation;
    const apiKey = await prisma.apiKey.findUnique({ where: { hash } }).catch((error: unknown) => {
      throw new AuthenticationUnavailableError('API keys cannot be looked up now', error);
    });
    remembered.delete(hash);
    if (apiKey !== null && generation === generationOfRead) {
      remembered.set(hash, { apiKey, believedUntil: Date.now() + BELIEVED_MS });
      dropOldest(remembered);
    }
    return apiKey;
  }

  function noteUse({ id }: ApiKey): void {
    const now = Date.now();
    if (now - (usedAt.get(id) ?? 0) < USE_INTERVAL_MS) return;
    usedAt.set(id, now);
    dropOldest(usedAt);
    const lastUsedAt = new Date(now);
    const before = new Date(now - USE_INTERVAL_MS);
    prisma.apiKey
      .updateMany({
        where: { id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: before } }] },
        data: { lastUsedAt },
      })
      .catch(onError);
  }

  async function endRevoked(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const good = await prisma.apiKey.findMany({
      where: { id: { in: [...ids] }, revokedAt: null },
      select: { id: true },
    });
    const isGood = new Set(good.map(({ id }) => id));
    for (const id of ids) {
      if (isGood.has(id)) continue;
      for (const onRevoked of watchers.get(id) ?? []) onRevoked();
      watchers.delete(id);
    }
  }

  const unlisten = await notifications.listen(CHANNEL, {
    onNotification(id) {
      generation++;
      for (const [hash, { apiKey }] of remembered) if (apiKey.id === id) remembered.delete(hash);
      if (watchers.has(id)) endRevoked([id]).catch(onError);
    },
    onReconnect() {
      generation++;
      remembered.clear();
      endRevoked([...watchers.keys()]).catch(onError);
    },
  });

  return {
    async verify(key) {
      const apiKey = await find(hashKey(key));
      if (apiKey === null) throw new UnauthenticatedError('the API key is unknown');
      if (apiKey.revokedAt !== null) throw new UnauthenticatedError('the API key is revoked');
      if (apiKey.expiresAt !== null && apiKey.expiresAt.getTime() <= Date.now()) {
        throw new UnauthenticatedError('the API key has expired');
      }
      noteUse(apiKey);
      return toPrincipal(apiKey);
    },

    watch(apiKeyId, onRevoked) {
      const ofKey = watchers.get(apiKeyId) ?? new Set();
      watchers.set(apiKeyId, ofKey);
      ofKey.add(onRevoked);
      // It may have been revoked after it was verified, and before it was watched.
      endRevoked([apiKeyId]).catch(onError);
      return () => {
        ofKey.delete(onRevoked);
        if (ofKey.size === 0 && watchers.get(apiKeyId) === ofKey) watchers.delete(apiKeyId);
      };
    },

    close: unlisten,
  };
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= MAX_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
