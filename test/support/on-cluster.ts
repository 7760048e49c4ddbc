import { describe, inject } from 'vitest';
import { type Cluster, createCluster } from './cluster.ts';
import { test as base } from './fixtures.ts';

const prepared = inject('preparedDatabase');

/** The PostgreSQL server on which clusters have their databases; null where there is none. */
export const serverUrl = prepared.kind === 'server' ? prepared.url : null;

/** A suite that is skipped, and says why, where there is no PostgreSQL server. */
export function describeOnServer(name: string, suite: () => void): void {
  const needs = serverUrl === null ? ' (skipped: needs a PostgreSQL server)' : '';
  describe.skipIf(serverUrl === null)(`${name}${needs}`, { timeout: 120_000 }, suite);
}

/** For tests of several processes on a server: `npm run test:slow` runs these, too. */
export const test = base
  /** Makes a cluster of this many sorties, on this or another server; what it logged is shown if the test failed. */
  .extend('createCluster', async ({ open, onTestFailed }) => {
    return async (
      rows: number,
      settings?: Record<string, string>,
      url = serverUrl ?? '',
    ): Promise<Cluster> => {
      const cluster = await open(createCluster(url, rows, settings));
      onTestFailed(() => cluster.showLogs());
      return cluster;
    };
  });
