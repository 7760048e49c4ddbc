import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFailed, onTestFinished, vi } from 'vitest';
import type { JobEventMessage } from '../../docs/examples/follow-events.ts';
import { startCatalogServer } from '../support/catalog-server.ts';
import { type Chance, createChance } from '../support/chance.ts';
import { startProxy } from '../support/cut-off.ts';
import { FOLLOWERS } from '../support/followers.ts';
import { readLog } from '../support/job-events.ts';
import { letTimeFly } from '../support/let-time-fly.ts';
import { describeOnServer, test } from '../support/on-cluster.ts';
import { findServerPrograms, startPrivateServer } from '../support/private-server.ts';
import type { Program } from '../support/program.ts';
import { addSource } from '../support/tables.ts';

// CHAOS_KILLS=50 kills more; CHAOS_SEED=… repeats a run.
const KILLS = Number(process.env.CHAOS_KILLS ?? 8);
const SEED = process.env.CHAOS_SEED;

const ROWS = 2_000;

const programs = await findServerPrograms();

/** A process that follows the log of a job. */
interface Follower {
  readonly name: string;
  readonly received: readonly JobEventMessage[];
  readonly exited: Promise<number | null>;
}

function startFollower(name: string, url: string, id: string): Follower {
  const child = spawn(process.execPath, ['test/support/follow-log.ts', name, url, id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const received: JobEventMessage[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    received.push(...lines.map((line) => JSON.parse(line)));
  });
  return { name, received, exited: once(child, 'close').then(([code]) => code) };
}

/** Pauses or resumes a job, which adds to its log, if the server lives and the state of the job allows it. */
async function control({ client }: Program, operation: 'pauseJob' | 'resumeJob', id: string): Promise<void> {
  await client
    .sendRaw(`mutation ($id: ID!) { ${operation}(input: { id: $id }) { __typename } }`, { id })
    .catch(() => {});
}

const needsPrograms = programs === null ? ' (skipped: needs initdb and postgres)' : '';

describeOnServer(`subscribers, while servers, workers and the database are killed${needsPrograms}`, () => {
  test.skipIf(programs === null)(
    'receive the log of each job in order, each event exactly once, with every client package in a separate process',
    { timeout: 120_000 + KILLS * 20_000 },
    async ({ createCluster, open }) => {
      const chance = createChance(SEED === undefined ? undefined : Number(SEED));
      const story: string[] = [];
      const tell = () => void process.stdout.write(`CHAOS_SEED=${chance.seed}: ${story.join('; ')}\n`);
      onTestFailed(tell);
      const database = await open(startPrivateServer(programs ?? ''));
      const catalog = await open(startCatalogServer());
      catalog.answerWith(() => ({ status: 201, after: 30 }));
      const cluster = await createCluster(ROWS, { CATALOG_URL: catalog.url }, database.url);
      const apis = await Promise.all([cluster.start('api'), cluster.start('api')]);
      const workers = await Promise.all([cluster.start('worker'), cluster.start('worker')]);
      const dead: Program[] = [];
      letTimeFly(cluster, dead);
      const findApi = () => chance.oneOf(apis as [Program, ...Program[]]);
      const proxy = await startProxy(() => findApi().url);
      onTestFinished(proxy.close);
      await addSource(findApi());

      async function killOne(killed: Program[], roles: 'api' | 'worker'): Promise<void> {
        const [program] = killed.splice(chance.below(killed.length), 1);
        await program?.end('SIGKILL');
        if (program !== undefined) dead.push(program);
        killed.push(await cluster.start(roles));
      }

      const blows: Readonly<Record<string, () => Promise<void>>> = {
        'an API': () => killOne(apis, 'api'),
        'a worker': () => killOne(workers, 'worker'),
        async 'the database'() {
          await database.stop(chance.oneOf(['fast', 'immediate']));
          await database.start();
        },
        async 'the database and an API'() {
          await database.stop('immediate');
          const [api] = apis.splice(chance.below(apis.length), 1);
          await api?.end('SIGKILL');
          // The others connect to one that has no database.
          const connections = proxy.connections;
          proxy.cut();
          await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(connections + 2), 20_000);
          await database.start();
          apis.push(await cluster.start('api'));
        },
        async 'all connections'() {
          proxy.cut();
        },
      };

      let kills = 0;
      let events = 0;
      let edition = 1;
      while (kills < KILLS) {
        await cluster.writeEdition(++edition);
        const id = await startJob(findApi(), chance);
        story.push(`${id} started`);
        const followers = Object.keys(FOLLOWERS).map((name) => startFollower(name, proxy.url, id));
        const resuming = setInterval(() => void control(findApi(), 'resumeJob', id), 500);
        onTestFinished(() => clearInterval(resuming));
        let ended = false;
        const all = Promise.all(followers.map(({ exited }) => exited)).then((codes) => {
          ended = true;
          return codes;
        });
        while (!ended && kills < KILLS) {
          const [what, strike] = chance.oneOf(Object.entries(blows) as [[string, () => Promise<void>]]);
          const uploads = catalog.requests.length + chance.below(150);
          await vi.waitFor(() => expect(ended || catalog.requests.length > uploads).toBe(true), {
            timeout: 60_000,
            interval: 5,
          });
          if (ended) break;
          story.push(`${what} killed`);
          if (chance.below(3) === 0) void control(findApi(), 'pauseJob', id);
          await strike();
          kills += 1;
        }
        await vi.waitFor(() => expect(ended).toBe(true), { timeout: 120_000, interval: 20 });
        clearInterval(resuming);
        expect(await all).toEqual(followers.map(() => 0));
        const log = await readLog(findApi().client, id);
        expect(log.at(-1)?.__typename).toBe('JobEndedEvent');
        for (const { name, received } of followers) {
          expect({ name, cursors: received.map(({ cursor }) => cursor) }).toEqual({
            name,
            cursors: log.map(({ cursor }) => cursor),
          });
          expect(received.map(({ event }) => event?.message)).toEqual(log.map(({ message }) => message));
        }
        events += log.length;
      }
      story.push(`${kills} kills, ${events} events to each of ${Object.keys(FOLLOWERS).length} processes`);
      tell();
    },
  );
});

/** Starts a sync of all rows, which lasts for some seconds. */
async function startJob({ client }: Program, chance: Chance): Promise<string> {
  const { id } = await client.startSync({
    syncType: 'FULL',
    options: {
      batchSize: 20 + chance.below(80),
      partitionRows: chance.oneOf([1_000, 1_000_000]),
      maxAttempts: 20,
    },
  });
  return id;
}
