import { inject } from 'vitest';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { startDatabricksServer } from './databricks-server.ts';
import { test as base } from './fixtures.ts';
import { openSparkEngine } from './spark/connect.ts';
import { startTestApplication } from './test-application.ts';

/**
 * For tests against real Spark with Delta Lake, on a server if there is one: `npm run test:spark` runs these alone. `reader`
 * is a program that reads from `engine`, behind the service of Databricks.
 */
export const test = base
  .extend('engine', ({ open }) => open(openSparkEngine(inject('spark'))))
  .extend('server', ({ open, engine }) => open(startDatabricksServer({ engine })))
  .extend('reader', ({ open, server }) =>
    open(
      startTestApplication(
        { BLADE_WORKER_THREADS: '1' },
        { warehouse: { name: 'databricks', settings: server.configuration, allowedSchemas: ANY_SCHEMA } },
      ),
    ),
  );
