import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import { createApiKey, listApiKeys, type NewApiKey, revokeApiKey } from './api-keys.ts';
import { type AuditRecord, recordRefused } from './audit.ts';
import type { Principal } from './principal.ts';

/** What a principal can do about who may come in; its role is checked before. */
export interface Access {
  /** @returns the key itself, which is kept nowhere, and what is kept of it. */
  createApiKey(apiKey: NewApiKey): Promise<{ key: string; apiKey: ApiKey }>;
  /** @throws ApiKeyNotFoundError. */
  revokeApiKey(apiKeyId: string): Promise<ApiKey>;
  /** Every key that was ever made, the newest first. */
  apiKeys(): Promise<ApiKey[]>;
  /** Writes down that the principal was refused something. */
  recordRefused(record: AuditRecord): Promise<void>;
}

export function createAccess(prisma: PrismaClient, principal: Principal): Access {
  return {
    createApiKey: (apiKey) => createApiKey(prisma, principal, apiKey),
    revokeApiKey: (apiKeyId) => revokeApiKey(prisma, principal, apiKeyId),
    apiKeys: () => listApiKeys(prisma),
    recordRefused: (record) => recordRefused(prisma, principal, record),
  };
}
