import { createHash, randomBytes } from 'node:crypto';
import { v7 as newUuid } from 'uuid';
import { z } from 'zod';
import { MARKINGS, type Marking, parseMarking } from '../data-types/marking.ts';
import { readDatabaseTime } from '../database/database-clock.ts';
import type { ApiKey, Prisma, PrismaClient } from '../database/generated/prisma/client.ts';
import type { IssueParams } from '../shared/invalid-input.ts';
import { ApiKeyNotFoundError } from './access-errors.ts';
import { recordDone } from './audit.ts';
import { ACCESS_ROLES, type Principal, toPrincipalId } from './principal.ts';

/** Input for a new API key. */
export const newApiKeySchema = z.object({
  name: z
    .string()
    .trim()
    .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, { error: 'must have 1 to 200 visible characters' }),
  role: z.enum(ACCESS_ROLES, { error: `must be ${ACCESS_ROLES.join(', ')}` }),
  clearance: z.string().transform((text, context): Marking => {
    const marking = parseMarking(text);
    if (marking !== undefined) return marking;
    context.addIssue({
      code: 'custom',
      params: { code: 'UNKNOWN' } satisfies IssueParams,
      message: `must be one of ${MARKINGS.join(', ')}`,
    });
    return z.NEVER;
  }),
  expiresAt: z
    .date({ error: 'must be a time, or a number of days' })
    .refine((time) => time.getTime() > Date.now(), {
      error: 'must be in the future',
      params: { code: 'OUT_OF_RANGE' } satisfies IssueParams,
    })
    .nullish()
    .transform((time) => time ?? null),
});

/** A new API key; without `expiresAt` it is valid until it is revoked. */
export type NewApiKey = z.output<typeof newApiKeySchema>;

/** The beginning of every key, by which people and secret scanners recognize one. */
const API_KEY_PREFIX = 'blade_';

/** How much of a key lists show: enough to tell keys apart, and 220 bits short of the whole. */
const SHOWN_LENGTH = API_KEY_PREFIX.length + 6;

/**
 * Creates a key of 256 random bits.
 * @param principal who creates it.
 * @returns the key, which is not stored, and its record.
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
 * Revokes a key for good; one that is already revoked stays as it is.
 * @param principal who revokes it.
 * @throws ApiKeyNotFoundError.
 */
export async function revokeApiKey(prisma: PrismaClient, principal: Principal, id: string): Promise<ApiKey> {
  return prisma.$transaction(async (transaction) => {
    const { count } = await transaction.apiKey.updateMany({
      where: { id, revokedAt: null },
      data: { revokedAt: await readDatabaseTime(transaction) },
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

export type ApiKeyQuery = Pick<Prisma.ApiKeyFindManyArgs, 'where' | 'orderBy' | 'take'>;

/** Lists keys, including expired and revoked ones. Default: all, newest first. */
export function listApiKeys(
  prisma: PrismaClient,
  query: ApiKeyQuery = { orderBy: { id: 'desc' } },
): Promise<ApiKey[]> {
  return prisma.apiKey.findMany(query);
}

/** Whether a text has the form of a key. */
export function isApiKey(text: string): boolean {
  return text.startsWith(API_KEY_PREFIX);
}

/** Hashes a key for the database. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The principal that a key stands for. */
export function toPrincipal({ id, name, role, clearance, expiresAt }: ApiKey): Principal {
  return {
    id: toPrincipalId(id),
    name,
    role,
    clearance: parseMarking(clearance) ?? 'UNCLASSIFIED',
    expiresAt,
  };
}
