import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { findTestServer } from './test/support/test-server.ts';

const files = globSync('test/**/*.test.ts', { cwd: import.meta.dirname }).map((path) => ({
  path,
  text: readFileSync(join(import.meta.dirname, path), 'utf8'),
}));

/** The test files that take their `test` from this module of test/support: by that each says where it runs. */
function findFiles(module: string): string[] {
  return files.flatMap(({ path, text }) => (text.includes(`/support/${module}.ts'`) ? [path] : []));
}

const onEveryDatabase = findFiles('on-every-database');
const onServer = findFiles('on-server');
const onEmbedded = findFiles('on-embedded');
const onCluster = findFiles('on-cluster');
const slowOnEmbedded = findFiles('slow-on-embedded');
const slowOnServer = findFiles('slow-on-server');
const slowParts = findFiles('slow-parts');
const onSpark = findFiles('on-spark');
const inChromium = findFiles('in-chromium');
const withDatabase = new Set([
  ...onEveryDatabase,
  ...onServer,
  ...onEmbedded,
  ...slowOnEmbedded,
  ...slowOnServer,
  ...slowParts,
  ...onCluster,
  ...onSpark,
  ...inChromium,
]);
const withoutDatabase = files.map(({ path }) => path).filter((path) => !withDatabase.has(path));

/** Runs on both databases also what is the same on either: more than ten minutes more on two cores. */
const everyDatabase = process.env.TEST_EVERY_DATABASE === 'true';

// Tests start hundreds of processes of the same code: each but the first takes it compiled.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node');

const hasServer = (await findTestServer()) !== null;

const globalSetup = ['test/support/prepare-database.ts'];

export default defineConfig({
  // Vite's defaults without `development`: under that condition graphql has a second copy, which its other users would not
  // share with us, so that `instanceof GraphQLError` would fail in tests and nowhere else.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    pool: 'forks',
    maxWorkers: 4,
    // The first test that asks for an application waits for it to start.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['test/support/patience.ts'],
    // A machine of CI may stand still for longer than a real process or server is given to answer.
    retry: process.env.CI === 'true' ? 2 : 0,
    projects: [
      {
        extends: true,
        // Files share processes, of which each would load the same modules again.
        test: { name: 'parts', include: withoutDatabase, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'embedded',
          include: [
            ...onEveryDatabase,
            ...onEmbedded,
            ...inChromium,
            ...(hasServer && !everyDatabase ? [] : onServer),
          ],
          globalSetup: [...globalSetup, 'test/support/build-dashboard.ts'],
        },
      },
      ...(hasServer
        ? [
            {
              extends: true as const,
              test: {
                name: 'server',
                // Each file has its own database all the same.
                isolate: false,
                include: [...onEveryDatabase, ...onServer, ...(everyDatabase ? onEmbedded : [])],
                globalSetup,
              },
            },
            {
              extends: true as const,
              test: { name: 'slow-on-server', include: slowOnServer, globalSetup },
            },
          ]
        : []),
      {
        extends: true,
        test: { name: 'slow-parts', include: slowParts },
      },
      {
        extends: true,
        test: {
          name: 'slow-on-cluster',
          include: onCluster,
          globalSetup,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow-on-spark',
          include: onSpark,
          // Fetching Spark takes a minute, and its first statement seconds.
          hookTimeout: 600_000,
          globalSetup: [...globalSetup, 'test/support/spark/start.ts'],
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow-on-embedded',
          include: [...slowOnEmbedded, ...(hasServer ? [] : slowOnServer)],
          globalSetup: [...globalSetup, 'test/support/build-dashboard.ts'],
        },
      },
    ],
  },
});
