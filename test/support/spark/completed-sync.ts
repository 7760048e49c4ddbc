import { expect } from 'vitest';
import type { SyncType } from '../../generated/graphql.ts';
import { JobReads, SourceReads } from '../operations.ts';
import type { TestApplication } from '../test-application.ts';

/** Reads what a source says of its last sync, its table and its watermark. */
export async function findSource({ client }: TestApplication, id: string) {
  return (await client.send(SourceReads, { id })).dataSource;
}

/** Runs a sync to its end, which has to be COMPLETED without errors, and reads it. */
export async function completeSync({ client }: TestApplication, syncType: SyncType) {
  const { id } = await client.startSync({ syncType });
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED', progress: { errorCount: 0 } });
  return (await client.send(JobReads, { id })).job;
}
