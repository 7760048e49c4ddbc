import { createHash, randomBytes } from 'node:crypto';
import { v7 as newUuid } from 'uuid';
import { z } from 'zod';
import { type Marking, markings, parseMarking } from '../data-types/marking.ts';
import type { ApiKey, PrismaClient } from '../database/generated/prisma/client.ts';
import { ApiKeyNotFoundError } from './access-errors.ts';
import { recordDone } from './audit.ts';
import { accessRoles, type Principal, toPrincipalId } from './principal.ts';

/** What is to be an API key, as people say it. */
export const newApiKeySchema = z.object({
  name: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, { error: 'must have 1 to 200 visible characters' }),
  role: z.enum(accessRoles, { error: `must be ${accessRoles.join(', ')}` }),
  clearance: z.string().transform((text, context): Marking => {
    const marking = parseMarking(text);
    if (marking !== undefined) return marking;
    context.addIssue({ code: 'custom', message: `must be one of ${markings.join(', ')}` });
    return z.NEVER;
  }),
  expiresAt: z
    .date({ error: 'must be a time, or a number of days' })
    .refine((time) => time.getTime() > Date.now(), { error: 'must be in the future' })
    .nullish()
    .transform((time) => time ?? null),
});

/** What is to be an API key; without `expiresAt` it is good until it is revoked. */
export type NewApiKey = z.output<typeof newApiKeySchema>;

/** What every key begins with, so that people and scanners of secrets know one when they see it. */
export const API_KEY_PREFIX = 'blade_';

/** Characters of a key that are shown in lists: enough to tell keys apart, and 220 bits short of the whole. */
const SHOWN_LENGTH = API_KEY_PREFIX.length + 6;

/**
 * Makes a key of 256 random bits.
 * @param principal who makes it.
 * @returns the key itself, which is kept nowhere, and what is kept of it.
 */
export async function createApiKey(
  prisma: PrismaClient,
  principal: Principal,
  { name, role, clearance, expiresAt }: NewApiKey,
): Promise<{ key: string; apiKey: ApiKey }> {
  const key = `${API_KEY_PREFIX}${randomBytes(32).toString('base64url')}`;
  const prefix = key.slice(0, SHOWN_LENGTH);
  const apiKey = await prisma.$transaction(async (transaction) => {
    const created = await transaction.apiKey.create({
      data: { id: newUuid(), name, prefix, hash: hashKey(key), role, clearance, expiresAt },
    });
    await recordDone(transaction, principal, {
      operation: 'createApiKey',
      apiKeyId: created.id,
      details: { name, prefix, role, clearance, expiresAt: expiresAt?.toISOString() ?? null },
    });
    return created;
  });
  return { key, apiKey };
}

/**
 * Revokes a key for good; one that is revoked stays as it is.
 * @param principal who revokes it.
 * @throws ApiKeyNotFoundError.
 */
export async function revokeApiKey(prisma: PrismaClient, principal: Principal, id: string): Promise<ApiKey> {
  return prisma.$transaction(async (transaction) => {
    const { count } = await transaction.apiKey.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    const apiKey = await transaction.apiKey.findUnique({ where: { id } });
    if (apiKey === null) throw new ApiKeyNotFoundError(id);
    if (count > 0) {
      const { name, prefix } = apiKey;
      await recordDone(transaction, principal, {
        operation: 'revokeApiKey',
        apiKeyId: id,
        details: { name, prefix },
      });
    }
    return apiKey;
  });
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
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** Who a key is. */
export function toPrincipal({ id, name, role, clearance, expiresAt }: ApiKey): Principal {
  return {
    id: toPrincipalId(id),
    name,
    role,
    clearance: parseMarking(clearance) ?? 'UNCLASSIFIED',
    expiresAt,
  };
}
