import { cacheExchange } from '@urql/exchange-graphcache';
import type { IntrospectionQuery } from 'graphql';

/**
 * The cache of urql that knows the schema: it matches `... on UserError`, and takes what has no `id` for a part of what
 * holds it.
 * @param schema the result of an introspection, without its `data`.
 */
export function createBladeCache(schema: IntrospectionQuery) {
  const parts = schema.__schema.types.filter(
    (type) => type.kind === 'OBJECT' && !type.fields.some(({ name }) => name === 'id'),
  );
  return cacheExchange({
    schema,
    keys: Object.fromEntries(parts.map(({ name }) => [name, () => null])),
  });
}
