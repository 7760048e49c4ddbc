import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { abandonPartition } from '../../src/jobs/partitions/end-partition.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { test } from '../support/slow-on-server.ts';
import { addSource, uuid, writeRows } from '../support/tables.ts';

/** More than other transactions have. */
const LONG_MS = 65_000;

test('a source whose deletes waited for one that is given up has minutes to judge them', {
  timeout: 200_000,
}, async ({ application, onTestFinished }) => {
  const { client, database, warehouseFolder } = application;
  const write = (table: string, from: number, to: number) =>
    writeRows(
      warehouseFolder,
      table,
      Array.from({ length: to - from }, (_none, index) => ({ item_id: `${table}-${from + index}` })),
    );
  const settings = { deletePolicy: 'MARK', maxDeletePercent: 100 } as const;
  await write('sortie', 0, 10);
  const source = await addSource(application, settings);
  await client.waitForEnd((await client.startSync({ syncType: 'FULL' })).id);
  await write('sortie', 5, 10);
  await write('other', 0, 20_000);
  await addSource(application, { ...settings, name: 'Other', tableName: 'other' });
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 1 } });
  const query = async (text: string) => (await database.pool.query(text, [uuid(id)])).rows;
  await expect
    .poll(() => query('select 1 from job_partition where job_id = $1 and postponed_facts is not null'), {
      timeout: 60_000,
    })
    .toHaveLength(1);
  const [other] = await query(`select id from job_partition where job_id = $1 and state = 'RUNNING'`);
  const prisma = createPrismaClient(database.connectionString, { maxConnections: 1 });
  onTestFinished(() => prisma.$disconnect());
  const blocker = await database.pool.connect();
  await blocker.query('begin');
  await blocker.query('select 1 from data_source where id = $1 for update', [source]);
  const abandoned = abandonPartition({ prisma, dataTypes: createRegistry([]).dataTypes }, other.id);
  // The time is what is tested.
  await setTimeout(LONG_MS);
  await blocker.query('commit');
  blocker.release();
  await abandoned;
  expect(await client.waitForEnd(id)).toMatchObject({ state: 'FAILED', progress: { deletedCount: 5 } });
});
