import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createBenchDatabase } from './support/database.ts';
import { measureDiskMegabytes } from './support/disk.ts';
import { logProgress, type MeasureOptions, type Result, valueAtMost } from './support/measure.ts';
import { readResidentMegabytes } from './support/memory.ts';
import { startBuiltProgram } from './support/program.ts';
import { median } from './support/report.ts';

// What a user waits for and what an idle program holds: the first answer, the data folder and the memory.

const FIRST_QUERY = '{ dataSources(first: 1) { totalCount } }';

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const rounds = quick ? 1 : 5;
  const starts = await measureStarts(rounds);
  const [embeddedMs, serverMs] = quick ? [4_000, 4_000] : [12_000, 10_000];
  const memoryRounds = quick ? 1 : 3;
  const embedded: number[] = [];
  const onServer: number[] = [];
  const database = await createBenchDatabase();
  const settings = { DATABASE_URL: database.url, BLADE_ROLES: 'api' };
  try {
    // Migrating takes memory that only the first start on a new database needs.
    await measureIdle(settings, 0);
    for (let round = 0; round < memoryRounds; round++) {
      embedded.push(await measureIdle({}, embeddedMs));
      onServer.push(await measureIdle(settings, serverMs));
      logProgress(`  idle: ${embedded.at(-1)?.toFixed(0)} and ${onServer.at(-1)?.toFixed(0)} MB`);
    }
  } finally {
    await database.close();
  }
  const facts = { peer: null };
  return [
    {
      ...facts,
      measure: 'first answer, fresh data folder',
      unit: 'ms',
      value: median(starts.map(({ fresh }) => fresh)),
      goal: valueAtMost(2_000),
    },
    {
      ...facts,
      measure: 'first answer, second start',
      unit: 'ms',
      value: median(starts.map(({ second }) => second)),
      goal: valueAtMost(1_500),
    },
    {
      ...facts,
      measure: 'data folder after a fresh start and a stop',
      unit: 'MB',
      value: median(starts.map(({ megabytes }) => megabytes)),
      goal: valueAtMost(30),
    },
    {
      ...facts,
      measure: `resident after ${embeddedMs / 1_000} s idle, embedded, fresh data folder`,
      unit: 'MB',
      value: median(embedded),
      goal: valueAtMost(350),
    },
    {
      ...facts,
      measure: `resident after ${serverMs / 1_000} s idle, role api on a server`,
      unit: 'MB',
      value: median(onServer),
      goal: valueAtMost(150),
    },
  ];
}

/** The first and the second start in a data folder, in milliseconds, and the size of the folder in between. */
interface StartsFound {
  readonly fresh: number;
  readonly megabytes: number;
  readonly second: number;
}

async function measureStarts(rounds: number): Promise<readonly StartsFound[]> {
  const found: StartsFound[] = [];
  for (let round = 0; round < rounds; round++) {
    await inDataFolder(async (folder) => {
      const fresh = await measureFirstAnswer(folder);
      const megabytes = measureDiskMegabytes(folder);
      const second = await measureFirstAnswer(folder);
      found.push({ fresh, megabytes, second });
      logProgress(`  first answer: fresh ${fresh.toFixed(0)} ms, second start ${second.toFixed(0)} ms`);
    });
  }
  return found;
}

/** Measures the time from the start of the process until it has answered a query of its database, in milliseconds. */
async function measureFirstAnswer(folder: string): Promise<number> {
  const startedAt = performance.now();
  const program = await startBuiltProgram({ BLADE_DATA_FOLDER: folder });
  try {
    await program.send(FIRST_QUERY);
    return performance.now() - startedAt;
  } finally {
    await program.stop();
  }
}

/** Measures the memory of a program in a fresh data folder, in megabytes, this long after its first answer. */
async function measureIdle(settings: Record<string, string>, milliseconds: number): Promise<number> {
  return inDataFolder(async (folder) => {
    const program = await startBuiltProgram({ BLADE_DATA_FOLDER: folder, ...settings });
    try {
      await program.send(FIRST_QUERY);
      await wait(milliseconds);
      return readResidentMegabytes(program.pid) || Number.NaN;
    } finally {
      await program.stop();
    }
  });
}

async function inDataFolder<Found>(work: (folder: string) => Promise<Found>): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  try {
    return await work(join(folder, 'data'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
