import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, onTestFailed } from 'vitest';
import type { Choice } from '../../src/shared/definition.ts';
import type { DatabricksOptions } from '../../src/warehouse/databricks/session.ts';
import type { SparkRemote } from '../../src/warehouse/spark-connect/connection-string.ts';
import { createChance } from '../support/chance.ts';
import { type Cluster, createCluster } from '../support/cluster.ts';
import { letTimeFly } from '../support/let-time-fly.ts';
import { onEveryFront } from '../support/on-spark.ts';
import type { Program } from '../support/program.ts';
import { addSources, type Sources } from '../support/spark/random/sources.ts';
import { syncAtRandom } from '../support/spark/random/sync-at-random.ts';
import { startTableLife, type TableLife } from '../support/spark/random/table-life.ts';

// RANDOM_SECONDS=600 goes on for longer; RANDOM_SEED=… repeats the choices of a run.
const SECONDS = Number(process.env.RANDOM_SECONDS ?? 60);
const SEED = process.env.RANDOM_SEED;

const ROWS = 1_600;

const prepared = inject('preparedDatabase');

/** The settings of processes that read from this. */
async function toSettings({ name, settings }: Choice, folder: string): Promise<Record<string, string>> {
  if (name === 'spark') {
    const { host, port } = settings as SparkRemote;
    return { SPARK_REMOTE: `sc://${host}:${port}` };
  }
  const { host, port, httpPath, credentials, certificateAuthority } = settings as DatabricksOptions;
  const authority = join(folder, 'authority.pem');
  await writeFile(authority, certificateAuthority ?? '');
  return {
    DATABRICKS_HOST: host,
    DATABRICKS_PORT: String(port),
    DATABRICKS_HTTP_PATH: httpPath,
    DATABRICKS_TOKEN: credentials.kind === 'token' ? credentials.token : '',
    DATABRICKS_CA_FILE: authority,
  };
}

onEveryFront((test) => {
  test.skipIf(prepared.kind !== 'server')(
    'whatever happens to a table and to the processes that read it, a copy is the version that its completed sync names',
    { timeout: (SECONDS + 600) * 1_000 },
    async ({ engine, front, folder, open }) => {
      const chance = createChance(SEED === undefined ? undefined : Number(SEED));
      const cluster = await open(
        createCluster(prepared.kind === 'server' ? prepared.url : '', 1, {
          ...(await toSettings(front.choice, folder)),
          BLADE_WORKER_THREADS: '1',
          BLADE_REQUESTS_PER_SECOND: '100000',
          BLADE_MUTATIONS_PER_MINUTE: '1000000',
        }),
      );
      const derive = () => createChance(chance.below(2 ** 31));
      const lives: TableLife[] = [];
      for (const [name, togglesFeed] of [
        ['steady', false],
        ['toggled', true],
      ] as const)
        lives.push(
          await startTableLife({
            ...{ engine, chance: derive(), name, togglesFeed, rows: ROWS },
            prefix: `${name.slice(0, 1).toUpperCase()}-`,
          }),
        );
      const dead: Program[] = [];
      const processes = await startProcesses(cluster, dead);
      const sources: Sources = await addSources(processes.api(), lives, derive());
      letTimeFly(cluster, dead);

      const until = Date.now() + SECONDS * 1_000;
      const isOver = () => Date.now() > until;
      const tally = {
        ...{ ended: 0, completed: 0, failed: 0, cancelled: 0, comparisons: 0, unchanged: 0, decisions: 0 },
        ...{ retries: 0, changes: 0 },
        ...{ problems: new Map<string, string[]>(), story: [] as string[] },
      };
      const tell = () => {
        const { problems: _, story: __, ...counts } = tally;
        const statements = lives.reduce((sum, life) => sum + life.statements.length, 0);
        const facts = { ...counts, statements, kills: dead.length };
        process.stdout.write(`RANDOM_SEED=${chance.seed}: ${JSON.stringify(facts)}\n`);
      };
      onTestFailed(() => {
        process.stdout.write(`${tally.story.slice(-40).join('\n')}\n`);
        for (const life of lives)
          process.stdout.write(`--- ${life.name}\n${life.statements.slice(-60).join('\n')}\n`);
        tell();
      });

      const writes = async () => {
        const pause = derive();
        while (!isOver()) {
          await pause.oneOf(lives as [(typeof lives)[number]]).step();
          await delay(pause.below(1_200));
        }
      };
      const kills = async () => {
        const blow = derive();
        while (!isOver()) {
          // Each job gets its turn, however slow the machine: one that is killed faster than it reads never ends.
          const { ended } = tally;
          await delay(blow.below(15_000));
          await processes.killOne(blow);
          while (tally.ended === ended && !isOver()) await delay(100);
        }
      };
      const ends = [
        writes(),
        kills(),
        syncAtRandom({ cluster, sources, chance: derive(), tally, isOver, api: processes.api }),
      ];
      await Promise.all(ends);
      tell();
      expect([...tally.problems.values()].flat()).toEqual([]);
      expect(tally.comparisons).toBeGreaterThan(0);
    },
  );
});

/** Two processes. Both run jobs, one also serves the API, and either can be killed. */
async function startProcesses(cluster: Cluster, dead: Program[]) {
  const roles = ['api,worker', 'worker'] as const;
  const programs = [await cluster.start(roles[0]), await cluster.start(roles[1])];
  return {
    api: () => {
      const [api] = programs;
      if (api === undefined) throw new Error('there is a process with an API');
      return api.client;
    },
    async killOne(chance: ReturnType<typeof createChance>) {
      const index = chance.below(2);
      const killed = programs[index];
      if (killed === undefined) return;
      await killed.end('SIGKILL');
      dead.push(killed);
      programs[index] = await cluster.start(roles[index] ?? 'worker');
    },
  };
}
