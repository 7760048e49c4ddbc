import type { TestProject } from 'vitest/node';
import type { SparkServer } from './connect.ts';
import { startSparkServer } from './server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The Spark of the run. */
    readonly spark: SparkServer;
  }
}

/** Starts Spark for the run. */
export default async function startSpark(project: TestProject): Promise<() => Promise<void>> {
  const { server, close } = await startSparkServer();
  project.provide('spark', server);
  return close;
}
