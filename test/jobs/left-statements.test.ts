import { expect } from 'vitest';
import { LeaseLostError } from '../../src/database/partition-lease.ts';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { saveStatementHandle } from '../../src/ingestion/statement-handles.ts';
import { claimPartition } from '../../src/jobs/partitions/claim-partition.ts';
import { handBackPartition } from '../../src/jobs/partitions/hand-back-partition.ts';
import { replanSource } from '../../src/jobs/partitions/replan-source.ts';
import { createRegistry } from '../../src/plugins/registry.ts';
import { test as base } from '../support/on-server.ts';
import { addSource, forgetAll } from '../support/tables.ts';

// Which statements an attempt leaves in the warehouse, without a warehouse: test/spark/left-statements.test.ts has a real one.

const test = base
  .extend('settings', { BLADE_ROLES: 'api' })
  .extend('prisma', { scope: 'file' }, async ({ database }, { onCleanup }) => {
    const prisma = createPrismaClient(database.connectionString, { maxConnections: 2 });
    onCleanup(() => prisma.$disconnect());
    return prisma;
  })
  .extend('partition', async ({ application, prisma }) => {
    await addSource(application, { name: 'Sorties' });
    await application.client.startSync({ syncType: 'FULL' });
    return prisma.jobPartition.findFirstOrThrow();
  });

test('an attempt knows by what handle the one before it left statements, and only the holder of the lease can keep one', async ({
  application,
  prisma,
  partition: { id, jobId },
}) => {
  const { pool } = application.database;
  expect(await claimPartition(prisma, id)).toMatchObject({
    partition: { attempt: 1, statementHandle: null },
  });
  await saveStatementHandle(pool, { jobId, partitionId: id, attempt: 1 }, 'session one');
  expect(await claimPartition(prisma, id)).toMatchObject({
    partition: { attempt: 2, statementHandle: 'session one' },
  });
  await expect(
    saveStatementHandle(pool, { jobId, partitionId: id, attempt: 1 }, 'session late'),
  ).rejects.toThrow(LeaseLostError);
  // Its own are handed back with the partition, and not those of the attempt that has taken its lease.
  await saveStatementHandle(pool, { jobId, partitionId: id, attempt: 2 }, 'session two');
  expect(await handBackPartition(prisma, { id, attempt: 1 }, 'Its thread has died.')).toBeNull();
  expect(await handBackPartition(prisma, { id, attempt: 2 }, 'Its thread has died.')).toBe('session two');
  await forgetAll(application);
});

test('a source that is planned again ends the statements of its other partitions', async ({
  application,
  prisma,
  partition: { id, jobId, ...partition },
}) => {
  const { pool } = application.database;
  await prisma.jobPartition.createMany({
    data: [1, 2].map((ordinal) => ({
      ...{ jobId, ordinal, dataType: partition.dataType, dataSourceId: partition.dataSourceId },
      ...{ id: crypto.randomUUID(), sourceName: partition.sourceName },
    })),
  });
  const parts = await prisma.jobPartition.findMany({ orderBy: { ordinal: 'asc' } });
  for (const { id, ordinal } of parts) {
    await claimPartition(prisma, id);
    await saveStatementHandle(pool, { jobId, partitionId: id, attempt: 1 }, `session ${ordinal}`);
  }
  await prisma.jobPartition.update({
    where: { id: parts[1]?.id ?? '' },
    data: { state: 'COMPLETED', finishedAt: new Date() },
  });
  const change = { status: 'CHANGED', message: 'The table changed.', hasRowCounts: false } as const;
  expect(
    await replanSource(
      { prisma, dataTypes: createRegistry([]).dataTypes },
      { id, attempt: 1 },
      change,
      async () => {},
    ),
  ).toEqual({ isJobEnded: false, leftStatements: ['session 2'] });
  await forgetAll(application);
});
