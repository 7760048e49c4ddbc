import { describe, inject } from 'vitest';
import type { Choice } from '../../src/shared/definition.ts';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { startDatabricksServer } from './databricks-server.ts';
import { test as base } from './fixtures.ts';
import { openSparkEngine } from './spark/connect.ts';
import { FRONTS, startFront } from './spark/front.ts';
import { startTestApplication } from './test-application.ts';

/**
 * For tests against real Spark with Delta Lake, on a server if there is one: `npm run test:spark` runs these alone. `reader`
 * is a program that reads from `engine`, behind the service of Databricks.
 */
export const test = base
  .extend('engine', ({ open }) => open(openSparkEngine(inject('spark'))))
  .extend('server', ({ open, engine }) => open(startDatabricksServer({ engine })))
  .extend('reader', ({ open, server }) =>
    open(startReader({ name: 'databricks', settings: server.configuration })),
  );

const createTest = (kind: (typeof FRONTS)[number]) =>
  test
    .extend('front', ({ open, engine }) => open(startFront(kind, engine, inject('spark'))))
    .extend('reader', ({ open, front }) => open(startReader(front.choice)));

/** Defines tests for each way to Spark, which is `front`, and from which `reader` reads. */
export function onEveryFront(define: (test: ReturnType<typeof createTest>) => void): void {
  for (const kind of FRONTS) describe(`over ${kind}`, () => define(createTest(kind)));
}

function startReader(choice: Choice) {
  return startTestApplication(
    { BLADE_WORKER_THREADS: '1' },
    { warehouse: { ...choice, allowedSchemas: ANY_SCHEMA } },
  );
}
