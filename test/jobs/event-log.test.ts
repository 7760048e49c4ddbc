import { Client } from 'pg';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { type ApiClient, createApiClient } from '../support/api-client.ts';
import { bearer, SECRET_SETTINGS } from '../support/credentials.ts';
import { readLog } from '../support/job-events.ts';
import { insertJob, insertPartition, moveJob } from '../support/job-rows.ts';
import { test } from '../support/on-every-database.ts';
import { CancelJob, JobById, JobProgress, PauseJob, ResumeJob } from '../support/operations.ts';
import { createSortieTable } from '../support/sortie-table.ts';
import { addSource, forgetAll, writeRows } from '../support/tables.ts';
import { startTestApplication, type TestApplication } from '../support/test-application.ts';

let application: TestApplication;
/** Cleared for everything, and for less. */
let client: ApiClient;
let lower: Readonly<Record<'UNCLASSIFIED' | 'SECRET', ApiClient>>;

beforeAll(async () => {
  const started = await startTestApplication(SECRET_SETTINGS);
  const connect = async (claims: object) => createApiClient(started.url, await bearer({ ...claims }));
  client = await connect({ sub: 'maj.lee', name: 'Maj Lee', role: 'admin', clearance: 'TOP SECRET' });
  application = { ...started, client };
  lower = {
    UNCLASSIFIED: await connect({ role: 'viewer', clearance: 'UNCLASSIFIED' }),
    SECRET: await connect({ role: 'viewer', clearance: 'SECRET' }),
  };
});

afterAll(() => application.close());

/** Without checkpoints, which only a slow machine makes of a small job. */
const loadTypes = async (reader: ApiClient, id: string) =>
  (await readLog(reader, id))
    .map(({ __typename: type }) => type)
    .filter((type) => type !== 'JobCheckpointEvent');

test('a sync leaves a log of what happened to it, in order, for people and programs', async () => {
  await forgetAll(application);
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'S-1', classification_marking: 'U' },
    { item_id: 'S-2', classification_marking: 'TS' },
    { item_id: 'S-3', classification_marking: 'TS', flight_hours: 'two' },
  ]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  await addSource(application, { name: 'Nothing', dataType: 'sortie', tableName: 'nothing' });
  const { id } = await client.startSync({ syncType: 'FULL' });
  await client.waitForEnd(id);

  const log = await readLog(client, id);
  const about = (source: string) =>
    log.filter((event) => 'sourceName' in event && event.sourceName === source);
  expect(log[0]).toMatchObject({
    ...{ __typename: 'JobQueuedEvent', by: { name: 'Maj Lee' }, message: 'Queued by Maj Lee' },
  });
  expect(log[1]).toMatchObject({ __typename: 'JobStartedEvent' });
  expect(about('Sorties').map(({ __typename: type }) => type)).toEqual(
    expect.arrayContaining(['SourceStartedEvent', 'SourcePlannedEvent']),
  );
  expect(about('Sorties').find(({ __typename: type }) => type === 'SourcePlannedEvent')).toMatchObject({
    ...{ totalItems: 3, partitionCount: 1, isUnchanged: false, message: 'Sorties has 3 rows' },
  });
  expect(about('Nothing').at(-1)).toMatchObject({
    ...{
      __typename: 'SourceFailedEvent',
      message: expect.stringMatching(/^Nothing could not be read to its end: .*nothing/),
    },
  });
  expect(log.at(-1)).toMatchObject({
    ...{ __typename: 'JobEndedEvent', state: 'FAILED', outcome: 'SOURCES_FAILED' },
    ...{ successCount: 2, errorCount: 1, failureReason: expect.stringContaining('Nothing: ') },
  });
  expect(log.filter(({ __typename: type }) => type === 'JobEndedEvent')).toHaveLength(1);
});

test('a reader gets the events and the numbers of a database without what is above its clearance', async () => {
  await forgetAll(application);
  await writeRows(application.warehouseFolder, 'sortie', [
    { item_id: 'S-1', classification_marking: 'U' },
    { item_id: 'S-2', classification_marking: 'SECRET' },
    { item_id: 'S-3', classification_marking: 'SECRET', flight_hours: 'two' },
    { item_id: 'S-4', classification_marking: 'TS' },
  ]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  const { id } = await client.startSync({ syncType: 'FULL' });
  await client.waitForEnd(id);

  const seen = [
    'JobQueuedEvent',
    'JobStartedEvent',
    'SourceStartedEvent',
    'SourceReadEvent',
    'JobEndedEvent',
  ];
  expect(await loadTypes(lower.UNCLASSIFIED, id)).toEqual(seen);
  expect(await loadTypes(lower.SECRET, id)).toEqual(seen);
  expect(await loadTypes(client, id)).toEqual(expect.arrayContaining([...seen, 'SourcePlannedEvent']));
  const ends = [client, lower.SECRET, lower.UNCLASSIFIED].map(async (reader) =>
    (await readLog(reader, id)).at(-1),
  );
  expect(await Promise.all(ends)).toMatchObject([
    {
      outcome: 'ITEMS_FAILED',
      successCount: 3,
      errorCount: 1,
      message: 'Completed: 4 rows done, 3 inserted, 1 failed',
    },
    {
      outcome: 'ITEMS_FAILED',
      successCount: 2,
      errorCount: 1,
      message: 'Completed: 3 rows done, 2 inserted, 1 failed',
    },
    { outcome: 'SUCCEEDED', successCount: 1, errorCount: 0, message: 'Completed: 1 row done, 1 inserted' },
  ]);
});

test('the log says who paused, resumed and cancelled a job', async () => {
  await forgetAll(application);
  const table = { catalog: 'blade', schema: 'field', table: 'flight' };
  await createSortieTable({ folder: application.warehouseFolder, table, rows: 20_000 });
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'flight' });
  const { id } = await client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
  for await (const { jobProgress } of client.watch(JobProgress, { id }))
    if (jobProgress.progress.processedItems > 0) break;
  const hasState = (state: string) =>
    vi.waitFor(async () => expect((await client.send(JobById, { id })).job).toMatchObject({ state }), {
      timeout: 20_000,
    });
  await client.send(PauseJob, { input: { id } });
  await hasState('PAUSED');
  await client.send(ResumeJob, { input: { id } });
  await hasState('RUNNING');
  await client.send(CancelJob, { input: { id } });
  await hasState('CANCELLED');

  const log = await readLog(client, id);
  const controls = log.filter(({ __typename: type }) =>
    /^Job(Pause|Resume|Cancel|Continued|Ended)/.test(type),
  );
  expect(controls.map(({ message }) => message)).toEqual([
    ...[
      'Pause requested by Maj Lee',
      'Paused',
      'Resumed by Maj Lee',
      'Continued',
      'Cancel requested by Maj Lee',
    ],
    expect.stringMatching(/^Cancelled: [\d,]+ rows done/),
  ]);
});

test('an attempt whose worker died, and a job that waits, are in the log', async () => {
  const { database } = application;
  const id = await insertJob(database, { state: 'QUEUED', marking: 'UNCLASSIFIED' });
  await moveJob(database, id, 'RUNNING');
  const partition = await insertPartition(database, { jobId: id });
  const run = (sql: string) => database.pool.query(sql, [id]);
  await database.pool.query(
    `update job_partition set state = 'RUNNING', attempt = attempt + 1 where id = $1`,
    [partition],
  );
  await run(`update job set current_operation = 'Waiting to try again: S-7 was refused' where id = $1`);
  await run(`update job set current_operation = 'Waiting to try again: S-7 was refused' where id = $1`);
  await run(`update job set current_operation = 'Syncing' where id = $1`);
  const waits = [
    'Queued',
    'Started',
    'Attempt 0 at a partition of Sorties was lost with its worker',
    'Reading Sorties',
    'Waiting to try again: S-7 was refused',
    'Continued',
  ];
  expect((await readLog(client, id)).map(({ message }) => message)).toEqual(waits);
  expect((await readLog(lower.SECRET, id)).map(({ message }) => message)).toEqual([
    ...['Queued', 'Started', 'Reading Sorties', 'Waiting to try again', 'Continued'],
  ]);
});

test('a batch that the database rolled back and then took is in the log, for those who may see partitions', async () => {
  await forgetAll(application);
  await writeRows(application.warehouseFolder, 'sortie', [{ item_id: 'S-1', classification_marking: 'U' }]);
  await addSource(application, { name: 'Sorties', dataType: 'sortie', tableName: 'sortie' });
  const { pool } = application.database;
  await pool.query(`
    create sequence saves;
    create function fail_twice() returns trigger language plpgsql as $$
    begin
      -- A sequence is not rolled back.
      if nextval('saves') <= 2 then raise exception 'deadlock detected' using errcode = '40P01'; end if;
      return new;
    end $$;
    create trigger fail_twice before insert on blade_item for each row execute function fail_twice()`);
  const { id } = await client.startSync({ syncType: 'FULL' });
  const { state, progress } = await client.waitForEnd(id);
  await pool.query('drop trigger fail_twice on blade_item; drop function fail_twice; drop sequence saves');
  expect([state, progress.successCount, progress.errorCount]).toEqual(['COMPLETED', 1, 0]);
  const retries = (await readLog(client, id)).filter(({ __typename: type }) => type === 'BatchRetriedEvent');
  // Of the transactions that were rolled back, nothing is left.
  expect(retries).toMatchObject([
    {
      ...{ sourceName: 'Sorties', attempt: 3, retryReason: expect.stringMatching(/another transaction/) },
      message: expect.stringMatching(/^Attempt 3 at a batch of Sorties succeeded: another transaction/),
    },
  ]);
  for (const reader of Object.values(lower))
    expect(await loadTypes(reader, id)).not.toContain('BatchRetriedEvent');
});

test('how far a job came is logged every five seconds of its run, and less often as it runs on', async () => {
  const { database } = application;
  const id = await insertJob(database, { state: 'QUEUED' });
  await moveJob(database, id, 'RUNNING');
  await database.pool.query('alter table job disable trigger job_clock');
  try {
    // A day of a job, in steps of a minute.
    await database.pool.query(
      `do $$ begin for minute in 1..1440 loop
         update job set elapsed_ms = minute * 60000, processed_items = minute, success_count = minute,
           success_by_level = array[minute, 0, 0, 0, 0], total_items = 1440 where id = '${id}';
       end loop; end $$`,
    );
  } finally {
    await database.pool.query('alter table job enable trigger job_clock');
  }
  const checkpoints = (await readLog(client, id)).filter(
    ({ __typename: type }) => type === 'JobCheckpointEvent',
  );
  expect(checkpoints.length).toBeGreaterThan(400);
  expect(checkpoints.length).toBeLessThan(700);
  expect(checkpoints[0]).toMatchObject({ elapsedSeconds: 60, successCount: 1, message: '1 row done' });
  expect(checkpoints[1]).toMatchObject({ elapsedSeconds: 120, successCount: 2 });
});

test('a job keeps its newest 2,000 events, which nothing changes', async () => {
  const { database } = application;
  const id = await insertJob(database, { state: 'QUEUED' });
  await moveJob(database, id, 'RUNNING');
  await database.pool.query(
    `do $$ begin for round in 1..2005 loop
       perform blade_add_job_event('${id}', 'WAITING', reason => 'Waiting for round ' || round);
     end loop; end $$`,
  );
  const log = await readLog(client, id);
  expect(log).toHaveLength(2_000);
  expect(log.map(({ message }) => message)).toEqual(
    Array.from({ length: 2_000 }, (_none, index) => `Waiting for round ${index + 6}`),
  );
  await expect(
    database.pool.query(`update job_event set reason = 'other' where job_id = $1`, [id]),
  ).rejects.toThrow('The events of a job do not change');
  await database.pool.query('delete from job where id = $1', [id]);
  const { rows } = await database.pool.query('select 1 from job_event where job_id = $1', [id]);
  expect(rows).toEqual([]);
});

test('no event of a job comes before one that was seen, however long a transaction is open', async ({
  skip,
}) => {
  const { database } = application;
  // The embedded database has one session, which an open transaction keeps.
  if (database.kind === 'embedded') return skip();
  const id = await insertJob(database, { state: 'QUEUED' });
  await moveJob(database, id, 'RUNNING');
  const open = async () => {
    const session = new Client({ connectionString: database.connectionString });
    await session.connect();
    return session;
  };
  const [first, second] = [await open(), await open()];
  const add = (session: Client, reason: string) =>
    session.query(`select blade_add_job_event($1, 'WAITING', reason => $2)`, [id, reason]);
  try {
    await first.query('begin');
    await second.query('begin');
    await add(first, 'Waiting for the first');
    let isSecondWritten = false;
    const written = add(second, 'Waiting for the second').then(async () => {
      isSecondWritten = true;
      await second.query('commit');
    });
    await vi.waitFor(async () => {
      const { rows } = await database.pool.query(
        `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%blade_add_job_event%'
           and datname = current_database()`,
      );
      expect(rows).toHaveLength(1);
    });
    expect(isSecondWritten).toBe(false);
    expect(await loadTypes(client, id)).toEqual(['JobQueuedEvent', 'JobStartedEvent']);
    await first.query('commit');
    await written;
  } finally {
    await first.end();
    await second.end();
  }
  const messages = (await readLog(client, id)).map(({ message }) => message);
  expect(messages.slice(2)).toEqual(['Waiting for the first', 'Waiting for the second']);
});
