import { describe, inject } from 'vitest';
import { ANY_SCHEMA } from '../../src/sql-check/allowed-schemas.ts';
import { test as base } from './fixtures.ts';
import { openSparkEngine } from './spark/connect.ts';
import { FRONTS, startFront } from './spark/front.ts';
import { startTestApplication } from './test-application.ts';

/** For tests against real Spark with Delta Lake, on a server if there is one: `npm run test:spark` runs these alone. */
export const test = base.extend('engine', ({ open }) => open(openSparkEngine(inject('spark'))));

const createTest = (kind: (typeof FRONTS)[number]) =>
  test
    .extend('front', ({ open, engine }) => open(startFront(kind, engine, inject('spark'))))
    .extend('reader', ({ open, front }) =>
      open(
        startTestApplication(
          { BLADE_WORKER_THREADS: '1' },
          { warehouse: { ...front.choice, allowedSchemas: ANY_SCHEMA } },
        ),
      ),
    );

/**
 * Defines tests for each way to Spark: `front` is one that every program may read from, and `reader` a program that does.
 */
export function onEveryFront(define: (test: ReturnType<typeof createTest>) => void): void {
  for (const kind of FRONTS) describe(`over ${kind}`, () => define(createTest(kind)));
}
