import SchemaBuilder from '@pothos/core';
import ErrorsPlugin from '@pothos/plugin-errors';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import ValidationPlugin from '@pothos/plugin-validation';
import { ForbiddenError } from '../../access/access-errors.ts';
import type PrismaTypes from '../../database/generated/pothos-types.ts';
import { getDatamodel } from '../../database/generated/pothos-types.ts';
import { MOST_ROWS_READ, type RowCount } from '../../database/paging/keyset.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import type { JsonObject, JsonValue } from '../../shared/json.ts';
import type { ApiContext } from '../context.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from '../page-size.ts';
import { decodeGlobalId, encodeGlobalId } from './global-id.ts';
import { requires } from './requires.ts';
import { DateTime, Json, JsonObjectScalar } from './scalars.ts';

const PAGE_SIZES = `${DEFAULT_PAGE_SIZE} when left out, and never more than ${MAX_PAGE_SIZE}.`;

/** The builder that all types of the API are made with. */
export const builder = new SchemaBuilder<{
  Context: ApiContext;
  PrismaTypes: PrismaTypes;
  /** What a connection has beside its page. */
  Connection: { count(): Promise<RowCount>; countExactly(): Promise<number> };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string | number | bigint };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: JsonValue; Output: unknown };
    JSONObject: { Input: JsonObject; Output: unknown };
  };
}>({
  // Errors first, so that a refusal is one of the errors of a mutation's union.
  plugins: [ErrorsPlugin, ScopeAuthPlugin, ValidationPlugin, RelayPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  errors: { directResult: true, unsafelyHandleInputErrors: true, defaultTypes: [ForbiddenError] },
  // Which role a root field needs is said with the field, by `requires`.
  scopeAuth: { authorizeOnSubscribe: true, authScopes: () => ({}) },
  validation: {
    validationError: ({ issues }) =>
      new InvalidInputError(
        issues.map(({ path, message }) => ({
          field: (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
          message,
        })),
      ),
  },
  relay: {
    encodeGlobalID: (typename, id) => encodeGlobalId(typename, id),
    decodeGlobalID: (globalId) => ({ ...decodeGlobalId(globalId) }),
    idFieldOptions: { description: 'Unique over all types.' },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: `What the page holds, in the order of the list, whichever end it is counted from. A page ends early, even empty, where ${MOST_ROWS_READ.toLocaleString('en')} entries were searched and hardly any fit the filter: read on while \`hasNextPage\` is true.`,
    },
    nodeFieldOptions: { nullable: false, description: 'What stands in this place.' },
    cursorFieldOptions: { description: 'Names this place, for `after` and `before`.' },
    pageInfoFieldOptions: { description: 'Where the page lies in the list.' },
    pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
    hasNextPageFieldOptions: { description: 'Whether more comes after the page.' },
    hasPreviousPageFieldOptions: { description: 'Whether something comes before the page.' },
    startCursorFieldOptions: {
      description: 'For `before`: the page before this one. Null where there is no place to go on from.',
    },
    endCursorFieldOptions: {
      description: 'For `after`: the page after this one. Null where there is no place to go on from.',
    },
    firstArgOptions: {
      description: `The most to give, from the beginning or after \`after\`. ${PAGE_SIZES}`,
    },
    lastArgOptions: { description: `The most to give, from the end or before \`before\`. ${PAGE_SIZES}` },
    afterArgOptions: { description: 'Give what comes after the place with this cursor.' },
    beforeArgOptions: { description: 'Give what comes before the place with this cursor.' },
    nodeQueryOptions: {
      authScopes: requires('viewer'),
      description: 'Anything that has an id, by its id; null when there is nothing of that id.',
      args: { id: { description: 'The id, as any answer gives it.' } },
    },
    nodesQueryOptions: false,
    cursorType: 'String',
    nodeTypeOptions: { description: 'Anything with an id that is unique over all types.' },
  },
  prisma: {
    client: ({ prisma }) => prisma,
    dmmf: getDatamodel(),
    onUnusedQuery: process.env.NODE_ENV === 'production' ? null : 'warn',
  },
});

builder.addScalarType('DateTime', DateTime);
builder.addScalarType('JSON', Json);
builder.addScalarType('JSONObject', JsonObjectScalar);

builder.queryType({ description: 'Looks things up; changes nothing.' });
builder.mutationType({
  description:
    'Starts and ends jobs, and keeps data sources. Each mutation gives a union: what it is for, or one of the failures that can be expected, each a type of its own. Which role it needs, its description says; who has a lesser one gets a ForbiddenError.',
});
builder.subscriptionType({
  description: 'Watches jobs live, over WebSocket (graphql-transport-ws) or server-sent events.',
});
