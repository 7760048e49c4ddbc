import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { createBenchDatabase } from './support/database.ts';
import { type MeasureOptions, type Result, ratioAtMost } from './support/measure.ts';
import { readResidentMegabytes } from './support/memory.ts';
import { addSource, startMeasuredProgram, startSync } from './support/program.ts';

// The most memory of the program and its engines while it syncs rows of 100 KB, beside rows of 100 bytes.

const FORMATS = ['parquet', 'csv', 'ndjson'] as const;

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const [large, small] = quick ? [300, 10_000] : [6_000, 100_000];
  const results: Result[] = [];
  for (const format of FORMATS) {
    const few = await measurePeak(format, small, 100);
    results.push({
      measure: `peak memory with engines, ${large.toLocaleString('en')} rows of 100 KB, ${format}`,
      unit: 'MB',
      value: await measurePeak(format, large, 100_000),
      peer: { name: 'rows of 100 bytes', value: few },
      goal: ratioAtMost(1.5),
    });
  }
  return results;
}

/** Measures the most memory of the program and its engines in one sync, in megabytes. Linux only. */
async function measurePeak(format: string, rows: number, bytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const database = await createBenchDatabase();
  await createTable(join(folder, 'warehouse', 'blade', 'field'), format, rows, bytes);
  const program = await startMeasuredProgram({
    DATABASE_URL: database.url,
    BLADE_DATA_FOLDER: join(folder, 'data'),
    BLADE_WAREHOUSE_FOLDER: join(folder, 'warehouse'),
    BLADE_WORKER_THREADS: '1',
  });
  let peak = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, readResidentMegabytes(program.pid));
  }, 20);
  try {
    await addSource(program);
    await startSync(program);
    for (;;) {
      const { rows: jobs } = await database.pool.query<{ state: string; success: number }>(
        'select state::text, success_count::float8 as success from job where finished_at is not null',
      );
      const [job] = jobs;
      if (job === undefined) await wait(100);
      else if (job.state === 'COMPLETED' && job.success === rows) return peak;
      else throw new Error(JSON.stringify(job));
    }
  } finally {
    clearInterval(sampling);
    await program.stop();
    await database.close();
    await rm(folder, { recursive: true });
  }
}

/** Creates a table of rows with texts that cannot be compressed. */
async function createTable(folder: string, format: string, rows: number, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const hashes = `list_transform(range(${Math.ceil(bytes / 32)}), lambda n: md5(CAST(i * 1000003 + n AS VARCHAR)))`;
  const path = join(folder, `sortie.${format}`);
  await connection.run(
    `COPY (SELECT 'id-' || i AS item_id, 'M' || i AS mission_id, array_to_string(${hashes}, '') AS notes FROM range(${rows}) t(i))
     TO '${path}' (FORMAT ${format === 'ndjson' ? 'json' : format})`,
  );
  connection.closeSync();
  instance.closeSync();
}
