import { expect, onTestFinished } from 'vitest';
import { createPrismaClient } from '../../src/database/prisma-client.ts';
import { startBoss } from '../../src/jobs/queue/boss.ts';
import { openPartitionQueue } from '../../src/jobs/queue/partition-queue.ts';
import { test } from '../support/on-server.ts';
import { startTestApplication } from '../support/test-application.ts';

const OTHER_PARTITION = '01890000-0000-7000-8000-000000000001';

/** Everything of a message but what is its own: the times since its creation. */
const MESSAGES = `select to_jsonb(j) - 'id' - 'data' - 'created_on' - 'start_after' - 'keep_until' as message,
    start_after - created_on as wait, keep_until - created_on as kept, jsonb_object_keys(data) as key, data ->> 'partitionId' as partition
  from pgboss.job j where name = 'partitions' order by created_on`;

test('a job that is started leaves the message that pg-boss would leave, and wakes the same workers', async () => {
  // Without a worker, so that messages stay in the queue.
  const { database, client, close } = await startTestApplication({ BLADE_ROLES: 'api' });
  onTestFinished(close);
  const { connectionString } = database;
  const boss = await startBoss({
    ...{ connectionString, useNotifications: true, runsSchedules: false },
    onError: (error) => expect.unreachable(String(error)),
  });
  onTestFinished(() => boss.stop());
  const queue = await openPartitionQueue(boss);
  const prisma = createPrismaClient(connectionString, { maxConnections: 1 });
  onTestFinished(() => prisma.$disconnect());
  const listener = await database.pool.connect();
  onTestFinished(() => listener.release(true));
  const heard: string[] = [];
  listener.on('notification', ({ channel, payload }) => heard.push(`${channel} ${payload}`));
  const { rows: channels } = await listener.query(
    `select 'pgboss_' || left(encode(sha224('pgboss'), 'hex'), 24) as channel`,
  );
  await listener.query(`listen ${channels[0].channel}`);

  const options = { maxAttempts: 4 };
  await client.startQueryJob({ dataType: 'sortie', sqlQuery: 'SELECT 1 AS item_id', options });
  await prisma.$transaction((transaction) =>
    queue.enqueue(transaction, [OTHER_PARTITION], options.maxAttempts),
  );

  const { rows } = await database.pool.query(MESSAGES);
  const { rows: partitions } = await database.pool.query('select id from job_partition');
  expect(rows).toEqual([
    { ...rows[1], partition: partitions[0].id },
    { ...rows[1], partition: OTHER_PARTITION },
  ]);
  expect(rows[0].message).toMatchObject({ state: 'created', retry_limit: 3, heartbeat_seconds: 15 });
  await listener.query('select');
  expect(heard).toEqual([`${channels[0].channel} partitions`, `${channels[0].channel} partitions`]);
});
