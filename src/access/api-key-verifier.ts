import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import type { Notifications } from '../database/notifications.ts';
import { isOutage, waitOutOutage } from '../database/outage.ts';
import { AuthenticationUnavailableError, UnauthenticatedError } from './access-errors.ts';
import { hashKey, toPrincipal } from './api-keys.ts';
import type { Principal } from './principal.ts';

/** Verifies API keys, and reports when one is revoked. */
export interface ApiKeyVerifier {
  /**
   * @throws UnauthenticatedError for a key that is unknown, has expired or is revoked; AuthenticationUnavailableError
   * while the database does not answer.
   */
  verify(key: string): Promise<Principal>;
  /**
   * Calls back once when a key is revoked, whichever process revokes it.
   * @returns a function that ends the watching.
   */
  watch(apiKeyId: string, onRevoked: () => void): () => void;
  /** Reads a key anew when it is used next: this process has revoked it, and the notification of that is on its way. */
  forget(apiKeyId: string): void;
  close(): Promise<void>;
}

/** The channel that the triggers on the table of keys notify. */
const CHANNEL = 'blade_api_key';

/** How long a key that was found is cached, in milliseconds. A notification evicts a revoked key at once. */
const CACHE_MS = 5_000;

/** The least time between two writes of a key's last use, in milliseconds. */
const USE_INTERVAL_MS = 60_000;

/** The most keys that are cached; the oldest goes first. */
const MAX_CACHED = 10_000;

interface CachedKey {
  readonly apiKey: ApiKey;
  readonly cachedUntil: number;
}

/** @param parts.onError called when the last use of a key could not be written, or revoked keys could not be read. */
export async function createApiKeyVerifier(parts: {
  prisma: PrismaClient;
  notifications: Notifications;
  onError: (error: unknown) => void;
}): Promise<ApiKeyVerifier> {
  const { prisma, notifications, onError } = parts;
  const cached = new Map<string, CachedKey>();
  const usedAt = new Map<string, number>();
  const watchers = new Map<string, Set<() => void>>();
  /** Raised with each notification: a key that was read before it is not cached. */
  let generation = 0;

  async function findKey(hash: string): Promise<ApiKey | null> {
    const known = cached.get(hash);
    if (known !== undefined && performance.now() < known.cachedUntil) return known.apiKey;
    const generationBefore = generation;
    const apiKey = await prisma.apiKey.findUnique({ where: { hash } }).catch((error: unknown) => {
      throw new AuthenticationUnavailableError('API keys cannot be checked now', error);
    });
    cached.delete(hash);
    if (apiKey !== null && generation === generationBefore) {
      cached.set(hash, { apiKey, cachedUntil: performance.now() + CACHE_MS });
      dropOldest(cached);
    }
    return apiKey;
  }

  function noteUse({ id }: ApiKey): void {
    const now = performance.now();
    if (now - (usedAt.get(id) ?? Number.NEGATIVE_INFINITY) < USE_INTERVAL_MS) return;
    usedAt.set(id, now);
    dropOldest(usedAt);
    // One within the interval was written by another process; one ahead of now, before the clock was set back.
    prisma.$executeRaw`
      update api_key set last_used_at = blade_now() where id = ${id}::uuid and (last_used_at is null
        or last_used_at not between blade_now() - make_interval(secs => ${USE_INTERVAL_MS / 1_000}) and blade_now())`.catch(
      onError,
    );
  }

  async function endRevoked(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const valid = await prisma.apiKey.findMany({
      where: { id: { in: [...ids] }, revokedAt: null },
      select: { id: true },
    });
    const validIds = new Set(valid.map(({ id }) => id));
    for (const id of ids) {
      if (validIds.has(id)) continue;
      for (const onRevoked of watchers.get(id) ?? []) onRevoked();
      watchers.delete(id);
    }
  }

  /** A key that was revoked during an outage must not stay in use after it. */
  async function endRevokedSoon(ids: readonly string[]): Promise<void> {
    try {
      await endRevoked(ids);
    } catch (error) {
      onError(error);
      if (!isOutage(error)) return;
      await waitOutOutage(prisma);
      await endRevokedSoon(ids.filter((id) => watchers.has(id)));
    }
  }

  function forget(id: string): void {
    generation++;
    for (const [hash, { apiKey }] of cached) if (apiKey.id === id) cached.delete(hash);
  }

  const unlisten = await notifications.listen(CHANNEL, {
    onNotification(id) {
      forget(id);
      if (watchers.has(id)) void endRevokedSoon([id]);
    },
    onReconnect() {
      generation++;
      cached.clear();
      void endRevokedSoon([...watchers.keys()]);
    },
  });

  return {
    async verify(key) {
      const apiKey = await findKey(hashKey(key));
      if (apiKey === null) throw new UnauthenticatedError('the API key is unknown');
      if (apiKey.revokedAt !== null) throw new UnauthenticatedError('the API key is revoked');
      if (apiKey.expiresAt !== null && apiKey.expiresAt.getTime() <= Date.now()) {
        throw new UnauthenticatedError('the API key has expired');
      }
      noteUse(apiKey);
      return toPrincipal(apiKey);
    },

    watch(apiKeyId, onRevoked) {
      const ownWatchers = watchers.get(apiKeyId) ?? new Set();
      watchers.set(apiKeyId, ownWatchers);
      ownWatchers.add(onRevoked);
      // It may have been revoked between being verified and being watched.
      void endRevokedSoon([apiKeyId]);
      return () => {
        ownWatchers.delete(onRevoked);
        if (ownWatchers.size === 0 && watchers.get(apiKeyId) === ownWatchers) watchers.delete(apiKeyId);
      };
    },

    forget,
    close: unlisten,
  };
}

function dropOldest(map: Map<string, unknown>): void {
  if (map.size <= MAX_CACHED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
