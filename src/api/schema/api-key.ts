import { ApiKeyNotFoundError } from '../../access/access-errors.ts';
import { newApiKeySchema } from '../../access/api-keys.ts';
import { clearanceOf } from '../../data-types/marking.ts';
import type { ApiKey } from '../../database/generated/prisma/client.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { uuidOf } from './global-id.ts';
import { AccessRoleEnum } from './me.ts';
import { requires } from './requires.ts';

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: 'A key that lets a program in. The key itself is shown once, when it is made.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'What `revokeApiKey` takes.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    prefix: t.exposeString('prefix', { description: 'The beginning of the key.' }),
    role: t.expose('role', { type: AccessRoleEnum, description: 'What it lets a program do.' }),
    clearance: t.exposeString('clearance', {
      description: 'The highest marking that it lets a program see.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it expires; null for never.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to about a minute; null for never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null while it is good.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKeyType],
    description: 'Every API key that was ever made, the newest first.',
    authScopes: requires('admin'),
    resolve: (_root, _args, { access }) => access.listApiKeys(),
  }),
);

const CreateApiKeyInput = builder
  .inputType('CreateApiKeyInput', {
    description: 'What is to be an API key.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What people call it, such as what it is for.' }),
      role: t.field({ type: AccessRoleEnum, required: true, description: 'What it lets a program do.' }),
      clearance: t.string({
        required: true,
        description:
          'The highest marking that it lets a program see: U, UNCLASSIFIED, CUI, C, CONFIDENTIAL, S, SECRET, TS or TOP SECRET; no higher than your own.',
      }),
      expiresAt: t.field({ type: 'DateTime', description: 'When it expires; never when left out.' }),
    }),
  })
  .validate(newApiKeySchema);

const CreateApiKeySuccess = builder
  .objectRef<{ key: string; apiKey: ApiKey }>('CreateApiKeySuccess')
  .implement({
    description: 'The key is made.',
    fields: (t) => ({
      key: t.exposeString('key', {
        description:
          'The key itself, to be sent as `authorization: Bearer …`. It is shown here and never again.',
      }),
      apiKey: t.field({
        type: ApiKeyType,
        description: 'What is kept of it.',
        resolve: ({ apiKey }) => apiKey,
      }),
    }),
  });

const RevokeApiKeySuccess = builder.objectRef<{ apiKey: ApiKey }>('RevokeApiKeySuccess').implement({
  description: 'The key is revoked: it lets nobody in any more, and what it has open ends.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKeyType,
      description: 'The key as it is now.',
      resolve: ({ apiKey }) => apiKey,
    }),
  }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeySuccess,
    description: 'Makes an API key.',
    args: { input: t.arg({ required: true, type: CreateApiKeyInput, description: 'What it is to be.' }) },
    authScopes: requires('admin'),
    errors: {
      types: [InvalidInputError],
      union: { name: 'CreateApiKeyResult', description: 'What came of making an API key.' },
    },
    resolve: (_root, { input }, { access, principal }) => {
      if (clearanceOf(input.clearance) > clearanceOf(principal.clearance)) {
        throw new InvalidInputError([
          {
            field: 'input.clearance',
            message: `must not be above your own, which is ${principal.clearance}`,
          },
        ]);
      }
      return access.createApiKey(input);
    },
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeySuccess,
    description:
      'Revokes an API key for good, at once in every process: its connections and subscriptions end.',
    args: { id: t.arg.id({ required: true, description: 'The id of the key.' }) },
    authScopes: requires('admin'),
    errors: {
      types: [InvalidInputError, ApiKeyNotFoundError],
      union: { name: 'RevokeApiKeyResult', description: 'What came of revoking an API key.' },
    },
    resolve: async (_root, { id }, { access }) => ({
      apiKey: await access.revokeApiKey(uuidOf('ApiKey', id, 'id')),
    }),
  }),
}));
