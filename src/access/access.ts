import { HIGHEST_MARKING } from '../data-types/marking.ts';
import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import { createKeysetReader, type KeysetReader } from '../database/paging/keyset.ts';
import { type ApiKeyQuery, createApiKey, listApiKeys, type NewApiKey, revokeApiKey } from './api-keys.ts';
import { type AuditRecord, recordRefused } from './audit.ts';
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

export function createAccess(prisma: PrismaClient, principal: Principal): Access {
  return {
    createApiKey: (apiKey) => createApiKey(prisma, principal, apiKey),
    revokeApiKey: (apiKeyId) => revokeApiKey(prisma, principal, apiKeyId),
    listApiKeys: (query) => listApiKeys(prisma, query),
    apiKeyReader: createKeysetReader(prisma, HIGHEST_MARKING),
    recordRefused: (record) => recordRefused(prisma, principal, record),
  };
}
