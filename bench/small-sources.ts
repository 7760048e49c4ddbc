import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCountingProxy } from './support/counting-proxy.ts';
import { createBenchDatabase } from './support/database.ts';
import { logProgress, type MeasureOptions, type Result, valueAtMost } from './support/measure.ts';
import { addSource, type MeasuredProgram, runSync, startMeasuredProgram } from './support/program.ts';

// What a source costs that has hardly any rows: many of them in one FULL sync, in a program that has just started, and again.

const ROWS = 100;

export async function measure({ quick }: MeasureOptions): Promise<readonly Result[]> {
  const sources = quick ? 20 : 161;
  const folder = await mkdtemp(join(tmpdir(), 'blade-bench-'));
  const schema = join(folder, 'warehouse', 'blade', 'field');
  const database = await createBenchDatabase();
  const proxy = await startCountingProxy(database.url);
  await mkdir(schema, { recursive: true });
  for (let source = 0; source < sources; source++)
    await writeFile(join(schema, `parts_${source}.csv`), createTable(source));
  const program = await startMeasuredProgram({
    DATABASE_URL: proxy.url,
    BLADE_DATA_FOLDER: join(folder, 'data'),
    BLADE_WAREHOUSE_FOLDER: join(folder, 'warehouse'),
    BLADE_WORKER_THREADS: '2',
  });
  try {
    for (let source = 0; source < sources; source++)
      await addSource(program, {
        name: `Parts ${source}`,
        dataType: 'logistics',
        tableName: `parts_${source}`,
      });
    const results: Result[] = [];
    for (const which of ['first', 'second'] as const) {
      const found = await measureSync(program, sources * ROWS);
      const statements = proxy.take().length / sources;
      const name = `${which} FULL sync of ${sources} sources of ${ROWS} rows`;
      const facts = { peer: null, goal: null };
      results.push(
        { ...facts, measure: name, unit: 's', value: found.seconds, goal: valueAtMost(10) },
        {
          ...facts,
          measure: `${name}, processor of program and engines`,
          unit: 'ms per source',
          value: (found.processorSeconds * 1_000) / sources,
          goal: valueAtMost(20),
        },
        { ...facts, measure: `${name}, statements`, unit: 'per source', value: statements },
      );
      logProgress(
        `  ${which}: ${found.seconds.toFixed(1)} s, ${found.processorSeconds.toFixed(1)} s of processor`,
      );
    }
    return results;
  } finally {
    await program.stop();
    await proxy.close();
    await database.close();
    await rm(folder, { recursive: true });
  }
}

function createTable(source: number): string {
  const rows = Array.from(
    { length: ROWS },
    (_, row) => `P-${source}-${row},S-${row},ENGINE PARTS,Part ${row},${row},EDWARDS,HIGH`,
  );
  return ['item_id,shipment_id,supply_type,description,quantity,origin_location,priority', ...rows, ''].join(
    '\n',
  );
}

async function measureSync(program: MeasuredProgram, items: number) {
  const usedBefore = await readProcessorSeconds(program.pid);
  const { seconds, successCount } = await runSync(program);
  if (successCount !== items) throw new Error(`${successCount} of ${items} items`);
  return { seconds, processorSeconds: (await readProcessorSeconds(program.pid)) - usedBefore };
}

/** Reads the processor time of a process, of those that it started, and of those of them that have ended. Linux only. */
async function readProcessorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return 0;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const children = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const pids = children.flatMap((text) => text.split(' ').filter(Boolean).map(Number));
  const used = await Promise.all(pids.map(readProcessorSeconds));
  return used.reduce((sum, seconds) => sum + seconds, own);
}
