import { ApiKeyNotFoundError } from '../../access/access-errors.ts';
import { newApiKeySchema } from '../../access/api-keys.ts';
import { parseMarking, toLevel } from '../../data-types/marking.ts';
import { type ApiKey, Prisma } from '../../database/generated/prisma/client.ts';
import type { RowFilter } from '../../database/paging/paged-table.ts';
import { containsText } from '../../database/paging/text-search.ts';
import { createIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { describeErrorType } from './error.ts';
import { parseUuid } from './global-id.ts';
import { createIdInput } from './id-input.ts';
import { checkText, removeDuplicates } from './input-checks.ts';
import { MarkingEnum } from './marking.ts';
import { AccessRoleEnum } from './me.ts';
import { createOrderInput } from './order-input.ts';
import { connectPage, type PagedList } from './paged-list.ts';
import { requires, requiresForNode } from './requires.ts';

const ApiKeyType = builder.node(builder.objectRef<ApiKey>('ApiKey'), {
  id: { resolve: ({ id }) => id, description: 'Globally unique id, for example to revoke the key.' },
  // No view of a lower clearance shows keys.
  loadOne: async (id, { access }) => (await access.listApiKeys({ where: { id } }))[0] ?? null,
  description:
    'An API key: the credential of a program. The key itself is shown only once, when it is created.',
  authScopes: requiresForNode('admin'),
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Display name.' }),
    prefix: t.exposeString('prefix', { description: 'First characters of the key, to recognize it by.' }),
    role: t.expose('role', { type: AccessRoleEnum, description: 'What the key allows.' }),
    clearance: t.field({
      type: MarkingEnum,
      description: 'The highest marking that the key may see.',
      resolve: ({ clearance }) => parseMarking(clearance) ?? 'UNCLASSIFIED',
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

const ApiKeyFilter = builder.inputType('ApiKeyFilter', {
  description: 'Conditions on API keys, combined with AND. An empty list of values matches none.',
  fields: (t) => ({
    roles: t.field({ type: [AccessRoleEnum], description: 'Keys with any of these roles.' }),
    isActive: t.boolean({
      description: 'Keys that can be used (true), or that are expired or revoked (false).',
    }),
    search: t.string({
      description:
        'Keys whose name or prefix contains this text. The case of the letters A to Z does not matter.',
    }),
  }),
});

const ApiKeyOrder = createOrderInput('ApiKeyOrder', 'API keys', {
  CREATED_AT: 'When the key was created.',
  NAME: 'Its name.',
});

const NEWEST_FIRST = { field: 'CREATED_AT', direction: 'DESC' } as const;

const KEY_TABLE = {
  name: 'api_key',
  indexes: [[]],
  fewValued: [],
  types: { id: 'uuid', createdAt: 'timestamptz' },
} as const;

const API_KEYS: PagedList<ApiKey, 'CREATED_AT' | 'NAME'> = {
  name: 'apiKeys',
  identity: ['id'],
  orders: {
    CREATED_AT: { ...KEY_TABLE, key: ['createdAt', 'id'] },
    NAME: { ...KEY_TABLE, key: ['name', 'id'] },
  },
};

function toRowFilter(filter: typeof ApiKeyFilter.$inferInput | null | undefined): RowFilter<ApiKey> {
  if (filter == null) return {};
  const { roles, isActive, search } = filter;
  if (search != null) checkText(search, 'filter.search');
  const { sql } = Prisma;
  const isUsable = sql`(revoked_at is null and (expires_at is null or expires_at > blade_now()))`;
  return {
    others: [
      ...(roles == null ? [] : [sql`role::text = any(${removeDuplicates(roles, 'filter.roles')}::text[])`]),
      ...(isActive == null ? [] : [sql`${isUsable} = ${isActive}`]),
      ...(search == null ? [] : [containsText([sql`name`, sql`prefix`], search)]),
    ],
  };
}

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      type: ApiKeyType,
      description: 'All API keys, including expired and revoked ones.',
      authScopes: requires('admin'),
      nullable: true,
      args: {
        filter: t.arg({ type: ApiKeyFilter, required: false, description: 'Which keys. Default: all.' }),
        orderBy: t.arg({
          type: ApiKeyOrder,
          required: false,
          defaultValue: NEWEST_FIRST,
          description: 'Order of the keys.',
        }),
      },
      resolve: (_root, { filter, orderBy, ...page }, context, info) =>
        connectPage(API_KEYS, context, info, {
          order: orderBy ?? NEWEST_FIRST,
          page,
          filter: toRowFilter(filter),
          // No view of a lower clearance shows keys.
          reader: context.access.apiKeyReader,
          read: (query) => context.access.listApiKeys(query),
        }),
    },
    { name: 'ApiKeyConnection', description: 'A page of API keys.' },
    { name: 'ApiKeyEdge', description: 'An API key and its cursor.' },
  ),
);

const CreateApiKeyInput = builder
  .inputType('CreateApiKeyInput', {
    description: 'A new API key.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'Display name, such as the purpose of the key.' }),
      role: t.field({ type: AccessRoleEnum, required: true, description: 'What the key allows.' }),
      clearance: t.field({
        type: MarkingEnum,
        required: true,
        description: 'The highest marking that the key may see. At most your own clearance.',
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

const RevokeApiKeyInput = createIdInput(
  'RevokeApiKeyInput',
  'The key to revoke.',
  'Id of the key, globally unique or a bare UUID.',
);

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
  ...describeErrorType(ApiKeyNotFoundError, 'No API key has this id.'),
  fields: (t) => ({
    apiKeyId: t.globalID({
      description: 'The requested id.',
      resolve: ({ apiKeyId }) => ({ type: 'ApiKey', id: apiKeyId }),
    }),
  }),
});

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeySuccess,
    description: 'Creates an API key.',
    args: { input: t.arg({ required: true, type: CreateApiKeyInput, description: 'The new key.' }) },
    authScopes: requires('admin'),
    nullable: true,
    errors: {
      types: [InvalidInputError],
      union: { name: 'CreateApiKeyResult', description: 'The result of creating an API key.' },
    },
    resolve: (_root, { input }, { access, principal }) => {
      if (toLevel(input.clearance) > toLevel(principal.clearance)) {
        throw new InvalidInputError([
          createIssue(
            'input.clearance',
            'NOT_ALLOWED',
            `must be at most your own clearance, ${principal.clearance}`,
          ),
        ]);
      }
      return access.createApiKey(input);
    },
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeySuccess,
    description:
      'Revokes an API key for good, immediately in every process. Its connections and subscriptions end.',
    args: { input: t.arg({ required: true, type: RevokeApiKeyInput, description: 'The key to revoke.' }) },
    authScopes: requires('admin'),
    nullable: true,
    errors: {
      types: [InvalidInputError, ApiKeyNotFoundError],
      union: { name: 'RevokeApiKeyResult', description: 'The result of revoking an API key.' },
    },
    resolve: async (_root, { input: { id } }, { access }) => ({
      apiKey: await access.revokeApiKey(parseUuid('ApiKey', id, 'input.id')),
    }),
  }),
}));
