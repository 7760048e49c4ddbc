import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, vi } from 'vitest';
import { expectAllOnce, listClaims } from '../support/cluster.ts';
import { describeOnServer, test } from '../support/on-cluster.ts';
import { addSource, uuid, writeQuery } from '../support/tables.ts';

const FILES = 8;
const ROWS = 4_000;

describeOnServer('a folder of files that several workers read', () => {
  test('has each row once, though one of them is killed within its files', async ({ createCluster }) => {
    const cluster = await createCluster(ROWS);
    const warehouse = join(dirname(cluster.catalogFolder), 'warehouse');
    const field = join(warehouse, 'blade', 'field');
    await mkdir(join(field, 'sorties'));
    for (let file = 0; file < FILES; file += 1) {
      const name = `part-${file}`;
      await writeQuery(
        warehouse,
        name,
        `SELECT * FROM '${join(field, 'sortie.parquet')}' LIMIT ${ROWS / FILES} OFFSET ${(file * ROWS) / FILES}`,
      );
      await rename(join(field, `${name}.parquet`), join(field, 'sorties', `${name}.parquet`));
    }
    await rm(join(field, 'sortie.parquet'));
    const api = await cluster.start('api');
    const workers = [await cluster.start('worker'), await cluster.start('worker')] as const;
    await addSource(api, { tableName: 'sorties' });
    const { id } = await api.client.startSync({
      syncType: 'FULL',
      options: { batchSize: 20, partitionRows: 1_000 },
    });
    const readPartitions = async () => {
      const { rows } = await cluster.pool.query<{ parts: unknown; attempt: number; read: number }>(
        `select plan -> 'statement' -> 'parts' as parts, attempt, read_items::int as read from job_partition order by ordinal`,
      );
      return rows;
    };
    await vi.waitFor(
      async () => {
        expect(listClaims(workers[1]).length).toBeGreaterThan(0);
        const partitions = await readPartitions();
        expect(partitions).toHaveLength(4);
        expect(partitions.some(({ read }) => read > 100 && read < 900)).toBe(true);
      },
      { timeout: 40_000, interval: 10 },
    );
    await workers[1].end('SIGKILL');
    expect(await api.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: { successCount: ROWS, duplicateCount: 0, totalItems: ROWS },
    });
    await expectAllOnce(cluster, uuid(id), ROWS);
    const partitions = await readPartitions();
    expect(partitions.map(({ parts }) => parts)).toEqual(
      [0, 2, 4, 6].map((first) => ({ first, end: first + 2 })),
    );
    expect(partitions.some(({ attempt }) => attempt > 1)).toBe(true);
  });
});
