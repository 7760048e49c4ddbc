import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, onTestFinished, vi } from 'vitest';
import type { JobFactsFragment, JobOptionsInput } from '../generated/graphql.ts';
import { type CatalogServer, startCatalogServer } from '../support/catalog-server.ts';
import { type Chance, createChaosChances } from '../support/chance.ts';
import { type Cluster, expectAllOnce, listClaims, sortieIds } from '../support/cluster.ts';
import { letTimeFly, letTimePass } from '../support/let-time-fly.ts';
import { test as base, describeOnServer } from '../support/on-cluster.ts';
import { JobProgress } from '../support/operations.ts';
import { findServerPrograms, startPrivateServer } from '../support/private-server.ts';
import type { Program } from '../support/program.ts';
import { addSource, uuid } from '../support/tables.ts';

const programs = await findServerPrograms();

const waitFor = <Result>(check: () => Result | Promise<Result>, timeout = 40_000) =>
  vi.waitFor(check, { timeout, interval: 20 });

interface Scene {
  readonly cluster: Cluster;
  readonly catalog: CatalogServer;
  readonly api: Program;
}

const test = base.extend('makeScene', ({ createCluster, open }) => {
  /** A cluster with an API and a catalog service, and no worker yet. */
  return async (rows: number, url?: string): Promise<Scene> => {
    const catalog = await open(startCatalogServer());
    const cluster = await createCluster(rows, { CATALOG_URL: catalog.url }, url);
    if (process.env.CHAOS_LOGS) onTestFinished(() => cluster.showLogs());
    const api = await cluster.start('api');
    await addSource(api);
    return { cluster, catalog, api };
  };
});

/** Expects each row of the source in the catalog. */
function expectInCatalog({ items }: CatalogServer, rows: number, edition = 1): void {
  expect(items.size).toBe(rows);
  for (const id of sortieIds(rows)) {
    const data = JSON.parse(items.get(`BLADE:sortie/${id}`)?.data ?? 'null');
    expect(data).toMatchObject({ item_id: id, mission_id: `M-${Number(id.slice(2))}`, edition });
  }
}

/** Watches a job; `seen` collects every state. */
function watch({ client }: Program, id: string) {
  const seen: JobFactsFragment[] = [];
  const ended = (async () => {
    for await (const { jobProgress } of client.watch(JobProgress, { id })) seen.push(jobProgress);
  })();
  return { seen, ended };
}

function expectSteady(seen: readonly JobFactsFragment[]): void {
  for (const { progress } of seen) {
    expect(progress.processedItems).toBe(progress.successCount + progress.errorCount);
    // Each first sync inserts every row, however often one is written.
    expect(progress).toMatchObject({
      insertedCount: progress.successCount,
      updatedCount: 0,
      unchangedCount: 0,
    });
    if (progress.totalItems !== null)
      expect(progress.totalItems).toBeGreaterThanOrEqual(progress.processedItems);
  }
  const revisions = seen.map(({ revision }) => revision);
  expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
  expect(seen.filter(({ state }) => state === 'COMPLETED')).toHaveLength(1);
}

/** Expects that what was remembered of rows while processes died is true: later syncs find exactly what changed. */
async function expectNextSyncsRight(
  { cluster, catalog, api }: Scene,
  rows: number,
  options: JobOptionsInput,
): Promise<void> {
  for (const edition of [1, 2]) {
    const uploads = catalog.requests.length;
    await cluster.writeEdition(edition);
    const { id } = await api.client.startSync({ syncType: 'FULL', options });
    expect(await api.client.waitForEnd(id)).toMatchObject({
      state: 'COMPLETED',
      progress: {
        ...{ successCount: rows, errorCount: 0, insertedCount: 0 },
        ...(edition === 1 ? { unchangedCount: rows } : { updatedCount: rows }),
      },
    });
    expect(catalog.requests.length - uploads).toBe(edition === 1 ? 0 : rows);
    expectInCatalog(catalog, rows, edition);
  }
}

/** Locks the rows of a `select … for update` until the returned function is called. */
async function holdLock({ pool }: Cluster, lock: string): Promise<() => Promise<void>> {
  const holder = await pool.connect();
  holder.on('error', () => {});
  await holder.query('begin');
  await holder.query(lock);
  return async () => {
    // A lost connection holds no lock.
    await holder.query('rollback').catch(() => {});
    holder.release(true);
  };
}

/** Counts the statements like this that wait for a lock. */
async function countBlocked({ pool }: Cluster, statement: string): Promise<number> {
  const { rows } = await pool.query<{ blocked: number }>(
    `select count(*)::int as blocked from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
    [statement],
  );
  return rows[0]?.blocked ?? 0;
}

describeOnServer('workers and a database that are killed at any moment', () => {
  const ROWS = 2_000;

  /** Waits for a moment of a job, and returns a function that releases the locks that hold it there. */
  type Moment = (scene: Scene, jobId: string, chance: Chance) => Promise<() => Promise<void>>;

  const nothing = async () => {};

  /** Makes a job take seconds. */
  const slowly = () => ({ status: 201, after: 30 });

  const moments: Record<string, Moment> = {
    async 'while reading'({ cluster }, jobId, chance) {
      const rowsRead = async () => {
        const { rows } = await cluster.pool.query<{ read: number }>(
          'select sum(read_items)::int as read from job_partition where job_id = $1',
          [jobId],
        );
        return rows[0]?.read ?? 0;
      };
      const least = (await rowsRead()) + chance.below(800);
      await ifItComes(async () => expect(await rowsRead()).toBeGreaterThan(least));
      return nothing;
    },
    'while saving': async ({ cluster }, jobId) =>
      untilBlocked(
        cluster,
        `select id from job_partition where job_id = '${jobId}' and state = 'RUNNING' for update`,
        '%saved as%',
      ),
    'while marking as uploaded': async ({ cluster }) =>
      untilBlocked(
        cluster,
        'select id from upload_batch where partition_id is not null for update',
        '%uploaded as%',
      ),
    'while writing to the job': async ({ cluster }, jobId) =>
      untilBlocked(cluster, `select id from job where id = '${jobId}' for update`, '%job%'),
    async 'between save and upload'({ catalog }) {
      await nextUpload(catalog, () => true, 'RESET');
      return nothing;
    },
    async 'while uploading'({ catalog }, _jobId, chance) {
      let left = chance.below(100);
      await nextUpload(catalog, () => left-- === 0, null);
      return nothing;
    },
    async 'at any time'(_scene, _jobId, chance) {
      await delay(chance.below(2_000));
      return nothing;
    },
  };

  /** Waits for a moment that may not come any more; then any moment will do. */
  async function ifItComes(check: () => Promise<void>): Promise<void> {
    await waitFor(check, 4_000).catch(() => {});
  }

  /** Locks rows until some process waits for them with a statement like this. */
  async function untilBlocked(cluster: Cluster, lock: string, statement: string) {
    const letGo = await holdLock(cluster, lock);
    await ifItComes(async () => expect(await countBlocked(cluster, statement)).toBeGreaterThan(0));
    return letGo;
  }

  /** Waits for the next wanted upload; it and later ones get the reply. */
  async function nextUpload(catalog: CatalogServer, isWanted: () => boolean, reply: 'RESET' | null) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, 4_000);
    let come = false;
    catalog.answerWith(() => {
      come ||= isWanted();
      if (!come) return slowly();
      resolve();
      return reply;
    });
    await promise;
    clearTimeout(timer);
  }

  const seeds = createChaosChances();

  test.for(seeds)(
    'lose nothing: each row is once in database and catalog [CHAOS_SEED=$seed]',
    async (chance, { expect, makeScene, open }) => {
      const database = programs === null ? null : await open(startPrivateServer(programs));
      const scene = await makeScene(ROWS, database?.url);
      const { cluster, catalog, api } = scene;
      const options = {
        batchSize: 20 + chance.below(80),
        partitionRows: chance.oneOf([1_000, 1_000_000]),
        maxAttempts: 20,
      };
      const story = [`${JSON.stringify(options)}`];
      const tell = () => void process.stdout.write(`CHAOS_SEED=${chance.seed}: ${story.join('; ')}\n`);
      onTestFailed(tell);
      catalog.answerWith(slowly);
      const workers = await Promise.all([cluster.start('worker'), cluster.start('worker')]);
      const dead: Program[] = [];
      letTimeFly(cluster, dead);

      async function kill(which: number): Promise<void> {
        await workers[which]?.end('SIGKILL');
        dead.push(...workers.splice(which, 1));
      }

      const { id } = await api.client.startSync({ syncType: 'FULL', options });
      const { seen, ended } = watch(api, id);
      let isOver = false;
      void ended.finally(() => {
        isOver = true;
      });
      const blows = 2 + chance.below(3);
      for (let blow = 0; blow < blows && !isOver; blow++) {
        const [moment, arrive] = chance.oneOf(Object.entries(moments) as [[string, Moment]]);
        const what = chance.oneOf(['one', 'the other', 'both', database === null ? 'one' : 'the database']);
        const letGo = await arrive(scene, uuid(id), chance);
        story.push(`${what} killed ${moment}`);
        if (what === 'the database') {
          await database?.stop(chance.oneOf(['fast', 'immediate']));
          catalog.answerWith(slowly);
          await letGo();
          await database?.start();
          continue;
        }
        if (what !== 'one') await kill(1);
        if (what !== 'the other') await kill(0);
        catalog.answerWith(slowly);
        await letGo();
        while (workers.length < 2) workers.push(await cluster.start('worker'));
      }
      await ended;
      tell();
      expectSteady(seen);
      await expectAllOnce(cluster, uuid(id), ROWS);
      expectInCatalog(catalog, ROWS);
      await waitFor(async () => {
        const { rows } = await cluster.pool.query(
          `select count(*)::int as left from pgboss.job where state < 'completed' and name like 'partitions%'`,
        );
        expect(rows).toEqual([{ left: 0 }]);
      });
      await expectNextSyncsRight(scene, ROWS, options);
    },
  );
});

describeOnServer('a worker that hangs', () => {
  const ROWS = 400;

  test('is replaced by another, and writes nothing more when it comes back', async ({ makeScene }) => {
    const { cluster, catalog, api } = await makeScene(ROWS);
    await cluster.pool.query(AUDIT);
    const hanging = await cluster.start('worker', {
      PGAPPNAME: 'hanging',
      BLADE_WORKER_THREADS: '1',
      CATALOG_TIMEOUT_MS: '2000',
    });
    // It hangs with half a batch uploaded, waiting for answers that never come.
    catalog.answerWith(({ ordinal }) => (ordinal < 60 ? null : 'SILENCE'));
    const { id } = await api.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    const { seen, ended } = watch(api, id);
    await waitFor(() => expect(catalog.requests.length).toBeGreaterThan(65));
    hanging.signal('SIGSTOP');
    catalog.answerWith(() => null);
    await cluster.start('worker');
    await ended;
    expectSteady(seen);
    await expectAllOnce(cluster, uuid(id), ROWS);
    expectInCatalog(catalog, ROWS);

    // Meanwhile the source changes, and is synced again.
    await cluster.writeEdition(2);
    const next = await api.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    await api.client.waitForEnd(next.id);
    expectInCatalog(catalog, ROWS, 2);
    const writes = async () =>
      (await cluster.pool.query(`select count(*)::int as writes from audit where writer = 'hanging'`))
        .rows[0];
    const before = await writes();
    expect(before.writes).toBeGreaterThan(0);

    hanging.signal('SIGCONT');
    await waitFor(() => expect(hanging.lines.join()).toMatch(/"msg":"partition ended"/), 60_000);
    expect(await writes()).toEqual(before);
    await expectAllOnce(cluster, uuid(next.id), ROWS);
    // Its pending uploads were older than the catalog's content.
    expectInCatalog(catalog, ROWS, 2);
    // And it works again.
    const { id: last } = await api.client.startSync({ syncType: 'FULL', options: { batchSize: 100 } });
    expect(await api.client.waitForEnd(last)).toMatchObject({ state: 'COMPLETED' });
    expect(await hanging.end('SIGTERM')).toEqual({ code: 0 });
  });

  test('in the middle of a transaction blocks nobody with its locks', async ({ makeScene }) => {
    const { cluster, catalog, api } = await makeScene(ROWS);
    catalog.answerWith(() => ({ status: 201, after: 200 }));
    const hanging = await cluster.start('worker');
    const { id } = await api.client.startSync({ syncType: 'FULL', options: { batchSize: 20 } });
    await waitFor(() => expect(catalog.requests.length).toBeGreaterThan(40));
    const letGo = await holdLock(cluster, `select id from job where id = '${uuid(id)}' for update`);
    await waitFor(async () =>
      expect(await countBlocked(cluster, '%from job where%for update')).toBeGreaterThan(0),
    );
    hanging.signal('SIGSTOP');
    await letGo();
    await waitFor(async () => {
      const { rowCount } = await cluster.pool.query(
        `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      );
      expect(rowCount).toBe(1);
    });
    await letTimePass(cluster, [hanging]);
    await cluster.start('worker');
    expect(await api.client.waitForEnd(id)).toMatchObject({ state: 'COMPLETED' });
    await expectAllOnce(cluster, uuid(id), ROWS);
    const { rows } = await cluster.pool.query('select attempt from job_partition where job_id = $1', [
      uuid(id),
    ]);
    expect(rows).toEqual([{ attempt: 2 }]);
    hanging.signal('SIGCONT');
    expect(await hanging.end('SIGTERM')).toEqual({ code: 0 });
    expectInCatalog(catalog, ROWS);
  });

  /** Records who wrote what, by the application name of the connection. */
  const AUDIT = `
    create table audit (writer text, what text);
    create function keep_audit() returns trigger language plpgsql as $$
      begin
        insert into audit values (current_setting('application_name'), tg_table_name);
        return null;
      end $$;
    create trigger audit_item after insert or update or delete on blade_item
      for each row execute function keep_audit();
    create trigger audit_batch after insert or update or delete on upload_batch
      for each row execute function keep_audit();
    create trigger audit_partition after insert or update on job_partition
      for each row execute function keep_audit();
    create trigger audit_error after insert or update on job_error for each row execute function keep_audit();
    create trigger audit_job after update on job for each row execute function keep_audit();`;
});

describeOnServer('a job that kills every worker that takes it', () => {
  test('is FAILED with a reason after its last attempt, and other jobs continue', async ({ makeScene }) => {
    const { cluster, catalog, api } = await makeScene(100);
    const dead: Program[] = [];
    letTimeFly(cluster, dead);
    catalog.answerWith(() => 'SILENCE');
    const { id } = await api.client.startSync({ syncType: 'FULL', options: { maxAttempts: 3 } });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const worker = await cluster.start('worker');
      await waitFor(() => expect(listClaims(worker)).toHaveLength(1));
      await worker.end('SIGKILL');
      dead.push(worker);
      const { rows } = await cluster.pool.query('select attempt from job_partition where job_id = $1', [
        uuid(id),
      ]);
      expect(rows).toEqual([{ attempt }]);
    }
    catalog.answerWith(() => null);
    const worker = await cluster.start('worker');
    const other = await api.client.startQueryJob({
      dataType: 'sortie',
      sqlQuery: 'select * from blade.field.sortie',
    });
    expect(await api.client.waitForEnd(other.id)).toMatchObject({ state: 'COMPLETED' });
    expect(await api.client.waitForEnd(id)).toMatchObject({
      state: 'FAILED',
      failureReason: expect.stringMatching(/^Sorties: in each attempt, its worker was killed/),
    });
    const { rows } = await cluster.pool.query(
      `select state::text from job_partition where state in ('PENDING', 'RUNNING')`,
    );
    expect(rows).toEqual([]);
    expect(listClaims(worker)).toHaveLength(1);
    // The next job uploads what it saved.
    const next = await api.client.startSync({ syncType: 'FULL' });
    expect(await api.client.waitForEnd(next.id)).toMatchObject({ state: 'COMPLETED' });
    await expectAllOnce(cluster, uuid(next.id), 100);
    expectInCatalog(catalog, 100);
  });
});

const needsPrograms = programs === null ? ' (skipped: needs initdb and postgres)' : '';

describeOnServer(`a database server that stops${needsPrograms}`, () => {
  const ROWS = 2_000;

  test.skipIf(programs === null)(
    'and comes back loses nothing: processes stay up, jobs continue, subscribers see the end',
    async ({ makeScene, open }) => {
      const database = await open(startPrivateServer(programs ?? ''));
      const { cluster, catalog, api } = await makeScene(ROWS, database.url);
      catalog.answerWith(() => ({ status: 201, after: 30 }));
      const workers = await Promise.all([cluster.start('worker'), cluster.start('worker')]);
      const { id } = await api.client.startSync({
        syncType: 'FULL',
        options: { batchSize: 50, partitionRows: 1_000 },
      });
      const { seen, ended } = watch(api, id);
      const ready = async ({ url }: Program) => (await fetch(`${new URL(url).origin}/health/ready`)).status;
      const processed = () => seen.at(-1)?.progress.processedItems ?? 0;
      for (const how of ['fast', 'immediate'] as const) {
        const before = processed();
        await waitFor(() => expect(processed()).toBeGreaterThan(before + 300));
        expect(seen.at(-1)?.state).toBe('RUNNING');
        await database.stop(how);
        for (const program of [api, ...workers]) {
          await waitFor(async () => expect(await ready(program)).toBe(503));
        }
        const answer = await api.client.sendRaw('{ syncStatus { state } }');
        expect(answer.errors).toMatchObject([
          {
            message: expect.stringMatching(/database does not answer/),
            extensions: { code: 'SERVICE_UNAVAILABLE' },
          },
        ]);
        await database.start();
        for (const program of [api, ...workers]) {
          await waitFor(async () => expect(await ready(program)).toBe(200));
        }
      }
      await ended;
      expectSteady(seen);
      await expectAllOnce(cluster, uuid(id), ROWS);
      expectInCatalog(catalog, ROWS);
      for (const program of [api, ...workers]) expect(await program.end('SIGTERM')).toEqual({ code: 0 });
    },
  );

  test.skipIf(programs === null)(
    'and stays away does not keep processes from stopping in time',
    async ({ makeScene, open }) => {
      const database = await open(startPrivateServer(programs ?? ''));
      const { cluster, catalog, api } = await makeScene(ROWS, database.url);
      catalog.answerWith(() => ({ status: 201, after: 30 }));
      const worker = await cluster.start('worker');
      await api.client.startSync({ syncType: 'FULL', options: { batchSize: 50 } });
      await waitFor(() => expect(catalog.requests.length).toBeGreaterThan(200));
      await database.stop('immediate');
      const ends = await Promise.all([api.end('SIGTERM'), worker.end('SIGTERM')]);
      expect(ends).toEqual([{ code: 0 }, { code: 0 }]);
      await database.start();
    },
  );
});
