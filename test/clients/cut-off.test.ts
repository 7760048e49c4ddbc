import { expect, vi } from 'vitest';
import type { JobEventMessage } from '../../docs/examples/follow-events.ts';
import { startProxy } from '../support/cut-off.ts';
import { FOLLOWERS } from '../support/followers.ts';
import { readLog } from '../support/job-events.ts';
import { test } from '../support/on-server.ts';
import { addSorties } from '../support/tables.ts';
import type { TestDatabase } from '../support/test-database.ts';

/** Adds events to the log of a job that runs. @returns whether it does. */
async function addEvents({ pool }: Pick<TestDatabase, 'pool'>, id: string, round: number): Promise<boolean> {
  const { rows } = await pool.query(
    `with running as (select id from job where id = $1 and state = 'RUNNING' for update)
     select blade_add_job_event(id, 'WAITING', reason => 'Waiting for round ' || $2) from running, generate_series(1, 3)`,
    [id.replace('Job:', ''), String(round)],
  );
  return rows.length > 0;
}

test.for(Object.entries(FOLLOWERS))(
  '%s that is cut off again and again in the middle of a sync receives its log, in order, each event once',
  async ([, follow], { application }) => {
    const { client, database } = application;
    await database.pool.query('truncate blade_item; delete from data_source');
    await addSorties(application, 20_000);
    const proxy = await startProxy(application.url);
    try {
      const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
      const received: JobEventMessage[] = [];
      const followed = follow(proxy.url, id, (message) => received.push(message));
      await vi.waitFor(
        () => expect(received.some(({ event }) => event?.__typename === 'JobStartedEvent')).toBe(true),
        20_000,
      );
      proxy.cut();
      let rounds = 0;
      while (rounds < 5 && (await addEvents(database, id, rounds + 1))) {
        rounds += 1;
        const message = `Waiting for round ${rounds}`;
        await vi.waitFor(
          () => expect(received.filter(({ event }) => event?.message === message)).toHaveLength(3),
          20_000,
        );
        proxy.cut();
      }
      expect(rounds).toBeGreaterThan(0);
      await client.waitForEnd(id);
      await followed;
      const log = await readLog(client, id);
      expect(received.map(({ cursor }) => cursor)).toEqual(log.map(({ cursor }) => cursor));
      expect(received.map(({ event }) => event?.message)).toEqual(log.map(({ message }) => message));
    } finally {
      proxy.close();
    }
  },
);
