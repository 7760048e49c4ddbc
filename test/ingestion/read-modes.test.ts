import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { CreateDataSourceInput } from '../generated/graphql.ts';
import { test } from '../support/on-server.ts';
import { JobReads, SourceReads } from '../support/operations.ts';
import { addSource, forgetAll, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;

beforeAll(async () => {
  application = await startTestApplication();
});

afterEach(() => forgetAll(application));

afterAll(() => application.close());

const write = (from: number, to: number) =>
  writeRows(
    application.warehouseFolder,
    'sortie',
    Array.from({ length: to - from }, (_none, index) => ({
      item_id: `S-${from + index}`,
      updated_at: from + index,
    })),
  );

/** Syncs twice, the second time with one row more. @returns what the second one read. */
async function syncTwice(input: Partial<CreateDataSourceInput>) {
  await write(0, 5);
  const source = await addSource(application, { cursorColumn: 'updated_at', ...input });
  for (const more of [0, 1]) {
    await write(0, 5 + more);
    const { id } = await application.client.startSync({ syncType: 'INCREMENTAL' });
    const { state } = await application.client.waitForEnd(id);
    const { job } = await application.client.send(JobReads, { id });
    if (more === 0) continue;
    const { dataSource } = await application.client.send(SourceReads, { id: source });
    return { state, readItems: job?.partitions.nodes[0]?.readItems, message: dataSource?.lastSyncMessage };
  }
  throw new Error('unreachable');
}

test.for([
  ['AUTO', 2],
  ['CURSOR', 2],
  ['SNAPSHOT', 6],
] as const)('%s reads %i of 6 rows from files, one of which is new', async ([readMode, readItems]) => {
  expect(await syncTwice({ readMode })).toEqual({ state: 'COMPLETED', readItems, message: null });
});

test('CHANGE_FEED is refused by name for files, which keep none', async () => {
  expect(await syncTwice({ readMode: 'CHANGE_FEED' })).toMatchObject({
    state: 'FAILED',
    message:
      'readMode CHANGE_FEED needs a Delta table with a change feed, and this warehouse keeps none: choose AUTO, CURSOR or SNAPSHOT.',
  });
});
