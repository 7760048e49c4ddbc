import { HIGHEST_MARKING } from '../data-types/marking.ts';
import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import { createKeysetReader, type KeysetReader } from '../database/paging/keyset.ts';
import { type ApiKeyQuery, createApiKey, listApiKeys, type NewApiKey, revokeApiKey } from './api-keys.ts';
import { type AuditRecord, recordRefused } from './audit.ts';
import type { Authenticator } from './authenticator.ts';
import type { Principal } from './principal.ts';

/** A principal's operations on API keys and the audit. The caller checks its role. */
export interface Access {
  /** @returns the key, which is not stored, and its record. */
  createApiKey(apiKey: NewApiKey): Promise<{ key: string; apiKey: ApiKey }>;
  /** @throws ApiKeyNotFoundError. */
  revokeApiKey(apiKeyId: string): Promise<ApiKey>;
  /** Lists keys, including expired and revoked ones. */
  listApiKeys(query: ApiKeyQuery): Promise<ApiKey[]>;
  /** Reads their list page by page. */
  readonly apiKeyReader: KeysetReader;
  /** Records in the audit that the principal was refused something. */
  recordRefused(record: AuditRecord): Promise<void>;
}

/** @param authenticator what must not accept a key once it is revoked. */
export function createAccess(
  prisma: PrismaClient,
  principal: Principal,
  authenticator: Pick<Authenticator, 'forgetApiKey'>,
): Access {
  return {
    createApiKey: (apiKey) => createApiKey(prisma, principal, apiKey),
    async revokeApiKey(apiKeyId) {
      const revoked = await revokeApiKey(prisma, principal, apiKeyId);
      authenticator.forgetApiKey(apiKeyId);
      return revoked;
    },
    listApiKeys: (query) => listApiKeys(prisma, query),
    apiKeyReader: createKeysetReader(prisma, HIGHEST_MARKING),
    recordRefused: (record) => recordRefused(prisma, principal, record),
  };
}
