import { createRequire, registerHooks } from 'node:module';

// They import parts of graphql by paths that its present version no longer has; its root exports the same.
registerHooks({
  resolve: (specifier, context, next) =>
    next(/^graphql\/(language|utilities)\//.test(specifier) ? 'graphql' : specifier, context),
});

const require = createRequire(import.meta.url);

/** The client of GraphQL Playground and Altair, as it is on npm. */
export const { SubscriptionClient } =
  require('subscriptions-transport-ws') as typeof import('subscriptions-transport-ws');

/** The link of Apollo Client 2 and 3. */
export const { WebSocketLink } = require('apollo-link-ws') as typeof import('apollo-link-ws');
