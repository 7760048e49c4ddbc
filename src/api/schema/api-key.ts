import { ApiKeyNotFoundError } from '../../access/access-errors.ts';
import { newApiKeySchema } from '../../access/api-keys.ts';
import { toLevel } from '../../data-types/marking.ts';
import type { ApiKey } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { ErrorInterface } from './error.ts';
import { parseUuid } from './global-id.ts';
import { AccessRoleEnum } from './me.ts';
import { requires } from './requires.ts';

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description:
    'An API key: the credential of a program. The key itself is shown only once, when it is created.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Identifies the key, for example to revoke it.' }),
    name: t.exposeString('name', { description: 'Display name.' }),
    prefix: t.exposeString('prefix', { description: 'First characters of the key, to recognize it by.' }),
    role: t.expose('role', { type: AccessRoleEnum, description: 'What the key allows.' }),
    clearance: t.exposeString('clearance', {
      description: 'The highest marking that the key may see.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the key was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key expires; null if never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was last used, to about a minute; null if never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was revoked; null if it was not.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKeyType],
    description: 'All API keys, newest first, including expired and revoked ones.',
    authScopes: requires('admin'),
    resolve: (_root, _args, { access }) => access.listApiKeys(),
  }),
);

const CreateApiKeyInput = builder
  .inputType('CreateApiKeyInput', {
    description: 'A new API key.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Display name, such as the purpose of the key.' }),
      role: t.field({ type: AccessRoleEnum, required: true, description: 'What the key allows.' }),
      clearance: t.string({
        required: true,
        description:
          'The highest marking that the key may see: U, UNCLASSIFIED, CUI, C, CONFIDENTIAL, S, SECRET, TS or TOP SECRET. At most your own clearance.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'When the key expires. Default: never.' }),
    }),
  })
  .validate(newApiKeySchema);

const CreateApiKeySuccess = builder
  .objectRef<{ key: string; apiKey: ApiKey }>('CreateApiKeySuccess')
  .implement({
    description: 'The key was created.',
    fields: (t) => ({
      key: t.exposeString('key', {
        description: 'The key itself, to send as `authorization: Bearer …`. It is never shown again.',
      }),
      apiKey: t.field({
        type: ApiKeyType,
        description: 'The stored record of the key.',
        resolve: ({ apiKey }) => apiKey,
      }),
    }),
  });

const RevokeApiKeySuccess = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeySuccess').implement({
  description: 'The key is revoked. Its connections and subscriptions end.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKeyType,
      description: 'The revoked key.',
      resolve: ({ apiKey }) => apiKey,
    }),
  }),
});

builder.objectType(ApiKeyNotFoundError, {
  name: 'ApiKeyNotFoundError',
  description: 'No API key has this id.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ id: t.exposeID('apiKeyId', { description: 'The requested id.' }) }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeySuccess,
    description: 'Creates an API key.',
    args: { input: t.arg({ required: true, type: CreateApiKeyInput, description: 'The new key.' }) },
    authScopes: requires('admin'),
    errors: {
      types: [InvalidInputError],
      union: { name: 'CreateApiKeyResult', description: 'The result of creating an API key.' },
    },
    resolve: (_root, { input }, { access, principal }) => {
      if (toLevel(input.clearance) > toLevel(principal.clearance)) {
        throw new InvalidInputError([
          {
            field: 'input.clearance',
            message: `must be at most your own clearance, ${principal.clearance}`,
          },
        ]);
      }
      return access.createApiKey(input);
    },
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeySuccess,
    description:
      'Revokes an API key for good, immediately in every process. Its connections and subscriptions end.',
    args: { id: t.arg.id({ required: true, description: 'Id of the key.' }) },
    authScopes: requires('admin'),
    errors: {
      types: [InvalidInputError, ApiKeyNotFoundError],
      union: { name: 'RevokeApiKeyResult', description: 'The result of revoking an API key.' },
    },
    resolve: async (_root, { id }, { access }) => ({
      apiKey: await access.revokeApiKey(parseUuid('ApiKey', id, 'id')),
    }),
  }),
}));
