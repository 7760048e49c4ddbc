import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import ValidationPlugin from '@pothos/plugin-validation';
import { ForbiddenError } from '../../access/access-errors.ts';
import type PrismaTypes from '../../database/generated/pothos-types.ts';
import { getDatamodel } from '../../database/generated/pothos-types.ts';
import { MAX_ROWS_READ, type RowCount } from '../../database/paging/keyset.ts';
import { createIssue, InvalidInputError } from '../../shared/invalid-input.ts';
import type { JsonObject, JsonValue } from '../../shared/json.ts';
import { noteRefusal } from '../../shared/request-scope.ts';
import type { ApiContext } from '../context.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../page-size.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';
import { toInputIssue } from './parse-input.ts';
import { requires } from './requires.ts';
import { DateTime, Json, JsonObjectScalar, SafeInt } from './scalars.ts';

const PAGE_SIZES = `Default ${DEFAULT_PAGE_SIZE}, at most ${MAX_PAGE_SIZE}.`;

/** Builds all types of the API. */
export const builder = new SchemaBuilder<{
  Context: ApiContext;
  PrismaTypes: PrismaTypes;
  /** What a connection has besides its page. */
  Connection: { count(): Promise<RowCount>; countExactly(): Promise<number> };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string | number | bigint };
    DateTime: { Input: Date; Output: Date };
    SafeInt: { Input: number; Output: number | bigint };
    JSONValue: { Input: JsonValue; Output: unknown };
    JSONObject: { Input: JsonObject; Output: unknown };
  };
}>({
  // Errors first, so that a refusal becomes a member of a mutation's union.
  plugins: [ErrorsPlugin, ScopeAuthPlugin, ValidationPlugin, RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  errors: {
    directResult: true,
    unsafelyHandleInputErrors: true,
    defaultTypes: [ForbiddenError],
    onResolvedError: noteRefusal,
  },
  // Each root field states the role it needs with `requires`.
  scopeAuth: { authorizeOnSubscribe: true, authScopes: () => ({}) },
  validation: {
    validationError: ({ issues }) => new InvalidInputError(issues.map((issue) => toInputIssue(issue))),
  },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, id),
    decodeGlobalID: (globalId) => ({ ...decodeGlobalId(globalId) }),
    idFieldOptions: { description: 'Globally unique id.' },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: `Entries in the order of the list, even when paging backward. A page can be short, or even empty, because at most ${MAX_ROWS_READ.toLocaleString('en')} entries are searched for matches: continue while \`hasNextPage\` is true (backward: \`hasPreviousPage\`).`,
    },
    nodeFieldOptions: { nullable: false, description: 'The entry.' },
    cursorFieldOptions: {
      description: 'Marks the place of the entry in the list, for `after` and `before`.',
    },
    pageInfoFieldOptions: { description: 'Where the page is in the list.' },
    pageInfoTypeOptions: { description: 'Where a page is in its list.' },
    hasNextPageFieldOptions: { description: 'Whether there may be entries after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether there may be entries before this page.' },
    startCursorFieldOptions: {
      description:
        'Pass it as `before` to get the previous page. Null if there is no place to continue from.',
    },
    endCursorFieldOptions: {
      description: 'Pass it as `after` to get the next page. Null if there is no place to continue from.',
    },
    firstArgOptions: {
      description: `Maximum number of entries, from the start of the list or after \`after\`. ${PAGE_SIZES}`,
    },
    lastArgOptions: {
      description: `Maximum number of entries, from the end of the list or before \`before\`. ${PAGE_SIZES}`,
    },
    afterArgOptions: { description: 'Return entries after this cursor.' },
    beforeArgOptions: { description: 'Return entries before this cursor.' },
    nodeQueryOptions: {
      authScopes: requires('viewer'),
      description: 'Any object by its globally unique id; null if there is none.',
      args: { id: { description: 'A globally unique id.' } },
    },
    nodesQueryOptions: {
      authScopes: requires('viewer'),
      nullable: { list: true, items: true },
      description: `Objects by their globally unique ids, in that order; null for each that there is not. At most ${MAX_PAGE_SIZE}.`,
      args: { ids: { description: 'Globally unique ids.' } },
      resolve: (_root, { ids }, _context, _info, resolveNodes) => {
        if (ids.length > MAX_PAGE_SIZE)
          throw new InvalidInputError([
            createIssue(
              'ids',
              'OUT_OF_RANGE',
              `must be at most ${MAX_PAGE_SIZE}: send the others in another operation`,
            ),
          ]);
        return resolveNodes(ids);
      },
    },
    nodesOnConnection: { description: 'The entries without their cursors, in the order of `edges`.' },
    cursorType: 'String',
    nodeTypeOptions: { description: 'An object with a globally unique id.' },
  },
  prisma: {
    client: ({ prisma }) => prisma,
    dmmf: getDatamodel(),
    onUnusedQuery: process.env.NODE_ENV === 'production' ? null : 'warn',
  },
});

builder.addScalarType('DateTime', DateTime);
builder.addScalarType('SafeInt', SafeInt);
builder.addScalarType('JSONValue', Json);
builder.addScalarType('JSONObject', JsonObjectScalar);

builder.queryType({ description: 'Reads data; changes nothing.' });
builder.mutationType({
  description:
    'Controls jobs and manages data sources, markings and API keys. Each mutation returns a union of its success type and one type per expected failure. Its description names the role it needs; callers with a lesser role get a ForbiddenError.',
});
builder.subscriptionType({
  description: 'Watches jobs live, over WebSocket, server-sent events or multipart HTTP.',
});
