import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { findTestServer } from './test/support/test-server.ts';

/** Tests that use a database: they run on the embedded one and, where there is one, on a server. */
const DATABASE_TESTS = [
  'test/{api,database,end-to-end,health,ingestion,items,jobs,observability}/**/*.test.ts',
];

/**
 * Tests of what is the same on any database run once, on a server where there is one, which takes less time: all of them
 * on both take more than ten minutes on two cores. TEST_EVERY_DATABASE=true runs all that use a database on both.
 */
const ONCE = [
  'test/api/{audit,authentication,clearance,failed-credentials,fuzz,input,limits,operation-cost,origin,protocol-fuzz,roles,server,shared-execution,slow-readers,subscription}.test.ts',
  'test/clients/*.test.ts',
  'test/end-to-end/readme.test.ts',
  'test/ingestion/{fuzz,incremental,query-job}.test.ts',
  'test/jobs/*.test.ts',
  'test/observability/*.test.ts',
];

const everyDatabase = process.env.TEST_EVERY_DATABASE === 'true';

/** Tests of what only one of them has, or that no database has a part in; and such as the tests of clusters do on a server. */
const EMBEDDED_ONLY = [
  ...(everyDatabase ? [] : ['test/end-to-end/{crash,keys}.test.ts', 'test/ingestion/thread-pool.test.ts']),
  'test/end-to-end/{damaged-folder,databricks,first-start,http-catalog}.test.ts',
  'test/database/{embedded-server,undo-log}.test.ts',
  'test/ingestion/transform.test.ts',
  'test/api/schema.test.ts',
];

/** Tests of parts that start nothing: their files share processes, of which each would load the same again. */
const PARTS = [
  'test/{catalog,config,data-types,sql-check}/*.test.ts',
  'test/warehouse/{reading,values,whole-results}.test.ts',
  'test/warehouse/demo/demo.test.ts',
  'test/warehouse/duckdb/{fingerprints,folder,select}.test.ts',
  'test/application/*.test.ts',
  'test/shared/*.test.ts',
  'test/command-line/{text,watch-job}.test.ts',
  'test/{architecture,deploy,docs}.test.ts',
  'test/database/undo-log.test.ts',
];

/** Tests of several processes on one server: `npm run test:cluster` runs these alone. */
const CLUSTER_TESTS = ['test/end-to-end/{cluster,chaos}.test.ts'];

// Tests start hundreds of processes of the same code: each but the first takes it compiled.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url));

const hasServer = (await findTestServer()) !== null;

const globalSetup = ['test/support/prepare-database.ts'];

export default defineConfig({
  // Vite's defaults without `development`: under that condition graphql has a second copy, which its other users would not
  // share with us, so that `instanceof GraphQLError` would fail in tests and nowhere else.
  ssr: { resolve: { conditions: ['module', 'node'] } },
  test: {
    pool: 'forks',
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    setupFiles: ['test/support/patience.ts'],
    // A machine of CI may stand still for longer than a real process or server is given to answer.
    retry: process.env.CI === 'true' ? 2 : 0,
    projects: [
      {
        extends: true,
        test: { name: 'parts', include: PARTS, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'embedded',
          include: ['test/**/*.test.ts'],
          exclude: [...CLUSTER_TESTS, ...PARTS, ...(hasServer && !everyDatabase ? ONCE : [])],
          globalSetup: [...globalSetup, 'test/support/build-dashboard.ts'],
        },
      },
      ...(hasServer
        ? [
            {
              extends: true as const,
              test: {
                name: 'server',
                // As of the parts; each has a database of its own all the same.
                isolate: false,
                include: [...DATABASE_TESTS, ...ONCE],
                exclude: [...EMBEDDED_ONLY, ...CLUSTER_TESTS],
                globalSetup,
              },
            },
          ]
        : []),
      {
        extends: true,
        test: {
          name: 'cluster',
          include: CLUSTER_TESTS,
          globalSetup,
        },
      },
    ],
  },
});
