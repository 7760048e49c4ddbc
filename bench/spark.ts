import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSparkEngine, type SparkEngine } from '../test/support/spark/connect.ts';
import { startConnectProxy } from '../test/support/spark/connect-proxy.ts';
import { type OwnSpark, startSparkServer } from '../test/support/spark/server.ts';
import { createBenchDatabase } from './support/database.ts';
import {
  logProgress,
  type MeasureOptions,
  type Result,
  ratioAtLeast,
  ratioAtMost,
  valueAtMost,
} from './support/measure.ts';
import {
  addSource,
  type MeasuredProgram,
  runSync,
  type Source,
  startMeasuredProgram,
} from './support/program.ts';
import { createSorties, SORTIES } from './support/sorties.ts';

// Syncs of a Delta table in real Spark, beside the same rows from Parquet files and beside Spark's own answers.

const FILES = 16;

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  if (!hasCommand('java') || !hasCommand('mvn')) {
    logProgress('  skipped: it needs java and mvn');
    return [];
  }
  const rows = quick ? 20_000 : 2_000_000;
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const spark = await startSparkServer();
  const engine = openSparkEngine(spark.server);
  try {
    await createTables(engine, folder, rows);
    return [
      ...(await measureFirstSyncs(spark, engine, folder, rows)),
      ...(await measureScans(spark, rows)),
      ...(await measureChanges(spark, engine, rows)),
    ];
  } finally {
    await engine.close();
    await spark.close();
    await rm(folder, { recursive: true });
  }
}

function hasCommand(name: string): boolean {
  return spawnSync(name, ['-version'], { stdio: 'ignore' }).error === undefined;
}

/** Writes the same rows as a Delta table and as a folder of Parquet files, in as many files. */
async function createTables(engine: SparkEngine, folder: string, rows: number): Promise<void> {
  await createSorties(join(folder, 'generated'), rows);
  const select = `SELECT /*+ REPARTITION(${FILES}) */ * FROM parquet.\`${join(folder, 'generated/blade/field/sortie.parquet')}\``;
  const { catalog, schema, table } = SORTIES;
  await engine.run(
    `INSERT OVERWRITE DIRECTORY '${join(folder, 'warehouse', catalog, schema, table)}' USING parquet ${select}`,
  );
  await engine.run('CREATE DATABASE field');
  await engine.run(
    `CREATE TABLE ${TABLE} USING DELTA TBLPROPERTIES (delta.enableChangeDataFeed = true) AS ${select}`,
  );
}

const TABLE = 'field.sortie';

/** How the sources of these programs find the table. */
const IN_SPARK: Source = { catalogName: 'spark_catalog' };

async function measureFirstSyncs(
  spark: OwnSpark,
  engine: SparkEngine,
  folder: string,
  rows: number,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const amount = `${rows.toLocaleString('en')} rows in ${FILES} files`;
  const alone = rows / (await timeAnswer(engine, `SELECT * FROM ${TABLE}`));
  for (const partitions of [1, 4]) {
    const options = { partitionRows: Math.ceil(rows / partitions) };
    const sync = async (program: MeasuredProgram) => rows / (await runSync(program, { options })).seconds;
    const files = await withProgram(
      { BLADE_WAREHOUSE_FOLDER: join(folder, 'warehouse') },
      async (program) => {
        await addSource(program);
        return sync(program);
      },
    );
    const delta = await withProgram(toSettings(spark), async (program) => {
      await addSource(program, IN_SPARK);
      return sync(program);
    });
    const which = partitions === 1 ? '1 partition' : `${partitions} partitions`;
    const result = { measure: `first sync from Spark, ${which}, ${amount}`, unit: 'rows/s', value: delta };
    results.push(
      { ...result, peer: { name: 'from Parquet files', value: files }, goal: ratioAtLeast(0.9) },
      { ...result, peer: { name: "Spark's answer alone", value: alone }, goal: null },
    );
    logProgress(
      `  ${which}: ${Math.round(delta)} rows/s, from files ${Math.round(files)}, alone ${Math.round(alone)}`,
    );
  }
  return results;
}

/** What Spark's own metrics say that it reads, with 1 thread and with 4. */
async function measureScans({ server }: OwnSpark, rows: number): Promise<readonly Result[]> {
  const proxy = await startConnectProxy(server);
  try {
    const scanned: number[] = [];
    for (const threads of [1, 4]) {
      const settings = {
        SPARK_REMOTE: `sc://127.0.0.1:${proxy.remote.port}`,
        BLADE_WORKER_THREADS: String(threads),
      };
      await withProgram(settings, async (program) => {
        await addSource(program);
        proxy.takeScannedRows();
        await runSync(program);
        scanned.push(proxy.takeScannedRows());
      });
    }
    const [one = Number.NaN, four = Number.NaN] = scanned;
    const unit = 'rows';
    return [
      {
        measure: 'scanned by Spark for 1 thread',
        unit,
        value: one,
        peer: { name: 'rows of the table', value: rows },
        goal: ratioAtMost(1.1),
      },
      {
        measure: 'scanned by Spark for 4 threads',
        unit,
        value: four,
        peer: { name: '1 thread', value: one },
        goal: ratioAtMost(1),
      },
    ];
  } finally {
    await proxy.close();
  }
}

/** A table that is not changed, hardly changed, and changed with and without deletes. */
async function measureChanges(
  spark: OwnSpark,
  engine: SparkEngine,
  rows: number,
): Promise<readonly Result[]> {
  return withProgram(toSettings(spark), async (program) => {
    await addSource(program, { ...IN_SPARK, deletePolicy: 'MARK', readMode: 'CHANGE_FEED' });
    const first = await runSync(program);
    const unchanged = await runSync(program);
    logProgress(`  first ${first.seconds} s, unchanged ${unchanged.seconds} s`);

    await engine.run(
      `MERGE INTO ${TABLE} AS t USING (SELECT item_id FROM ${TABLE} ORDER BY item_id LIMIT 100) AS s ON t.item_id = s.item_id
        WHEN MATCHED THEN UPDATE SET flight_hours = t.flight_hours + 1`,
    );
    const answer = await timeAnswer(engine, `SELECT * FROM table_changes('${TABLE}', 1)`);
    const byFeed = await runSync(program, { syncType: 'INCREMENTAL' });
    if (byFeed.successCount !== 100) throw new Error(`${byFeed.successCount} of 100 changed rows`);
    logProgress(`  by change feed ${byFeed.seconds} s, Spark's answer ${answer.toFixed(2)} s`);

    const isOneOfHundred = 'pmod(xxhash64(item_id), 100) = ';
    await engine.run(`UPDATE ${TABLE} SET flight_hours = flight_hours + 1 WHERE ${isOneOfHundred}1`);
    const withoutDeletes = await runSync(program);
    // As many changed rows as before, so that only the deletes differ.
    await engine.run(`UPDATE ${TABLE} SET flight_hours = flight_hours + 1 WHERE ${isOneOfHundred}1`);
    await engine.run(`DELETE FROM ${TABLE} WHERE ${isOneOfHundred}2`);
    const withDeletes = await runSync(program);
    if (withDeletes.deletedCount === 0) throw new Error('nothing was deleted');
    logProgress(`  FULL with deletes ${withDeletes.seconds} s, without ${withoutDeletes.seconds} s`);

    const amount = `${rows.toLocaleString('en')} rows`;
    const unit = 's';
    return [
      {
        measure: `sync of an unchanged table, ${amount}`,
        unit,
        value: unchanged.seconds,
        peer: { name: 'first sync', value: first.seconds },
        goal: ratioAtMost(0.02),
      },
      {
        measure: `100 changed rows of ${amount} by change feed, beyond Spark's own answer`,
        unit,
        value: byFeed.seconds - answer,
        peer: null,
        goal: valueAtMost(1),
      },
      {
        measure: `FULL sync with 1 % deletes, ${amount}`,
        unit,
        value: withDeletes.seconds,
        peer: { name: 'with 1 % updates', value: withoutDeletes.seconds },
        goal: ratioAtMost(1.1),
      },
    ];
  });
}

function toSettings({ server }: OwnSpark): Record<string, string> {
  return { SPARK_REMOTE: `sc://${server.address}` };
}

/** Works with a program that has its own database. */
async function withProgram<Found>(
  settings: Record<string, string>,
  work: (program: MeasuredProgram) => Promise<Found>,
): Promise<Found> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const database = await createBenchDatabase();
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_DATA_FOLDER: folder,
    BLADE_WORKER_THREADS: '4',
    ...settings,
  });
  try {
    return await work(program);
  } finally {
    await program.stop();
    await database.close();
    await rm(folder, { recursive: true });
  }
}

/** Reads an answer to its end, without looking into it. @returns the seconds. */
async function timeAnswer(engine: SparkEngine, sql: string): Promise<number> {
  const startedAt = performance.now();
  const execution = engine.execute(sql, []);
  while ((await execution.next(1)) !== null);
  return (performance.now() - startedAt) / 1_000;
}
