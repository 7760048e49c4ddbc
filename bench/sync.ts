// node bench/sync.ts [--rows 1000000] [--rounds 3]: how fast a whole sync is, beside the limit and the seed's algorithm.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openFolderCatalog } from '../src/catalog/folder/catalog.ts';
import { openBareUpsert } from './support/bare-upsert.ts';
import {
  createBenchDatabase,
  describeServer,
  settleServer,
  startServerClock,
  walBytes,
} from './support/database.ts';
import type { ProbeReading } from './support/probe.ts';
import { addSource, startMeasuredProgram, startSync } from './support/program.ts';
import { median, printTable, writeResults } from './support/report.ts';
import { runSeedAlgorithm } from './support/seed-algorithm.ts';
import { createSorties, FEW_SORTIES, readItems } from './support/sorties.ts';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    'batch-size': { type: 'string', default: '2000' },
    'seed-rows': { type: 'string', default: '1000' },
    'warm-up-rows': { type: 'string', default: '0' },
    only: { type: 'string', default: 'bare,one,two,seed' },
  },
});
const ROWS = Number(options.rows);
const ROUNDS = Number(options.rounds);
const BATCH_SIZE = Number(options['batch-size']);
const SEED_ROWS = Number(options['seed-rows']);
const WARM_UP_ROWS = Number(options['warm-up-rows']);
const ONLY = new Set(options.only.split(','));

const BARE = 'bare unnest upsert';
const SYNC = { 1: 'sync, 1 partition', 2: 'sync, 2 partitions' };
const AGAIN = { 1: 'again, 1 partition', 2: 'again, 2 partitions' };
const SEED = "seed's algorithm";

/** What one run of one algorithm took. */
interface Measurement {
  readonly rows: number;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  /** Processor time of the database and of the client, in microseconds a row. */
  readonly databaseMicroseconds: number;
  readonly clientMicroseconds: number;
  readonly walBytesPerRow: number;
  readonly eventLoop?: Pick<ProbeReading, 'delayP50' | 'delayP99' | 'delayMax'>;
  readonly peakBytes?: number;
}

type Measured = Pick<Measurement, 'eventLoop' | 'peakBytes'> & {
  readonly rows: number;
  readonly seconds: number;
  readonly clientSeconds: number;
};

const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
const warehouseFolder = join(folder, 'warehouse');
const measurements = new Map<string, Measurement[]>();

try {
  process.stdout.write(`Making ${ROWS.toLocaleString('en')} sorties\n`);
  await createSorties(warehouseFolder, ROWS);
  if (WARM_UP_ROWS > 0) await createSorties(warehouseFolder, WARM_UP_ROWS, FEW_SORTIES);
  for (let round = 1; round <= ROUNDS; round++) {
    process.stdout.write(`Round ${round} of ${ROUNDS}\n`);
    if (ONLY.has('bare')) await measureBare();
    if (ONLY.has('one')) await measureSync(1);
    if (ONLY.has('two')) await measureSync(2);
    if (ONLY.has('seed')) await measureSeed();
  }
  report();
  await writeResults('sync', {
    rows: ROWS,
    batchSize: BATCH_SIZE,
    server: await describeServer(),
    measurements: Object.fromEntries(measurements),
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(
  name: string,
  pool: Parameters<typeof walBytes>[0],
  work: () => Promise<Measured>,
): Promise<void> {
  await settleServer();
  const walBefore = await walBytes(pool);
  const clock = startServerClock(pool);
  const { rows, seconds, clientSeconds, ...rest } = await work();
  const measurement: Measurement = {
    rows,
    seconds,
    rowsPerSecond: rows / seconds,
    databaseMicroseconds: ((await clock.stop()) / rows) * 1e6,
    clientMicroseconds: (clientSeconds / rows) * 1e6,
    walBytesPerRow: ((await walBytes(pool)) - walBefore) / rows,
    ...rest,
  };
  const all = measurements.get(name) ?? [];
  measurements.set(name, [...all, measurement]);
  process.stdout.write(`  ${name}: ${Math.round(measurement.rowsPerSecond).toLocaleString('en')} rows/s\n`);
}

async function measureBare(): Promise<void> {
  const database = await createBenchDatabase();
  try {
    const bare = await openBareUpsert(database.url, database.pool);
    await measure(BARE, database.pool, async () => {
      let seconds = 0;
      let rows = 0;
      let clientSeconds = 0;
      for await (const items of readItems(warehouseFolder, BATCH_SIZE)) {
        const before = process.cpuUsage();
        seconds += await bare.write(items);
        const { user, system } = process.cpuUsage(before);
        clientSeconds += (user + system) / 1e6;
        rows += items.length;
      }
      return { rows, seconds, clientSeconds };
    });
    await bare.close();
  } finally {
    await database.close();
  }
}

async function measureSync(partitions: 1 | 2): Promise<void> {
  const database = await createBenchDatabase();
  const dataFolder = await mkdtemp(join(folder, 'program-'));
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_DATA_FOLDER: dataFolder,
    BLADE_WAREHOUSE_FOLDER: warehouseFolder,
    BLADE_WORKER_THREADS: String(partitions),
  });
  try {
    const sync = async (dataType = 'sortie', expected = ROWS): Promise<Measured> => {
      const before = await program.read();
      await startSync(program, {
        dataType,
        options: { batchSize: BATCH_SIZE, partitionRows: Math.max(1_000, Math.ceil(expected / partitions)) },
      });
      for (;;) {
        const { rows } = await database.pool.query<{ state: string; seconds: number; success: number }>(
          `select state::text, extract(epoch from finished_at - created_at)::float8 as seconds, success_count::float8 as success
           from job order by created_at desc limit 1`,
        );
        const [job] = rows;
        if (job === undefined || job.seconds === null) {
          await setTimeout(100);
          continue;
        }
        if (job.state !== 'COMPLETED' || job.success !== expected) throw new Error(JSON.stringify(job));
        const after = await program.read();
        return {
          rows: expected,
          seconds: job.seconds,
          clientSeconds: after.processorSeconds - before.processorSeconds,
          eventLoop: { delayP50: after.delayP50, delayP99: after.delayP99, delayMax: after.delayMax },
          peakBytes: after.peakBytes,
        };
      }
    };
    if (WARM_UP_ROWS > 0) {
      await addSource(program, { name: 'Few', dataType: 'deployment', tableName: FEW_SORTIES.table });
      await sync('deployment', WARM_UP_ROWS);
      await database.pool.query('truncate blade_item, upload_batch, read_batch');
    }
    await addSource(program);
    await measure(SYNC[partitions], database.pool, () => sync());
    await measure(AGAIN[partitions], database.pool, () => sync());
  } finally {
    await program.stop();
    await database.close();
    await rm(dataFolder, { recursive: true });
  }
}

async function measureSeed(): Promise<void> {
  const database = await createBenchDatabase();
  const catalogFolder = await mkdtemp(join(folder, 'seed-'));
  const catalog = await openFolderCatalog({ folder: catalogFolder });
  try {
    for await (const items of readItems(warehouseFolder, SEED_ROWS)) {
      await measure(SEED, database.pool, async () => {
        const before = process.cpuUsage();
        const seconds = await runSeedAlgorithm(database.pool, catalog, items);
        const { user, system } = process.cpuUsage(before);
        return { rows: items.length, seconds, clientSeconds: (user + system) / 1e6 };
      });
      break;
    }
  } finally {
    await catalog.close();
    await database.close();
    await rm(catalogFolder, { recursive: true });
  }
}

function report(): void {
  const of = (name: string, value: (measurement: Measurement) => number | undefined) =>
    median((measurements.get(name) ?? []).map((measurement) => value(measurement) ?? Number.NaN));
  const whole = (value: number) => (Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en'));
  const digits = (value: number, count: number) => (Number.isNaN(value) ? '' : value.toFixed(count));
  const rate = (name: string) => of(name, ({ rowsPerSecond }) => rowsPerSecond);
  printTable(
    ['', 'rows/s', 'of bare', 'database µs/row', 'client µs/row', 'WAL B/row', 'loop p99 ms', 'peak MB'],
    [BARE, SYNC[1], SYNC[2], AGAIN[1], AGAIN[2], SEED]
      .filter((name) => measurements.has(name))
      .map((name) => [
        name,
        whole(rate(name)),
        digits(rate(name) / rate(BARE), 2),
        digits(
          of(name, ({ databaseMicroseconds }) => databaseMicroseconds),
          1,
        ),
        digits(
          of(name, ({ clientMicroseconds }) => clientMicroseconds),
          1,
        ),
        whole(of(name, ({ walBytesPerRow }) => walBytesPerRow)),
        digits(
          of(name, ({ eventLoop }) => eventLoop?.delayP99),
          1,
        ),
        whole(of(name, ({ peakBytes }) => (peakBytes === undefined ? undefined : peakBytes / 2 ** 20))),
      ]),
  );
}
