import { createHash, randomBytes } from 'node:crypto';
import { v7 as newUuid } from 'uuid';
import { type Marking, parseMarking } from '../data-types/marking.ts';
import type { ApiKey, Prisma, PrismaClient } from '../database/generated/prisma/client.ts';
import { ApiKeyNotFoundError } from './access-errors.ts';
import { type AccessRole, type Principal, principalIdOfKey } from './principal.ts';

/** What is to be an API key. */
export interface NewApiKey {
  /** What people call it. */
  readonly name: string;
  readonly role: AccessRole;
  readonly clearance: Marking;
  /** Null for a key that is good until it is revoked. */
  readonly expiresAt: Date | null;
}

/** What every key begins with, so that people and scanners of secrets know one when they see it. */
export const API_KEY_PREFIX = 'blade_';

/** Characters of a key that are shown in lists: enough to tell keys apart, and 220 bits short of the whole. */
const SHOWN_LENGTH = API_KEY_PREFIX.length + 6;

/**
 * Makes a key of 256 random bits.
 * @returns the key itself, which is kept nowhere, and what is kept of it.
 */
export async function createApiKey(
  prisma: Prisma.TransactionClient,
  { name, role, clearance, expiresAt }: NewApiKey,
): Promise<{ key: string; apiKey: ApiKey }> {
  const key = `${API_KEY_PREFIX}${randomBytes(32).toString('base64url')}`;
  const apiKey = await prisma.apiKey.create({
    data: {
      id: newUuid(),
      name,
      prefix: key.slice(0, SHOWN_LENGTH),
      hash: hashOf(key),
      role,
      clearance,
      expiresAt,
    },
  });
  return { key, apiKey };
}

/**
 * Revokes a key for good; one that is revoked stays as it is.
 * @throws ApiKeyNotFoundError.
 */
export async function revokeApiKey(prisma: Prisma.TransactionClient, id: string): Promise<ApiKey> {
  await prisma.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } });
  const apiKey = await prisma.apiKey.findUnique({ where: { id } });
  if (apiKey === null) throw new ApiKeyNotFoundError(id);
  return apiKey;
}

/** Every key that was ever made, the newest first. */
export function listApiKeys(prisma: PrismaClient): Promise<ApiKey[]> {
  return prisma.apiKey.findMany({ orderBy: { id: 'desc' } });
}

/** Whether a text can be a key that was made here. */
export function isApiKey(text: string): boolean {
  return text.startsWith(API_KEY_PREFIX);
}

/** What is kept of a key. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Who a key is. */
export function principalOfKey({ id, name, role, clearance, expiresAt }: ApiKey): Principal {
  return {
    id: principalIdOfKey(id),
    name,
    role,
    clearance: parseMarking(clearance) ?? 'UNCLASSIFIED',
    expiresAt,
  };
}
