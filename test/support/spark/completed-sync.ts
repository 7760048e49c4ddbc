import { expect } from 'vitest';
import type { StartSyncInput, SyncType } from '../../generated/graphql.ts';
import { JobReads, SourceReads } from '../operations.ts';
import type { TestApplication } from '../test-application.ts';

/** Reads what a source says of its last sync, its table and its watermark. */
export async function findSource({ client }: TestApplication, id: string) {
  return (await client.send(SourceReads, { id })).dataSource;
}

/** Runs a sync to its end, which has to be COMPLETED without errors. @returns the id of its job. */
export async function runSync({ client }: TestApplication, input: StartSyncInput): Promise<string> {
  const { id } = await client.startSync(input);
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
  return id;
}

/** Runs such a sync of all sources, and reads its job. */
export async function completeSync(application: TestApplication, syncType: SyncType) {
  const id = await runSync(application, { syncType });
  return (await application.client.send(JobReads, { id })).job;
}
