import { expect, vi } from 'vitest';
import { startProxy } from '../support/cut-off.ts';
import { readLog } from '../support/job-events.ts';
import { test as base } from '../support/on-server.ts';
import { JobById, PauseJob, ResumeJob } from '../support/operations.ts';
import { addSorties } from '../support/tables.ts';

/** A port on which nothing listens. */
const NOWHERE = 'http://127.0.0.1:9';

/** A sync that is watched through a connection that can be cut. */
const test = base.extend('watched', async ({ application, bladeWith }, { onCleanup }) => {
  const { client, database, url } = application;
  await database.pool.query('truncate blade_item; delete from data_source');
  await addSorties(application, 20_000);
  let isAway = false;
  const proxy = await startProxy(() => (isAway ? NOWHERE : url));
  onCleanup(proxy.close);
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
  const readState = async () => (await client.send(JobById, { id })).job?.state;
  return {
    id,
    readState,
    watch: bladeWith({ BLADE_URL: proxy.url }).start('job', id.replace('Job:', ''), '--watch'),
    goAway() {
      isAway = true;
      proxy.cut();
    },
    comeBack() {
      isAway = false;
    },
  };
});

test('a watch that is cut off in the middle of a sync reports that it missed nothing, and what happened meanwhile', async ({
  client,
  watched: { id, watch, readState, goAway, comeBack },
}) => {
  await watch.until(/^RUNNING [^\n]*items/m);
  goAway();
  await watch.until(/Connection lost/);
  const before = await readLog(client, id);
  await client.send(PauseJob, { input: { id } });
  await vi.waitFor(async () => expect(await readState()).toBe('PAUSED'), 30_000);
  const log = await readLog(client, id);
  comeBack();
  await watch.until(/Reconnected, nothing missed\.\n[\s\S]*Paused\n/);
  await client.send(ResumeJob, { input: { id } });
  const { code, out, err } = await watch.ended;
  expect({ code, lastLine: out.trimEnd().split('\n').at(-1) }).toEqual({
    code: 0,
    lastLine: expect.stringMatching(/^COMPLETED after .*, 20,000 items/),
  });
  const meanwhile = log.slice(before.length).filter(({ __typename }) => __typename !== 'JobCheckpointEvent');
  expect(meanwhile.map(({ __typename }) => __typename)).toEqual(['JobPauseRequestedEvent', 'JobPausedEvent']);
  expect(err).toMatch(/^Connection lost, reconnecting: [^\n]*\n/);
  expect(err.slice(err.indexOf('\n') + 1)).toBe(
    ['Reconnected, nothing missed.', ...meanwhile.map(({ message }) => `  ${message}`), ''].join('\n'),
  );
});

test('a watch whose last event is gone when it is back names the gap, and still shows the job to its end', async ({
  application: { client, database },
  watched: { id, watch, readState, goAway, comeBack },
}) => {
  await watch.until(/^RUNNING [^\n]*items/m);
  goAway();
  await watch.until(/Connection lost/);
  await client.send(PauseJob, { input: { id } });
  await vi.waitFor(async () => expect(await readState()).toBe('PAUSED'), 30_000);
  await database.pool.query(`delete from job_event where job_id = $1 and kind <> 'PAUSED'`, [
    id.replace('Job:', ''),
  ]);
  comeBack();
  await watch.until(/Reconnected/);
  await client.send(ResumeJob, { input: { id } });
  const { code, err } = await watch.ended;
  expect(code).toBe(0);
  expect(err).toMatch(
    /\nReconnected, with a gap: What the cursor marks is no longer there[^\n]*\n {2}Paused\n$/,
  );
  expect(err).not.toContain('nothing missed');
});
