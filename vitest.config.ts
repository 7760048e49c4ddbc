import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Vite's defaults without `development`: under that condition graphql has a second copy, which its other users would not
  // share with us, so that `instanceof GraphQLError` would fail in tests and nowhere else.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/prepare-database.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
